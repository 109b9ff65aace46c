"""steps.csv, history.csv, layers.csv: written as the run goes on, so a stopped run keeps them."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from striate._files import write_file
from striate.errors import DiskError
from striate.training._events import Epoch

if TYPE_CHECKING:
    from striate.training._probe import LayerState

STEP_COLUMNS = ("step", "epoch", "loss", "learning_rate", "gradient_norm")
LAYER_COLUMNS = ("step", "epoch", "layer", "deviation", "gradient_norm")


class Records:
    """The three tables of a run; rows of steps are written an epoch at a time.

    Args:
        folder: the run folder.
        step, epoch: where the run goes on: rows of later steps, and of this epoch and later ones,
            are dropped. 0 and 1: the tables begin.
    """

    def __init__(self, folder: Path, *, step: int = 0, epoch: int = 1) -> None:
        self._pending: list[tuple[Any, ...]] = []
        self._steps = _opened(folder / "steps.csv", "step", step, STEP_COLUMNS)
        self._epochs = _opened(folder / "history.csv", "epoch", epoch, ())
        self._layers = _opened(folder / "layers.csv", "step", step, LAYER_COLUMNS)
        self._has_header = self._epochs.tell() > 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.flush()
        self._steps.close()
        self._epochs.close()
        self._layers.close()

    def step(self, step: int, epoch: int, loss: float, rate: float, norm: float) -> None:
        """Keep one step's row until the next flush."""
        self._pending.append((step, epoch, f"{loss:.6g}", f"{rate:.6g}", f"{norm:.6g}"))

    def layers(self, step: int, epoch: int, states: Sequence[LayerState]) -> None:
        """Write one row a layer for the step that was watched."""
        for state in states:
            norm = "" if state.gradient_norm is None else f"{state.gradient_norm:.6g}"
            row = (step, epoch, state.layer, f"{state.deviation:.6g}", norm)
            csv.writer(self._layers).writerow(row)

    def epoch(self, epoch: Epoch) -> None:
        """Write one epoch's row, and the steps before it."""
        row: dict[str, Any] = {
            "epoch": epoch.epoch,
            "step": epoch.step,
            "learning_rate": f"{epoch.learning_rate:.6g}",
            "running_loss": f"{epoch.running_loss:.6g}",
        }
        row |= {f"validation_{key}": f"{value:.6g}" for key, value in epoch.validation.items()}
        row |= {
            "seconds": f"{epoch.seconds:.3f}",
            "images_per_second": f"{epoch.images_per_second:.1f}",
            "waiting": f"{epoch.waiting:.4f}",
        }
        writer = csv.DictWriter(self._epochs, fieldnames=list(row))
        if not self._has_header:
            writer.writeheader()
            self._has_header = True
        writer.writerow(row)
        self.flush()

    def back_to(self, *, step: int) -> None:
        """Drop the rows of this step and later ones: the run has gone back to before it."""
        self.flush()
        for name, columns in (("_steps", STEP_COLUMNS), ("_layers", LAYER_COLUMNS)):
            file: TextIO = getattr(self, name)
            file.close()
            setattr(self, name, _opened(Path(file.name), "step", step, columns))

    def flush(self, *, to_disk: bool = False) -> None:
        """Hand everything to the operating system, and wait for the disk where that is asked for."""
        try:
            csv.writer(self._steps).writerows(self._pending)
            self._pending.clear()
            self._steps.flush()
            self._epochs.flush()
            self._layers.flush()
            for file in (self._steps, self._epochs, self._layers) if to_disk else ():
                os.fsync(file.fileno())
        except OSError as error:
            raise DiskError(f"{self._steps.name}: can't be written ({error.strerror}).") from error


class Unkept:
    """The tables of a process that writes none: process 0 writes those of all."""

    def step(self, step: int, epoch: int, loss: float, rate: float, norm: float) -> None:
        """Drop it."""

    def layers(self, step: int, epoch: int, states: Sequence[LayerState]) -> None:
        """Drop it."""

    def epoch(self, epoch: Epoch) -> None:
        """Drop it."""

    def back_to(self, *, step: int) -> None:
        """Drop it."""

    def flush(self, *, to_disk: bool = False) -> None:
        """Do nothing."""


def _opened(path: Path, column: str, before: int, header: Sequence[str]) -> TextIO:
    """Open a table to write on, with those of its rows whose `column` is below `before`."""
    rows = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if _below(row[column], before)]
    text = io.StringIO()
    columns = list(rows[0]) if rows else header
    if columns:
        writer = csv.DictWriter(text, fieldnames=columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    write_file(path, text.getvalue())
    return path.open("a", newline="", encoding="utf-8")


def _below(cell: str | None, before: int) -> bool:
    # A line that was being written when the process was killed may end anywhere.
    return cell is not None and cell.isdecimal() and int(cell) < before
