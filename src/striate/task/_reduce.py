"""From the losses of samples to the loss of a batch."""

from collections.abc import Callable

import torch
from torch import Tensor

from striate.errors import UsageError
from striate.task._losses import Loss


def per_sample(values: Tensor, count: int) -> Tensor:
    """Return (B,) values; a mean (scalar) stands for each of the `count` samples.

    So the average over all samples of a part is right for a loss that returns means, too.
    """
    return values.expand(count) if values.ndim == 0 else values


def mean(values: Tensor, weights: Tensor | None, divisors: Tensor | None = None) -> Tensor:
    """Return Σ w·l / Σ w·d over the samples; weights w and divisors d are (B,) or None for ones."""
    if values.ndim == 0:
        if weights is not None:
            raise UsageError(
                "A loss of your own must return one value per sample, shape (B,), for samples to "
                "be weighted; it returned their mean."
            )
        return values
    if weights is None and divisors is None:
        return values.mean()
    weights_B = torch.ones_like(values) if weights is None else weights
    divided_B = weights_B if divisors is None else weights_B * divisors
    return (weights_B * values).sum() / divided_B.sum()


def own_loss(function: Callable[[Tensor, Tensor], Tensor]) -> Loss:
    """Return the user's loss with its result checked: a mean, or one value per sample."""

    def checked(logits_BK: Tensor, targets: Tensor) -> Tensor:
        values: object = function(logits_BK, targets)
        if not isinstance(values, Tensor):
            raise UsageError(
                "A loss of your own must return a tensor, the mean or one value per sample; it "
                f"returned {type(values).__name__}."
            )
        if values.ndim and values.shape != (len(logits_BK),):
            raise UsageError(
                "A loss of your own must return the mean (a scalar) or one value per sample, shape "
                f"({len(logits_BK)},); it returned shape {tuple(values.shape)}."
            )
        return values

    return checked
