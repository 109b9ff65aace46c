"""Adam, AMSGrad and AdamW."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from striate.training._optimizers._device import has_fused

FIRST, SECOND, LARGEST = "exp_avg", "exp_avg_sq", "max_exp_avg_sq"


@final
@dataclass(frozen=True, kw_only=True)
class Adam:
    """m ← β1·m + (1 − β1)·g, v ← β2·v + (1 − β2)·g², w ← w − η·m̂ / (√v̂ + ε).

    m̂ = m / (1 − β1^t), v̂ = v / (1 − β2^t), with `amsgrad` the largest v so far. `decoupled` is
    AdamW: w ← w·(1 − η·weight_decay) first; else weight_decay·w is added to g (L2).
    """

    betas: tuple[float, float]
    eps: float
    weight_decay: float
    amsgrad: bool
    decoupled: bool

    @property
    def buffers(self) -> tuple[str, ...]:
        """Running mean of the gradient and of its square, and the largest of the latter."""
        return (FIRST, SECOND, LARGEST) if self.amsgrad else (FIRST, SECOND)

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
        kernel: Callable[..., None] = foreach_adam
        if has_fused("_fused_adam_", parameters[0]):
            kernel = fused_adam
        kernel(
            parameters,
            gradients,
            buffers[FIRST],
            buffers[SECOND],
            buffers.get(LARGEST, []),
            steps,
            rate=rate,
            betas=self.betas,
            eps=self.eps,
            weight_decay=self.weight_decay if decay else 0.0,
            decoupled=self.decoupled,
        )


def fused_adam(
    parameters: list[Tensor],
    gradients: list[Tensor],
    first: list[Tensor],
    second: list[Tensor],
    largest: list[Tensor],
    steps: list[Tensor],
    *,
    rate: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
    decoupled: bool,
) -> None:
    """Take one step in place; AMSGrad where `largest` isn't empty."""
    kernel = torch._fused_adamw_ if decoupled else torch._fused_adam_
    kernel(
        parameters,
        gradients,
        first,
        second,
        largest,
        steps,
        lr=rate,
        beta1=betas[0],
        beta2=betas[1],
        weight_decay=weight_decay,
        eps=eps,
        amsgrad=bool(largest),
        maximize=False,
    )


def foreach_adam(
    parameters: list[Tensor],
    gradients: list[Tensor],
    first: list[Tensor],
    second: list[Tensor],
    largest: list[Tensor],
    steps: list[Tensor],
    *,
    rate: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
    decoupled: bool,
) -> None:
    """Take the same step as `fused_adam`, on any device."""
    if weight_decay and decoupled:
        torch._foreach_mul_(parameters, 1.0 - rate * weight_decay)
    elif weight_decay:
        gradients = list(torch._foreach_add(gradients, parameters, alpha=weight_decay))
    torch._foreach_lerp_(first, gradients, 1.0 - betas[0])
    torch._foreach_mul_(second, betas[1])
    torch._foreach_addcmul_(second, gradients, gradients, 1.0 - betas[1])
    if largest:
        torch._foreach_maximum_(largest, second)
    counts = [step.item() for step in steps]
    roots = torch._foreach_sqrt(largest or second)
    torch._foreach_div_(roots, [(1.0 - betas[1] ** count) ** 0.5 for count in counts])
    torch._foreach_add_(roots, eps)
    sizes = [-rate / (1.0 - betas[0] ** count) for count in counts]
    torch._foreach_addcdiv_(parameters, first, roots, sizes)
