"""RMSprop, plain or with momentum."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

SQUARE, MOMENTUM = "square_avg", "momentum"


@final
@dataclass(frozen=True, kw_only=True)
class RmsProp:
    """v ← α·v + (1 − α)·g², u = g / (√v + ε), b ← μ·b + u, w ← w − η·b; without momentum b = u.

    weight_decay·w is added to g (L2). PyTorch has no fused kernel for it.
    """

    alpha: float
    eps: float
    momentum: float
    weight_decay: float

    @property
    def buffers(self) -> tuple[str, ...]:
        """Running mean of the squared gradient, and the momentum where there is any."""
        return (SQUARE, MOMENTUM) if self.momentum else (SQUARE,)

    def update(
        self,
        parameters: list[Tensor],
        gradients: list[Tensor],
        buffers: dict[str, list[Tensor]],
        steps: list[Tensor],  # noqa: ARG002
        *,
        rate: float,
        decay: bool,
    ) -> None:
        """Take one step by foreach kernels."""
        squares = buffers[SQUARE]
        if decay and self.weight_decay:
            gradients = list(torch._foreach_add(gradients, parameters, alpha=self.weight_decay))
        torch._foreach_mul_(squares, self.alpha)
        torch._foreach_addcmul_(squares, gradients, gradients, 1.0 - self.alpha)
        roots = torch._foreach_sqrt(squares)
        torch._foreach_add_(roots, self.eps)
        if not self.momentum:
            torch._foreach_addcdiv_(parameters, gradients, roots, -rate)
            return
        torch._foreach_mul_(buffers[MOMENTUM], self.momentum)
        torch._foreach_addcdiv_(buffers[MOMENTUM], gradients, roots)
        torch._foreach_add_(parameters, buffers[MOMENTUM], alpha=-rate)
