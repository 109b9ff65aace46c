"""steps.csv and history.csv: written as the run goes on, so that a stopped run keeps them."""

import csv
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from striate.errors import DiskError
from striate.training._events import Epoch

STEP_COLUMNS = ("step", "epoch", "loss", "learning_rate", "gradient_norm")


class Records:
    """The two tables of a run; rows of steps are written an epoch at a time."""

    def __init__(self, folder: Path) -> None:
        self._steps = (folder / "steps.csv").open("w", newline="", encoding="utf-8")
        self._epochs = (folder / "history.csv").open("w", newline="", encoding="utf-8")
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

    def step(self, step: int, epoch: int, loss: float, rate: float, norm: float) -> None:
        """Keep one step's row until the next flush."""
        self._pending.append((step, epoch, f"{loss:.6g}", f"{rate:.6g}", f"{norm:.6g}"))

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
        except OSError as error:
            raise DiskError(f"{self._steps.name}: can't be written ({error.strerror}).") from error
