"""Every picture to one size: cut, stretch or pad, with the matrix of what was done."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from striate.image._channels import to_array, to_channels, to_image, to_mode, to_plane
from striate.image._shape import Shape

if TYPE_CHECKING:
    from PIL.Image import Image

_Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Upright:
    """A decoded picture.

    Attributes:
        image: Pillow's, mode L or RGB, upright.
        height, width: the upright file's, in pixels.
        factor: pixels of the file, along each axis, that one pixel of `image` stands for.
        corner: (x, y) in `image` of the file's upper left corner; more than 0 where the last
            column or row, shrunk from fewer pixels, is now the first.
        notes: what is odd about the file, a phrase each.
    """

    image: "Image"
    height: int
    width: int
    factor: int = 1
    corner: tuple[float, float] = (0.0, 0.0)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Placement:
    """`box` (left, top, right, bottom) of the file's picture fills `size` (width, height) of the
    fitted one, whose upper left corner is put at `corner` (x, y)."""

    box: _Box
    size: tuple[int, int]
    corner: tuple[int, int]


def fit(picture_HWC: npt.NDArray[np.uint8], shape: Shape) -> npt.NDArray[np.uint8]:
    """Return a picture, uint8 (H, W, 1 or 3), as uint8 (shape.height, shape.width, shape.channels).

    Resized once by Pillow, antialiased where it shrinks. A picture of the right size keeps its
    pixels untouched. Where the shape has a margin, it is `fit` to `shape.wide` without the margin.
    """
    height, width, channels = picture_HWC.shape
    wide = shape.wide
    if (height, width, channels) == (wide.height, wide.width, shape.channels):
        return _without_margin(picture_HWC, shape)
    upright = Upright(image=to_image(picture_HWC), height=height, width=width)
    return fit_upright(upright, shape)


def fit_upright(upright: Upright, shape: Shape) -> npt.NDArray[np.uint8]:
    """Return what `fit` does, from Pillow's picture, and from one that was shrunk in decoding."""
    image = upright.image
    if shape.plane:
        image = to_plane(image, shape.plane)
    elif len(image.getbands()) > shape.channels:
        image = to_mode(image, shape.channels)
    wide = shape.wide
    if image.size == (wide.width, wide.height) and upright.factor == 1:
        fitted = to_array(image)
    else:
        fitted = _resized(image, _place(upright.height, upright.width, wide), wide, upright)
    return _without_margin(to_channels(fitted, shape.channels), shape)


def shrinking(height: int, width: int, shape: Shape) -> float:
    """Return how many pixels of an upright picture, at least, become one: along the axis where
    they are fewer. Below 1 where it grows."""
    place = _place(height, width, shape.wide)
    across, down = (place.box[axis + 2] - place.box[axis] for axis in (0, 1))
    return min(across / place.size[0], down / place.size[1])


def fit_matrix(height: int, width: int, shape: Shape) -> npt.NDArray[np.float64]:
    """Return the (2, 3) matrix that takes (x, y, 1) in the upright picture to `fit`'s.

    x counts columns, y rows, from 0, and whole numbers are the centres of pixels: the picture's
    area is -0.5 to width - 0.5 by -0.5 to height - 0.5. Points that "crop" cuts off land outside.
    """
    return _matrix(height, width, shape).copy()


@lru_cache
def _matrix(height: int, width: int, shape: Shape) -> npt.NDArray[np.float64]:
    # Small pictures of one size are many: working it out takes longer than decoding one.
    place = _place(height, width, shape.wide)
    matrix = np.zeros((2, 3))
    for axis in (0, 1):
        low, high = place.box[axis], place.box[axis + 2]
        scale = place.size[axis] / (high - low)
        matrix[axis, axis] = scale
        matrix[axis, 2] = place.corner[axis] + (0.5 - low) * scale - 0.5 - shape.margin
    return matrix


def _resized(
    image: "Image", place: _Placement, wide: Shape, upright: Upright
) -> npt.NDArray[np.uint8]:
    from PIL.Image import Resampling

    method = {"bilinear": Resampling.BILINEAR, "bicubic": Resampling.BICUBIC}[wide.interpolation]
    box = _seen_in(upright, place.box)
    resized = to_array(image.resize(place.size, method, box=box, reducing_gap=None))
    if place.size == (wide.width, wide.height):
        return resized
    padded = np.zeros((wide.height, wide.width, resized.shape[2]), np.uint8)
    x, y = place.corner
    padded[y : y + place.size[1], x : x + place.size[0]] = resized
    return padded


def _seen_in(upright: Upright, box: _Box) -> _Box:
    """Return a box of the upright file's picture in pixels of the decoded one."""
    left, top = upright.corner
    shrunk = [side / upright.factor for side in box]
    return left + shrunk[0], top + shrunk[1], left + shrunk[2], top + shrunk[3]


def _without_margin(wide_HWC: npt.NDArray[np.uint8], shape: Shape) -> npt.NDArray[np.uint8]:
    if not shape.margin:
        return wide_HWC
    cut = slice(shape.margin, -shape.margin)
    return wide_HWC[cut, cut]


@lru_cache
def _place(height: int, width: int, shape: Shape) -> _Placement:
    if shape.rule == "crop":
        return _crop(height, width, shape)
    if shape.rule == "pad":
        return _pad(height, width, shape)
    return _Placement((0, 0, width, height), (shape.width, shape.height), (0, 0))


def _crop(height: int, width: int, shape: Shape) -> _Placement:
    # The largest centred part with the target's aspect: the same as resizing until the picture
    # just covers the target and cutting its centre, without the rounding between.
    scale = min(height / shape.height, width / shape.width)
    part_width, part_height = shape.width * scale, shape.height * scale
    left, top = max(0.0, (width - part_width) / 2), max(0.0, (height - part_height) / 2)
    right, bottom = min(float(width), left + part_width), min(float(height), top + part_height)
    return _Placement((left, top, right, bottom), (shape.width, shape.height), (0, 0))


def _pad(height: int, width: int, shape: Shape) -> _Placement:
    scale = min(shape.height / height, shape.width / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    corner = ((shape.width - size[0]) // 2, (shape.height - size[1]) // 2)
    return _Placement((0, 0, width, height), size, corner)
