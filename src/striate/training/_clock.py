"""Time: how long a run has trained and waited, and how long it will take yet."""

from collections.abc import Iterable, Iterator
from math import ceil
from time import perf_counter

from striate.data import AnyBatch
from striate.training._events import Epoch, Step
from striate.training._position import Position


class Clock:
    """Keeps the seconds of a position, and makes what listeners are told.

    Args:
        at: where the run is; its seconds are kept up to date.
        epochs: of the whole run.
        samples, steps: pictures and batches of an epoch.
    """

    def __init__(self, at: Position, *, epochs: int, samples: int, steps: int) -> None:
        self._at, self._epochs, self._samples, self._steps = at, epochs, samples, steps
        self._all = float(epochs * samples)
        self._last = perf_counter()
        self._begun = 0.0
        self._waited = self._waiting = 0.0

    def start_epoch(self) -> None:
        """Begin an epoch, or what is left of it."""
        self._waited = 0.0
        self._last = perf_counter()
        self._begun = self._at.epoch_seconds

    def lasts(self, steps: int) -> None:
        """Take note that the whole run has so many steps: its last epoch may be shorter."""
        self._epochs = ceil(steps / self._steps)
        self._all = self._samples * steps / self._steps

    def tick(self) -> None:
        """Add the time since the last tick to the position's."""
        now = perf_counter()
        self._at.seconds += now - self._last
        self._at.epoch_seconds += now - self._last
        self._last = now

    def waited_for(self, batches: Iterable[AnyBatch]) -> Iterator[AnyBatch]:
        """Yield the batches; the time until each is there counts as waiting."""
        coming = iter(batches)
        while True:
            asked = perf_counter()
            batch = next(coming, None)
            self._waited += perf_counter() - asked
            if batch is None:
                return
            yield batch

    def end_steps(self) -> None:
        """End the part of an epoch that trains; what comes is validation."""
        self.tick()
        self._waiting = self._waited / max(1e-9, self._at.epoch_seconds - self._begun)

    def told(self, loss: float) -> Step:
        """Return the step just done."""
        return Step(
            epoch=self._at.epoch,
            epochs=self._epochs,
            index=self._at.batches,
            steps=self._steps,
            loss=loss,
            images_per_second=self._images_per_second(),
            seconds_left=self._seconds_left(),
        )

    def epoch(self, row: dict[str, float], *, rate: float, metric: str, best: bool) -> Epoch:
        """Return the epoch just done; `row` is its validation."""
        self.tick()
        at = self._at
        return Epoch(
            epoch=at.epoch,
            epochs=self._epochs,
            step=at.step,
            learning_rate=rate,
            running_loss=at.total / max(1, at.images),
            validation=row,
            metric=metric,
            best=best,
            seconds=at.epoch_seconds,
            waiting=self._waiting,
            images_per_second=self._images_per_second(),
            seconds_left=self._seconds_left(),
        )

    def _images_per_second(self) -> float:
        return self._at.images / max(1e-9, self._at.epoch_seconds)

    def _seconds_left(self) -> float:
        """Extrapolate from all that is done, validation included."""
        left = max(0.0, self._all - self._at.seen)
        return self._at.seconds / max(1, self._at.seen) * left
