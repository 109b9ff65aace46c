"""The README's first command, as somebody with a fresh clone runs it."""

import json
import subprocess
from pathlib import Path

import pytest

from doc_pages import ROOT


@pytest.mark.slow
def test_the_demo_trains_well_and_names_what_it_made(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    done = subprocess.run([ROOT / "scripts" / "demo", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report, model = folder / "runs/demo/report.html", folder / "runs/demo/model"
    assert done.stdout.splitlines()[-2:] == [
        f"Look at the report:  {report}",
        f"Ship the model:      {model}",
    ]
    assert report.is_file()
    assert (model / "network.onnx").is_file()
    metrics = json.loads((folder / "runs/demo/metrics.json").read_text(encoding="utf-8"))
    assert metrics["parts"]["test"]["total"] == 360
    assert metrics["parts"]["test"]["accuracy"] >= 0.97


@pytest.mark.slow
def test_the_demo_leaves_a_folder_that_exists_alone(tmp_path: Path) -> None:
    done = subprocess.run([ROOT / "scripts" / "demo", tmp_path], capture_output=True, text=True)
    assert done.returncode == 7
    assert done.stderr == (f"{tmp_path} exists already; name another folder: scripts/demo FOLDER\n")
