"""What an optimizer is to the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Group:
    """Parameters that are treated alike.

    Attributes:
        parameters: on their device and in their memory format already, each in one group only.
        rate: what the step's learning rate is multiplied by.
        decay: False leaves the weight decay out (biases, batch norm).
        head: True keeps muon's orthogonal updates away; other optimizers ignore it.
    """

    parameters: Sequence[Tensor]
    rate: float = 1.0
    decay: bool = True
    head: bool = False


class Optimizer(Protocol):
    """Parameters with what the optimizer remembers of them."""

    @property
    def parameters(self) -> Sequence[Tensor]:
        """All parameters, in the order in which `state` numbers them."""
        ...

    def step(self, learning_rate: float) -> None:
        """Move every parameter that has a gradient; the others and their state stay as they are."""
        ...

    def zero_grad(self) -> None:
        """Drop all gradients (set them to None)."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Return copies of all state, row-major, named "<what>.<parameter's number>".

        Parameters are numbered through all groups from 0; "step.<number>" counts its updates.
        """
        ...

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` returned; raise UsageError where it doesn't fit."""
        ...
