"""The size of gradients."""

from collections.abc import Iterable

import torch
from torch import nn


def gradient_norm(parameters: Iterable[nn.Parameter]) -> float | None:
    """Return the Euclidean norm of all gradients together; None where there is no gradient."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return None
    norms = torch.stack(list(torch._foreach_norm(gradients)))
    norm: float = torch.linalg.vector_norm(norms).item()
    return norm
