"""The changes that a model's answers are held against: each family, its strengths and its pixels."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
import numpy.typing as npt

from striate.data._augmentation import Augmentation
from striate.data._geometry import from_wide, opencv, warp
from striate.data._moves import matrices_of
from striate.image import Shape

Pixels = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.uint64]
Strength = float | str

FILL = "nearest"
"""What is seen beyond a picture's edges; what the model was trained with isn't known."""

_FILLED = Augmentation(fill=FILL)
_FLIPS = {"none": (1.0, 1.0), "horizontal": (-1.0, 1.0), "vertical": (1.0, -1.0)} | {
    "both": (-1.0, -1.0)
}
# Right, up, left, down, as x and y.
_DIRECTIONS = np.array([[1.0, 0.0], [0.0, -1.0], [-1.0, 0.0], [0.0, 1.0]])


@dataclass(frozen=True)
class Batch:
    """Pictures before a change.

    Attributes:
        pictures_BHWC: uint8, the size of `shape.wide`.
        ids: (B,) uint64, the samples' identities: what differs from picture to picture (the
            direction of a shift, the noise) follows from them alone.
        shape: the network's size.
    """

    pictures_BHWC: Pixels
    ids: Ids
    shape: Shape

    @property
    def seen_BHWC(self) -> Pixels:
        """The pictures as the network sees them: without the margin."""
        margin = self.shape.margin
        inside = slice(margin, -margin or None)
        return np.ascontiguousarray(self.pictures_BHWC[:, inside, inside])


@dataclass(frozen=True, kw_only=True)
class Family:
    """One kind of change.

    Attributes:
        name: for example "rotation".
        unit: of its strengths, in words; "" where they are words themselves.
        unchanged: the strength at which nothing is changed.
        strengths: all others, in order.
        change: a batch and a strength → the changed pictures, the network's size.
    """

    name: str
    unit: str
    unchanged: Strength
    strengths: tuple[Strength, ...]
    change: Callable[[Batch, Strength], Pixels]

    def ordered(self) -> tuple[Strength, ...]:
        """Return all strengths with the unchanged one in its place."""
        numbers = [each for each in self.strengths if isinstance(each, float)]
        if not isinstance(self.unchanged, float):
            return (self.unchanged, *self.strengths)
        return tuple(sorted([*numbers, self.unchanged]))


def _shift(batch: Batch, strength: Strength) -> Pixels:
    sides = np.array([batch.shape.width, batch.shape.height])
    directions = _DIRECTIONS[(batch.ids % np.uint64(4)).astype(np.int64)]
    return _moved(batch, shift=float(strength) * sides * directions)


def _rotate(batch: Batch, strength: Strength) -> Pixels:
    return _moved(batch, rotation=float(strength))


def _scale(batch: Batch, strength: Strength) -> Pixels:
    return _moved(batch, zoom=(float(strength), float(strength)))


def _flip(batch: Batch, strength: Strength) -> Pixels:
    return _moved(batch, zoom=_FLIPS[str(strength)])


def _moved(
    batch: Batch,
    *,
    rotation: float = 0.0,
    zoom: tuple[float, float] = (1.0, 1.0),
    shift: npt.ArrayLike = (0.0, 0.0),
) -> Pixels:
    shape, margin = batch.shape, batch.shape.margin
    matrices = matrices_of(
        height=shape.height, width=shape.width, rotation=rotation, zoom=zoom, shift=shift
    )
    moved = np.empty(
        (len(batch.ids), shape.height, shape.width, shape.channels), batch.pictures_BHWC.dtype
    )
    each = np.broadcast_to(from_wide(matrices, margin), (len(batch.ids), 2, 3))
    warp(batch.pictures_BHWC, each, _FILLED, moved)
    return moved


def _brighten(batch: Batch, strength: Strength) -> Pixels:
    # 256 grey levels: a table is the whole arithmetic.
    levels = np.clip(np.rint(np.arange(256) * float(strength)), 0, 255).astype(np.uint8)
    lit: Pixels = levels[batch.seen_BHWC]
    return lit


def _blur(batch: Batch, strength: Strength) -> Pixels:
    cv2 = opencv()
    sigma = float(strength)
    side = 2 * ceil(3 * sigma) + 1  # as augmentation's: three deviations to either side
    blurred = np.empty_like(batch.pictures_BHWC)
    for picture, out in zip(batch.pictures_BHWC, blurred):
        cv2.GaussianBlur(picture, (side, side), sigma, dst=out, borderType=cv2.BORDER_REPLICATE)
    return replace(batch, pictures_BHWC=blurred).seen_BHWC


def _disturb(batch: Batch, strength: Strength) -> Pixels:
    deviation = 255 * float(strength)
    noisy = np.empty_like(batch.seen_BHWC)
    for picture, out, sample in zip(batch.seen_BHWC, noisy, batch.ids.tolist()):
        # The same noise at every strength, only stronger: curves don't jump by chance.
        drawn = np.random.default_rng(sample).standard_normal(picture.shape, np.float32)
        out[...] = np.clip(np.rint(picture + deviation * drawn), 0, 255)
    return noisy


FAMILIES = (
    Family(
        name="shift",
        unit="fraction of the side",
        unchanged=0.0,
        strengths=(0.05, 0.1, 0.15, 0.2, 0.3),
        change=_shift,
    ),
    Family(
        name="rotation",
        unit="degrees, counter-clockwise",
        unchanged=0.0,
        strengths=(
            *(-135.0, -90.0, -60.0, -30.0, -15.0),
            *(15.0, 30.0, 60.0, 90.0, 135.0, 180.0),
        ),
        change=_rotate,
    ),
    Family(
        name="scale",
        unit="factor",
        unchanged=1.0,
        strengths=(0.5, 0.6, 0.7, 0.8, 0.9, 1.1, 1.25, 1.5, 2.0),
        change=_scale,
    ),
    Family(
        name="flip",
        unit="",
        unchanged="none",
        strengths=("horizontal", "vertical", "both"),
        change=_flip,
    ),
    Family(
        name="brightness",
        unit="factor",
        unchanged=1.0,
        strengths=(0.25, 0.5, 0.75, 1.25, 1.5, 2.0),
        change=_brighten,
    ),
    Family(
        name="blur",
        unit="deviation in pixels",
        unchanged=0.0,
        strengths=(0.5, 1.0, 1.5, 2.0, 3.0),
        change=_blur,
    ),
    Family(
        name="noise",
        unit="deviation as a fraction of 255",
        unchanged=0.0,
        strengths=(0.02, 0.05, 0.1, 0.2, 0.3),
        change=_disturb,
    ),
)
