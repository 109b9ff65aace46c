"""Stochastic gradient descent, plain, with momentum or with Nesterov's."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from striate.training._optimizers._device import has_fused

MOMENTUM = "momentum"


@final
@dataclass(frozen=True, kw_only=True)
class Sgd:
    """b ← μ·b + g, w ← w − η·b; Nesterov: w ← w − η·(g + μ·b). weight_decay·w is added to g.

    PyTorch starts with b = g, which is what b = 0 gives after the first step.
    """

    momentum: float
    nesterov: bool
    weight_decay: float

    @property
    def buffers(self) -> tuple[str, ...]:
        """The momentum, where there is any."""
        return (MOMENTUM,) if self.momentum else ()

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
        """Take one step by the fused kernel, or by the foreach one where there is none."""
        kernel = fused_sgd if has_fused("_fused_sgd_", parameters[0]) else foreach_sgd
        kernel(
            parameters,
            gradients,
            buffers.get(MOMENTUM, []),
            rate=rate,
            momentum=self.momentum,
            nesterov=self.nesterov,
            weight_decay=self.weight_decay if decay else 0.0,
        )


def fused_sgd(
    parameters: list[Tensor],
    gradients: list[Tensor],
    momenta: list[Tensor],
    *,
    rate: float,
    momentum: float,
    nesterov: bool,
    weight_decay: float,
) -> None:
    """Take one step in place; without momentum `momenta` is empty."""
    torch._fused_sgd_(
        parameters,
        gradients,
        momenta,
        weight_decay=weight_decay,
        momentum=momentum,
        lr=rate,
        dampening=0.0,
        nesterov=nesterov,
        maximize=False,
        is_first_step=False,
    )


def foreach_sgd(
    parameters: list[Tensor],
    gradients: list[Tensor],
    momenta: list[Tensor],
    *,
    rate: float,
    momentum: float,
    nesterov: bool,
    weight_decay: float,
) -> None:
    """Take the same step as `fused_sgd`, on any device."""
    if weight_decay:
        gradients = list(torch._foreach_add(gradients, parameters, alpha=weight_decay))
    if momenta:
        torch._foreach_mul_(momenta, momentum)
        torch._foreach_add_(momenta, gradients)
        ahead = torch._foreach_add(gradients, momenta, alpha=momentum) if nesterov else momenta
        gradients = list(ahead)
    torch._foreach_add_(parameters, gradients, alpha=-rate)
