"""Mixup and cutmix: pictures of a batch mixed in pairs, and the loss of both their targets."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from striate.errors import UsageError
from striate.training._settings import AugmentationSettings

Box = tuple[int, int, int, int]
"""Top, bottom, left, right: rows top to bottom - 1, columns left to right - 1."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """How one batch is mixed.

    Attributes:
        share: λ, 0 to 1: what a picture keeps of itself; the rest is its partner's.
        partner_B: int64 (B,), a permutation: the position of each picture's partner.
        box: the part of every picture that is its partner's (cutmix); None: all pixels are mixed.
    """

    share: float
    partner_B: Tensor
    box: Box | None = None

    def pictures(self, pictures_BCHW: Tensor) -> Tensor:
        """Return new pictures, mixed: same shape, type, device and order in memory."""
        partner_B = self.partner_B.to(pictures_BCHW.device)
        mixed_BCHW = pictures_BCHW.clone()
        if self.box is None:
            # Added in place: the sum of two tensors may forget channels_last.
            return mixed_BCHW.mul_(self.share).add_(pictures_BCHW[partner_B], alpha=1 - self.share)
        top, bottom, left, right = self.box
        patch_BChw = pictures_BCHW[:, :, top:bottom, left:right]
        mixed_BCHW[:, :, top:bottom, left:right] = patch_BChw[partner_B]
        return mixed_BCHW

    def loss(
        self, loss: Callable[[Tensor, Tensor], Tensor], logits_BK: Tensor, targets: Tensor
    ) -> Tensor:
        """Return λ · loss(logits, targets) + (1 − λ) · loss(logits, partners' targets), a scalar.

        For losses that are linear in the target, such as cross-entropy, that is the loss of the
        mixed target; with the squared error it has that loss's gradient. It is right for any
        other, whatever kind of target it takes.
        """
        own = loss(logits_BK, targets)
        others = loss(logits_BK, targets[self.partner_B.to(targets.device)])
        return self.share * own + (1 - self.share) * others


@dataclass(frozen=True, kw_only=True)
class Mixing:
    """Mixes the pictures of a batch in pairs; a pure function of the seed and the step.

    One λ for a batch, from Beta(α, α): near 0 or 1 for a small α, evenly spread for 1, near ½ for
    a large one. Where both are on, a fair coin decides for each batch.

    Attributes:
        mixup: α of mixup, λ·x + (1 − λ)·x' (Zhang et al. 2017, arXiv:1710.09412); 0: off.
        cutmix: α of cutmix: a box of the share 1 − λ of the area comes from x', its centre
            anywhere in the picture; what lies outside is cut off, and λ becomes the share of area
            that is left of x (Yun et al. 2019, arXiv:1905.04899); 0: off.
        seed: 0 to 2^63 − 1.
    """

    mixup: float = 0.0
    cutmix: float = 0.0
    seed: int = 0

    def mixture(self, step: int, *, pictures: int, height: int, width: int) -> Mixture:
        """Return how a step's batch of that many pictures of that size is mixed."""
        key = np.array([self.seed, step], np.uint64)
        draws = np.random.Generator(np.random.Philox(key=key))
        # All numbers are drawn in any case and the permutation last: the share and the box don't
        # depend on the size of the batch.
        coin, row, column = draws.random(3)
        cut = bool(self.cutmix) and (not self.mixup or coin < 0.5)
        alpha = self.cutmix if cut else self.mixup
        share = float(draws.beta(alpha, alpha))
        partner_B = torch.from_numpy(draws.permutation(pictures))
        if not cut:
            return Mixture(share=share, partner_B=partner_B)
        top, bottom = _span(height, 1 - share, row)
        left, right = _span(width, 1 - share, column)
        share = 1 - (bottom - top) * (right - left) / (height * width)
        return Mixture(share=share, partner_B=partner_B, box=(top, bottom, left, right))


def make_mixing(settings: AugmentationSettings, *, task: str, seed: int) -> Mixing | None:
    """Return the mixing that the settings ask for, None where mixup and cutmix are 0 or None.

    Under regression mixup mixes the losses of both targets, as it does everywhere.

    Raises:
        UsageError: cutmix under regression.
    """
    mixup, cutmix = settings.mixup or 0.0, settings.cutmix or 0.0
    if cutmix and task == "regression":
        raise UsageError(
            f"augmentation.cutmix is {cutmix:g}, but the task is regression: cutmix takes a target "
            "for a share of the picture's area, which a number isn't. Set it to 0; "
            "augmentation.mixup works with numbers."
        )
    return Mixing(mixup=mixup, cutmix=cutmix, seed=seed) if mixup or cutmix else None


def _span(side: int, area: float, place: float) -> tuple[int, int]:
    """Return start and end of a box's side, √area of the picture's, around a place in [0, 1)."""
    length = round(side * area**0.5)
    start = int(place * side) - length // 2
    return max(0, start), min(side, start + length)
