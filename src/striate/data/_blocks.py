"""Many pictures of one size resized in two calls: for small ones, calls cost more than pixels."""

import numpy as np
import numpy.typing as npt

from striate.image import Shape, fit

_BYTES = 1 << 21


def fits_whole(height: int, width: int, shape: Shape) -> bool:
    """Return True where `fit` neither cuts nor pads a picture, so that `fit_block` does the same."""
    whole = shape.rule == "squash" or height * shape.width == width * shape.height
    return whole and not shape.plane


def block_length(height: int, width: int, shape: Shape) -> int:
    """Return how many pictures to give to `fit_block` at once: about 2 MB of pixels, 512 at most."""
    largest = max(height, shape.height) * max(width, shape.width) * 3
    return min(512, max(1, _BYTES // largest))


def fit_block(pictures_NHWC: npt.NDArray[np.uint8], shape: Shape) -> npt.NDArray[np.uint8]:
    """Return what `fit` returns for each picture: uint8 (N, shape.height, shape.width, channels).

    Pillow resizes along rows, rounds, then along columns. Pictures that stand below each other
    don't mix in the first pass, nor those that stand side by side in the second.
    """
    number, height, width, channels = pictures_NHWC.shape
    column = pictures_NHWC.reshape(number * height, width, channels)
    fewer = min(channels, shape.channels)
    rows = fit(column, _squash(number * height, shape.width, fewer, shape))
    beside = rows.reshape(number, height, shape.width, fewer).swapaxes(0, 1)
    row = beside.reshape(height, number * shape.width, fewer)
    fitted = fit(row, _squash(shape.height, number * shape.width, shape.channels, shape))
    return fitted.reshape(shape.height, number, shape.width, shape.channels).swapaxes(0, 1)


def _squash(height: int, width: int, channels: int, shape: Shape) -> Shape:
    return Shape(
        height=height,
        width=width,
        channels=channels,
        rule="squash",
        interpolation=shape.interpolation,
    )
