"""Where a run is: all that it needs to go on beside weights and the optimizer's state."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from striate.training._probe import LayerState


@dataclass(kw_only=True)
class Position:
    """Counters and sums of a run, changed as it goes on.

    Attributes:
        step: steps done.
        epoch: the epoch under way, from 1.
        batches: batches of it that are done.
        images: pictures in these.
        total: sum over these pictures of the loss.
        seen: pictures of all epochs.
        validations: the row of every epoch done; {} without a validation part.
        best_epoch: the best of them; 0: none yet.
        states: (epoch, its layers at the first step).
        rate_factor: what every learning rate is multiplied by: below 1 after a step that gave
            numbers that aren't finite.
        seconds: that the run has trained, all its processes together.
        epoch_seconds: of them, those of the epoch under way.
    """

    step: int = 0
    epoch: int = 1
    batches: int = 0
    images: int = 0
    total: float = 0.0
    seen: int = 0
    validations: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    states: list[tuple[int, list[LayerState]]] = field(default_factory=list)
    rate_factor: float = 1.0
    seconds: float = 0.0
    epoch_seconds: float = 0.0

    def next_epoch(self) -> None:
        """Begin the next epoch."""
        self.epoch += 1
        self.batches = self.images = 0
        self.total = self.epoch_seconds = 0.0

    def to_tree(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @classmethod
    def from_tree(cls, tree: Mapping[str, Any]) -> Self:
        """Return what `to_tree` was made from."""
        states = [
            (epoch, [LayerState(**one) for one in layers]) for epoch, layers in tree["states"]
        ]
        return cls(**{**tree, "states": states})
