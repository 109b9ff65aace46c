"""A copy in memory of where a run was, to go back to when a step gives numbers that aren't finite."""

from copy import deepcopy

import torch
from torch import nn

from striate.training._optimizers import Optimizer
from striate.training._position import Position


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
        networks = [network] if average is None else [network, average]
        self._live = [one for net in networks for one in (*net.parameters(), *net.buffers())]
        self._kept = [one.detach().clone() for one in self._live]
        self._moments = optimizer.state()  # copies

    def restore(self, at: Position) -> None:
        """Put everything back, into the tensors that are there; only the seconds go on."""
        with torch.no_grad():
            for live, kept in zip(self._live, self._kept, strict=True):
                live.copy_(kept)
        self._optimizer.load(self._moments)
        seconds = at.seconds, at.epoch_seconds
        for name, value in vars(deepcopy(self.position)).items():
            setattr(at, name, value)
        at.seconds, at.epoch_seconds = seconds
