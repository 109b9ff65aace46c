"""A copy in memory of where a run was, to go back to when a step gives numbers that aren't finite."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from striate.training._checkpoints._network import tensor_of
from striate.training._optimizers import Optimizer
from striate.training._position import Position

if TYPE_CHECKING:
    from striate.training._checkpoints import State

KEPT, MOMENTS = "good", "good-optimizer"
"""In a checkpoint: the copy's parameters and buffers, and its optimizer's state."""


class Snapshot:
    """Parameters, buffers, the optimizer's state and the position, copied when it is made.

    `average` is the network that holds the weights' moving average, if there is one.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: Optimizer,
        at: Position,
        average: nn.Module | None = None,
    ) -> None:
        self.position = deepcopy(at)
        self._optimizer = optimizer
        self._live = {**dict(network.named_parameters()), **dict(network.named_buffers())}
        self._still = {n for n, one in network.named_parameters() if not one.requires_grad}
        if average is not None:
            self._live |= {f"average/{name}": one for name, one in average.named_parameters()}
            self._live |= {f"average/{name}": one for name, one in average.named_buffers()}
            self._still |= {f"average/{name}" for name in self._still}
        self._kept = {name: one.detach().clone() for name, one in self._live.items()}
        self._moments = optimizer.state()  # copies

    def restore(self, at: Position) -> None:
        """Put everything back, into the tensors that are there; only the seconds go on."""
        with torch.no_grad():
            for name, live in self._live.items():
                live.copy_(self._kept[name])
        self._optimizer.load(self._moments)
        seconds = at.seconds, at.epoch_seconds
        for name, value in vars(deepcopy(self.position)).items():
            setattr(at, name, value)
        at.seconds, at.epoch_seconds = seconds

    def saved(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return what a checkpoint holds of it: tensors, and the position as JSON.

        What isn't trained is left out: it is what the network has.
        """
        kept = {
            f"{KEPT}/{name}": one for name, one in self._kept.items() if name not in self._still
        }
        moments = {f"{MOMENTS}/{name}": one for name, one in self._moments.items()}
        return {**kept, **moments}, self.position.to_tree()

    def load(self, state: State) -> None:
        """Become what `saved` returned, where that is in a checkpoint."""
        tree: Mapping[str, Any] | None = state.tree.get("good")
        if tree is None:
            return
        self.position = Position.from_tree(tree)
        for place, held in ((KEPT, self._kept), (MOMENTS, self._moments)):
            for name, one in held.items():
                saved = state.tensors.get(f"{place}/{name}")
                if saved is not None:
                    one.copy_(tensor_of(saved, one.dtype))
