"""A picture file to the one size of a model: what training, prediction and checks all call."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from striate.image._decode import MAX_PIXELS, read_upright
from striate.image._fit import fit, fit_matrix, fit_upright
from striate.image._shape import Shape


class Fitted(NamedTuple):
    """A picture at a model's size.

    Attributes:
        picture_HWC: uint8 (shape.height, shape.width, shape.channels).
        matrix: float64 (2, 3), from (x, y, 1) in the upright file to the picture (`fit_matrix`).
        notes: what is odd about the file but doesn't keep it from being read, a phrase each.
    """

    picture_HWC: npt.NDArray[np.uint8]
    matrix: npt.NDArray[np.float64]
    notes: tuple[str, ...] = ()


def load(data: bytes | Path, shape: Shape, *, name: str, max_pixels: int = MAX_PIXELS) -> Fitted:
    """Return a picture file, decoded (`decode`) and brought to a size (`fit`).

    A JPEG that is much larger than the shape needs is decoded at a half, a quarter or an eighth of
    its size, at least twice what is needed, and resized from there: several times faster, and on
    photographs within 2 grey levels on average of doing it whole.

    Args:
        data: the file, or its bytes.
        shape: the size.
        name: what the user calls the picture, for messages.
        max_pixels: a file that declares more is refused before anything is decoded. A JPEG may
            declare up to 100 million where it is decoded smaller, to at most `max_pixels`, and
            can be read row by row (one scan; not progressive).

    Raises:
        PictureError: the picture can't be read; its `reason` says why.
    """
    channels = 3 if shape.plane else shape.channels
    upright = read_upright(
        data,
        name=name,
        channels=channels,
        max_pixels=max_pixels,
        background=shape.background,
        shape=shape,
    )
    matrix = fit_matrix(upright.height, upright.width, shape)
    return Fitted(fit_upright(upright, shape), matrix, upright.notes)


def fit_array(picture_HWC: npt.NDArray[np.uint8], shape: Shape) -> Fitted:
    """Return an array of pixels, uint8 (H, W, 1 or 3), brought to a size."""
    height, width = picture_HWC.shape[:2]
    return Fitted(fit(picture_HWC, shape), fit_matrix(height, width, shape))
