"""A run's folder and what `train` returns."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.errors import DiskError, RunFolderError, UsageError


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run.

    Attributes:
        folder: the run folder (docs/run-folder.md).
        model: the model folder: `striate.load(run.model)`.
        report: the HTML page.
        metrics: part → metric → value: the content of metrics.json under `parts`.
        sentences: part → the figures in one line.
        samples: names of the user's pictures that were put in the model folder.
        best_epoch: the epoch whose weights were kept; 0: a head on a frozen backbone was.
        stopped: why training ended.
        exit_code: 0, or 130 or 143 where a signal ended it.
    """

    folder: Path
    model: Path
    report: Path
    metrics: Mapping[str, Mapping[str, Any]]
    sentences: Mapping[str, str]
    samples: tuple[str, ...]
    best_epoch: int
    stopped: str
    exit_code: int = 0


def make_run_folder(out: Path, name: str | None, source_name: str) -> Path:
    """Create and return `out/name`, or `out/<source>` with the next free number.

    Raises:
        RunFolderError: a folder of that name exists; nothing in it was touched.
        UsageError: the name isn't a folder's name.
        DiskError: it can't be created.
    """
    if name is not None and (not name.strip() or name == ".." or Path(name).name != name):
        raise UsageError(
            f"--name: expected a folder's name without '/', it got '{name}'. --out says where it lies."
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        if name is not None:
            return _claim(out / name)
        stem = re.sub(r"[^\w.-]+", "-", source_name).strip("-.") or "run"
        for number in range(1, 10_000):
            folder = out / (stem if number == 1 else f"{stem}-{number}")
            if not folder.exists():
                return _claim(folder)
    except OSError as error:
        raise DiskError(
            f"{out}: can't be written ({error.strerror}). Choose another --out."
        ) from error
    raise RunFolderError(f"{out} holds 10,000 runs called {stem}. Choose a --name.")


def _claim(folder: Path) -> Path:
    try:
        folder.mkdir()
    except FileExistsError:
        raise RunFolderError(
            f"{folder} exists already and was left as it is. Choose another --name, or remove it."
        ) from None
    return folder
