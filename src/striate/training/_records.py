"""steps.csv, history.csv, layers.csv: written as the run goes on, so a stopped run keeps them."""

import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from striate.errors import DiskError
from striate.training._events import Epoch
from striate.training._probe import LayerState

STEP_COLUMNS = ("step", "epoch", "loss", "learning_rate", "gradient_norm")
LAYER_COLUMNS = ("step", "epoch", "layer", "deviation", "gradient_norm")


class Records:
    """The three tables of a run; rows of steps are written an epoch at a time."""

    def __init__(self, folder: Path) -> None:
        self._steps = (folder / "steps.csv").open("w", newline="", encoding="utf-8")
        self._epochs = (folder / "history.csv").open("w", newline="", encoding="utf-8")
        self._layers = (folder / "layers.csv").open("w", newline="", encoding="utf-8")
        csv.writer(self._layers).writerow(LAYER_COLUMNS)
        self._pending: list[tuple[Any, ...]] = []
        self._has_header = False
        csv.writer(self._steps).writerow(STEP_COLUMNS)

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

    def flush(self) -> None:
        """Hand everything to the operating system."""
        try:
            csv.writer(self._steps).writerows(self._pending)
            self._pending.clear()
            self._steps.flush()
            self._epochs.flush()
            self._layers.flush()
        except OSError as error:
            raise DiskError(f"{self._steps.name}: can't be written ({error.strerror}).") from error
