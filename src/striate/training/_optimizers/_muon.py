"""Muon: momentum whose matrices are made nearly orthogonal before they move the weights."""

from dataclasses import dataclass
from math import sqrt
from typing import final

import torch
from torch import Tensor

MOMENTUM = "momentum"
QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients a, b, c of X ← a·X + (b·A + c·A²)·X, A = X·Xᵀ, chosen for a steep slope at 0."""

ITERATIONS = 5
SMALLEST_NORM = 1e-7


@final
@dataclass(frozen=True, kw_only=True)
class Muon:
    """b ← μ·b + (1 − μ)·g, w ← w·(1 − η·weight_decay) − η·0.2·√max(m, n)·orthogonal(u).

    u = (1 − μ)·g + μ·b with Nesterov, else b. A kernel (out, in, k, k) is the matrix
    (m, n) = (out, in·k·k). The factor 0.2·√max(m, n) gives updates the size of AdamW's, so that
    the same learning rate serves both (torch.optim.Muon calls it "match_rms_adamw").

    With `keep_norm`, as in the record script of cifar10-airbench: w ← w·√m/‖w‖ −
    η·orthogonal(u), without decay. η is then the share by which a step turns the weights; it is
    for networks whose batch norm makes the size of a kernel meaningless.
    """

    momentum: float
    nesterov: bool
    weight_decay: float
    keep_norm: bool = False

    @property
    def buffers(self) -> tuple[str, ...]:
        """The momentum."""
        return (MOMENTUM,)

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
        """Take one step, matrix by matrix."""
        momenta = buffers[MOMENTUM]
        torch._foreach_lerp_(momenta, gradients, 1.0 - self.momentum)
        ahead = torch._foreach_lerp(gradients, momenta, self.momentum) if self.nesterov else momenta
        if decay and self.weight_decay and not self.keep_norm:
            torch._foreach_mul_(parameters, 1.0 - rate * self.weight_decay)
        for parameter, direction in zip(parameters, ahead, strict=True):
            matrix = direction.reshape(len(direction), -1)
            size = rate * 0.2 * sqrt(max(matrix.shape))
            if self.keep_norm:
                size = rate
                parameter.mul_(sqrt(len(matrix)) / parameter.norm().clamp(min=SMALLEST_NORM))
            parameter.sub_(orthogonal(matrix).reshape(direction.shape), alpha=size)


def orthogonal(matrix_MN: Tensor) -> Tensor:
    """Return a matrix (M, N) with the singular vectors of the given one and singular values near 1.

    Five Newton-Schulz steps bring them to 0.7 to 1.2, close enough for training. In bfloat16 on
    CUDA as published; in float32 elsewhere, because many CPUs have no bfloat16 arithmetic.
    """
    a, b, c = QUINTIC
    dtype = torch.bfloat16 if matrix_MN.device.type == "cuda" else torch.float32
    x = matrix_MN.to(dtype)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / x.norm().clamp(min=SMALLEST_NORM)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.T if tall else x).to(matrix_MN.dtype)
