"""What a run folder holds for the report, read and cleaned."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import RunFolderError
from striate.report._scale import Floats
from striate.report._words import plain

FILES = ("config.yaml", "history.csv", "steps.csv", "metrics.json", "results.json")
FORMAT = 0
Json = dict[str, Any]
Columns = dict[str, Floats]


@dataclass(frozen=True, kw_only=True)
class Run:
    """The saved results of one run (docs/run-folder.md).

    Attributes:
        folder: as the caller wrote it, for the commands on the page.
        config: text of config.yaml.
        history, steps: column name → (rows,) float64; NaN where a cell is empty.
        metrics, results: the two JSON documents, with every string printable.
    """

    folder: Path
    config: str
    history: Columns
    steps: Columns
    metrics: Json
    results: Json


def read_run(folder: Path) -> Run:
    """Return what `folder` holds; raise RunFolderError where a file is missing or damaged."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise RunFolderError(
            f"A report is made from {', '.join(FILES)}; {folder} has no {', '.join(missing)}. "
            "Give the folder of a finished run."
        )
    results = _read_json(folder / "results.json")
    if results.get("format") != FORMAT:
        raise RunFolderError(
            f"{folder / 'results.json'} should say format {FORMAT}, "
            f"but says {results.get('format')}. Make the report with the striate that trained."
        )
    return Run(
        folder=folder,
        config=_read_text(folder / "config.yaml"),
        history=_read_csv(folder / "history.csv"),
        steps=_read_csv(folder / "steps.csv"),
        metrics=_read_json(folder / "metrics.json"),
        results=results,
    )


def _read_text(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return "\n".join(plain(line.replace("\t", "    ").rstrip("\r")) for line in lines)


def _read_json(path: Path) -> Json:
    try:
        document = json.loads(path.read_bytes())
    except ValueError as reason:
        raise RunFolderError(
            f"{path} should hold a JSON object, but can't be read: {reason}. Repeat the run."
        ) from reason
    if not isinstance(document, dict):
        raise RunFolderError(
            f"{path} should hold a JSON object, but holds a {type(document).__name__}. "
            "Repeat the run."
        )
    cleaned: Json = _clean(document)
    return cleaned


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list):
        return [_clean(part) for part in value]
    if isinstance(value, dict):
        return {plain(name): _clean(part) for name, part in value.items()}
    return value


def _read_csv(path: Path) -> Columns:
    with path.open(encoding="utf-8", errors="replace", newline="") as lines:
        rows = list(csv.reader(lines))
    names = rows.pop(0) if rows else []
    # A run that was killed may leave half a line at the end.
    if rows and len(rows[-1]) != len(names):
        rows.pop()
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise RunFolderError(
                f"{path}, line {number}: expected {len(names)} values ({', '.join(names)}), "
                f"got {len(row)}. Repeat the run."
            )
    columns = zip(*rows) if rows else ((),) * len(names)
    return {plain(name): _numbers(path, name, column) for name, column in zip(names, columns)}


def _numbers(path: Path, name: str, column: Sequence[str]) -> Floats:
    try:
        return np.array([float(cell) if cell else np.nan for cell in column], np.float64)
    except ValueError as reason:
        raise RunFolderError(
            f"{path}: expected numbers under {name}, but {reason}. Repeat the run."
        ) from reason
