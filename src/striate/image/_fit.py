"""Every picture to one size: cut, stretch or pad, with the matrix of what was done."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from striate.image._channels import to_array, to_channels, to_image, to_plane
from striate.image._shape import Shape


@dataclass(frozen=True)
class _Placement:
    """`box` (left, top, right, bottom) of the file's picture fills `size` (width, height) of the
    fitted one, whose upper left corner is put at `corner` (x, y)."""

    box: tuple[float, float, float, float]
    size: tuple[int, int]
    corner: tuple[int, int]


def fit(picture_HWC: npt.NDArray[np.uint8], shape: Shape) -> npt.NDArray[np.uint8]:
    """Return a picture, uint8 (H, W, 1 or 3), as uint8 (shape.height, shape.width, shape.channels).

    Resized once by Pillow, antialiased where it shrinks. A picture of the right size keeps its
    pixels untouched. Where the shape has a margin, it is `fit` to `shape.wide` without the margin.
    """
    if shape.margin:
        cut = slice(shape.margin, -shape.margin)
        return fit(picture_HWC, shape.wide)[cut, cut]
    height, width, channels = picture_HWC.shape
    if shape.plane:
        picture_HWC = to_plane(picture_HWC, shape.plane)
    elif channels > shape.channels:
        picture_HWC = to_channels(picture_HWC, shape.channels)
    if (height, width) != (shape.height, shape.width):
        picture_HWC = _resized(picture_HWC, _place(height, width, shape), shape)
    return to_channels(picture_HWC, shape.channels)


def fit_matrix(height: int, width: int, shape: Shape) -> npt.NDArray[np.float64]:
    """Return the (2, 3) matrix that takes (x, y, 1) in the upright picture to `fit`'s.

    x counts columns, y rows, from 0, and whole numbers are the centres of pixels: the picture's
    area is -0.5 to width - 0.5 by -0.5 to height - 0.5. Points that "crop" cuts off land outside.
    """
    place = _place(height, width, shape.wide)
    matrix = np.zeros((2, 3))
    for axis in (0, 1):
        low, high = place.box[axis], place.box[axis + 2]
        scale = place.size[axis] / (high - low)
        matrix[axis, axis] = scale
        matrix[axis, 2] = place.corner[axis] + (0.5 - low) * scale - 0.5 - shape.margin
    return matrix


def _resized(
    picture_HWC: npt.NDArray[np.uint8], place: _Placement, shape: Shape
) -> npt.NDArray[np.uint8]:
    from PIL.Image import Resampling

    method = {"bilinear": Resampling.BILINEAR, "bicubic": Resampling.BICUBIC}[shape.interpolation]
    image = to_image(picture_HWC).resize(place.size, method, box=place.box, reducing_gap=None)
    resized = to_array(image)
    if place.size == (shape.width, shape.height):
        return resized
    padded = np.zeros((shape.height, shape.width, resized.shape[2]), np.uint8)
    x, y = place.corner
    padded[y : y + place.size[1], x : x + place.size[0]] = resized
    return padded


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
