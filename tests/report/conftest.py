"""One run folder of every kind, with its page."""

from pathlib import Path

import pytest

from report import run_folders
from striate.report import write_report

KINDS = {
    "binary": lambda folder: run_folders.classification(folder, ("ant", "bee")),
    "three": lambda folder: run_folders.classification(folder, 3),
    "twelve": lambda folder: run_folders.classification(folder, 12),
    "hundred": lambda folder: run_folders.classification(folder, 100),
    "multi-label": run_folders.multi_label,
    "regression": run_folders.regression,
    "hostile": run_folders.hostile,
    "frozen": lambda folder: run_folders.with_head(folder, run_folders.HEAD),
    "minimal": run_folders.minimal,
}


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the path of each kind's report.html; the other files lie beside it."""
    base = tmp_path_factory.mktemp("runs")
    return {name: write_report(make(base / name)) for name, make in KINDS.items()}


@pytest.fixture(scope="session")
def pages(reports: dict[str, Path]) -> dict[str, str]:
    """Return each kind's page as text."""
    return {name: path.read_text(encoding="utf-8") for name, path in reports.items()}
