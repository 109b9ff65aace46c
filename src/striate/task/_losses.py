"""The losses as pure functions: logits and targets in, one value per sample out, float32 (B,).

The legend of striate.answer._base holds: logits_BK float32. All of them have finite values and
gradients for any finite logits, because the exponential is never taken of a positive number.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from striate.errors import UsageError

Loss = Callable[[Tensor, Tensor], Tensor]
"""(logits, targets) → (B,) values; a user's own loss may return the mean, a scalar, instead."""


def cross_entropy(
    logits_BK: Tensor,
    targets: Tensor,
    *,
    label_smoothing: float = 0.0,
    class_weights_K: Tensor | None = None,
) -> Tensor:
    """Return −Σ_k w_k·q_k·log softmax(z)_k; see the registry.

    `targets` are class numbers, int64 (B,), or mixed targets: float (B, K) whose rows sum to 1.
    """
    return functional.cross_entropy(
        logits_BK,
        targets,
        weight=class_weights_K,
        label_smoothing=label_smoothing,
        reduction="none",
    )


def nll(logits_BK: Tensor, targets: Tensor, *, class_weights_K: Tensor | None = None) -> Tensor:
    """Return −w_y·log softmax(z)_y: networks give logits, so the log-softmax is taken here."""
    log_p_BK = functional.log_softmax(logits_BK, dim=1)
    if targets.is_floating_point():
        weighted_BK = log_p_BK if class_weights_K is None else log_p_BK * class_weights_K
        return -(targets * weighted_BK).sum(dim=1)
    return functional.nll_loss(log_p_BK, targets, weight=class_weights_K, reduction="none")


def multi_class_hinge(logits_BK: Tensor, targets_B: Tensor) -> Tensor:
    """Return Σ_{k≠y} max(0, 1 − z_y + z_k) / K for class numbers, int64 (B,)."""
    refuse_mixed("multi-class-hinge", targets_B)
    return functional.multi_margin_loss(logits_BK, targets_B, reduction="none")


def binary_cross_entropy(logits_BK: Tensor, targets_BK: Tensor) -> Tensor:
    """Return the binary cross-entropy, averaged over K, for float targets in [0, 1], (B, K)."""
    return functional.binary_cross_entropy_with_logits(
        logits_BK, targets_BK, reduction="none"
    ).mean(dim=1)


def hinge(margin_B: Tensor, targets_B: Tensor) -> Tensor:
    """Return max(0, 1 − t·z), t = 2y − 1, for class numbers 0 and 1, int64 (B,)."""
    refuse_mixed("hinge", targets_B)
    signs_B = 2.0 * targets_B.to(margin_B.dtype) - 1.0
    return torch.clamp(1.0 - signs_B * margin_B, min=0.0)


def mse(values_BT: Tensor, targets_BT: Tensor) -> Tensor:
    """Return the squared error, averaged over T."""
    return functional.mse_loss(values_BT, targets_BT, reduction="none").mean(dim=1)


def mae(values_BT: Tensor, targets_BT: Tensor) -> Tensor:
    """Return the absolute error, averaged over T."""
    return functional.l1_loss(values_BT, targets_BT, reduction="none").mean(dim=1)


def huber(values_BT: Tensor, targets_BT: Tensor, *, delta: float = 1.0) -> Tensor:
    """Return Huber's loss, averaged over T; `delta` in the unit of the values."""
    return functional.huber_loss(values_BT, targets_BT, reduction="none", delta=delta).mean(dim=1)


def refuse_mixed(name: str, targets: Tensor) -> None:
    """Raise UsageError where targets are mixed (float) and the loss wants class numbers."""
    if targets.is_floating_point():
        raise UsageError(
            f"The loss '{name}' takes class numbers, but the targets are mixed between classes. "
            "Use cross-entropy, or train without mixing."
        )
