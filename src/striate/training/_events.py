"""What a run tells while it goes on: the command line prints it, programs may listen too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step just done.

    Attributes:
        epoch, epochs: this epoch (from 1) and how many there are at most.
        index, steps: this step within its epoch (from 1) and how many an epoch has.
        loss: mean loss of the step's batch, weights moving, augmentation and dropout on.
        images_per_second: of this epoch so far.
        seconds_left: estimate to the end of the last epoch.
    """

    epoch: int
    epochs: int
    index: int
    steps: int
    loss: float
    images_per_second: float
    seconds_left: float


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One epoch just done: the row of history.csv, and the time left.

    Attributes:
        running_loss: mean over the epoch's samples of the loss while weights moved.
        validation: loss and metrics of the validation part in evaluation mode; {} without one.
        best: whether it is the best so far.
        seconds: of the whole epoch, validation included.
        images_per_second: pictures trained on, per second of the whole epoch.
        waiting: share, 0 to 1, of the epoch's training (validation left out) in which the next
            batch wasn't there yet.
    """

    epoch: int
    epochs: int
    step: int
    learning_rate: float
    running_loss: float
    validation: dict[str, float]
    metric: str
    best: bool
    seconds: float
    images_per_second: float
    waiting: float
    seconds_left: float


class Listener(Protocol):
    """Receives what a run tells; every method must return quickly."""

    def found(self, facts: Sequence[tuple[str, str, str]]) -> None:
        """Receive (name, value, reason) of what was found and chosen, before training."""
        ...

    def warn(self, sentence: str) -> None:
        """Receive one thing that is odd."""
        ...

    def progress(self, what: str, done: int, total: int) -> None:
        """Receive how far a longer piece of work before or after training is."""
        ...

    def step(self, step: Step) -> None:
        """Receive one step."""
        ...

    def epoch(self, epoch: Epoch) -> None:
        """Receive one epoch."""
        ...

    def say(self, sentence: str) -> None:
        """Receive a line for the user."""
        ...


class Silent:
    """A listener that drops everything."""

    def found(self, facts: Sequence[tuple[str, str, str]]) -> None:
        """Drop it."""

    def warn(self, sentence: str) -> None:
        """Drop it."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Drop it."""

    def step(self, step: Step) -> None:
        """Drop it."""

    def epoch(self, epoch: Epoch) -> None:
        """Drop it."""

    def say(self, sentence: str) -> None:
        """Drop it."""
