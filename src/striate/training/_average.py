"""A moving average of the weights, which is judged and shipped instead of the newest ones."""

from collections.abc import Mapping
from copy import deepcopy

import torch
from torch import Tensor, nn

from striate.errors import NetworkError


class Average:
    """An exponential moving average (EMA): after each step, a ← d·a + (1 − d)·w.

    d is the smaller of `decay` and (1 + t)/(10 + t), where t counts the steps before, from 0: so the
    random start has left after a few steps, however near 1 the decay is. t is the run's own count
    of steps, so nothing but the weights has to be kept.

    Parameters are averaged, and buffers of floats as well: batch norm's running figures then belong
    to weights as old as the averaged ones are, where the newest figures would be those of weights
    that nobody judges. Buffers of integers, and those that `state_dict` leaves out, are copied.

    Args:
        network: as it is before the step that comes next; a copy of it holds the average.
        decay: between 0 and 1.
        saved: name → tensor, what `weights` has given: goes on from there; {}: begins.

    Raises:
        NetworkError: the network can't be copied.
    """

    def __init__(self, network: nn.Module, decay: float, saved: Mapping[str, Tensor]) -> None:
        self._decay = decay
        try:
            self.network = deepcopy(network).eval().requires_grad_(False)
        except (RuntimeError, TypeError) as error:
            raise NetworkError(
                "training.average keeps a copy of the network, but this one can't be copied "
                f"({error}). Leave training.average out, or make the module work with copy.deepcopy."
            ) from error
        kept = set(self.network.state_dict())
        live = {**dict(network.named_parameters()), **dict(network.named_buffers())}
        own = {**dict(self.network.named_parameters()), **dict(self.network.named_buffers())}
        still = {name for name, one in network.named_parameters() if not one.requires_grad}
        averaged = [n for n in live if n in kept - still and live[n].is_floating_point()]
        copied = [name for name in live if name not in {*averaged, *still}]
        self._averaged = [own[name] for name in averaged], [live[name] for name in averaged]
        self._copied = [own[name] for name in copied], [live[name] for name in copied]
        self.weights = {name: one for name, one in own.items() if name in kept}
        for name, one in saved.items():
            self.weights[name].copy_(one)

    def update(self, step: int) -> None:
        """Take in the weights that a step, counted from 0, has just left."""
        decay = min(self._decay, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(*self._averaged, 1 - decay)
            if self._copied[0]:
                torch._foreach_copy_(*self._copied)
