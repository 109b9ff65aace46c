"""AdaGrad."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from striate.training._optimizers._device import has_fused

SUM = "sum"


@final
@dataclass(frozen=True, kw_only=True)
class AdaGrad:
    """s ← s + g², w ← w − η·g / (√s + ε); weight_decay·w is added to g (L2)."""

    eps: float
    weight_decay: float

    @property
    def buffers(self) -> tuple[str, ...]:
        """The sum of squared gradients."""
        return (SUM,)

    def update(
        self,
        parameters: list[Tensor],
        gradients: list[Tensor],
        buffers: dict[str, list[Tensor]],
        steps: list[Tensor],
        *,
        rate: float,
        decay: bool,
    ) -> None:
        """Take one step by the fused kernel, or by the foreach one where there is none."""
        kernel = foreach_adagrad
        if has_fused("_fused_adagrad_", parameters[0]):
            kernel = fused_adagrad
        weight_decay = self.weight_decay if decay else 0.0
        kernel(
            parameters,
            gradients,
            buffers[SUM],
            steps,
            rate=rate,
            eps=self.eps,
            weight_decay=weight_decay,
        )


def fused_adagrad(
    parameters: list[Tensor],
    gradients: list[Tensor],
    sums: list[Tensor],
    steps: list[Tensor],
    *,
    rate: float,
    eps: float,
    weight_decay: float,
) -> None:
    """Take one step in place."""
    torch._fused_adagrad_(
        parameters,
        gradients,
        sums,
        steps,
        lr=rate,
        lr_decay=0.0,
        weight_decay=weight_decay,
        eps=eps,
        maximize=False,
    )


def foreach_adagrad(
    parameters: list[Tensor],
    gradients: list[Tensor],
    sums: list[Tensor],
    steps: list[Tensor],  # noqa: ARG001
    *,
    rate: float,
    eps: float,
    weight_decay: float,
) -> None:
    """Take the same step as `fused_adagrad`, on any device."""
    if weight_decay:
        gradients = list(torch._foreach_add(gradients, parameters, alpha=weight_decay))
    torch._foreach_addcmul_(sums, gradients, gradients, 1.0)
    roots = torch._foreach_sqrt(sums)
    torch._foreach_add_(roots, eps)
    torch._foreach_addcdiv_(parameters, gradients, roots, -rate)
