"""Whether what training changes is finite."""

import math

import torch
from torch import nn


class Finite:
    """A network's trained parameters and, unless told else, its buffers: looked at after every step.

    A loss need not show a number that isn't finite: ReLU makes 0 of what one −∞ spoils, and batch
    norm's running figures count in evaluation only.
    """

    def __init__(self, network: nn.Module, *, buffers: bool = True) -> None:
        named: dict[str, torch.Tensor] = {
            name: one for name, one in network.named_parameters() if one.requires_grad
        }
        if buffers:
            named |= dict(network.named_buffers())
        self._named = {name: one.detach() for name, one in named.items() if one.is_floating_point()}
        self._tensors = list(self._named.values())

    def first_wrong(self) -> str:
        """Return the name of the first tensor that isn't finite all through; "" where all are."""
        if not self._tensors:
            return ""
        norms = torch.stack([one.float() for one in torch._foreach_norm(self._tensors)])
        if math.isfinite(torch.linalg.vector_norm(norms).item()):
            return ""
        # A norm may overflow where no number has: only now is it worth looking at each.
        wrong = (name for name, one in self._named.items() if not bool(one.isfinite().all()))
        return next(wrong, "")
