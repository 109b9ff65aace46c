"""Grey to colour and colour to grey."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from striate.image._shape import PLANES

if TYPE_CHECKING:
    from PIL.Image import Image

_MODES = {1: "L", 3: "RGB"}


def to_channels(picture_HWC: npt.NDArray[np.uint8], channels: int) -> npt.NDArray[np.uint8]:
    """Return a picture, uint8 (H, W, 1 or 3), with `channels` (1 or 3) channels.

    Grey is repeated; colour becomes Pillow's luma, (299 R + 587 G + 114 B) / 1000 (ITU-R 601-2).
    A picture that has them already is returned as it is. Raises ValueError for other numbers.
    """
    if channels not in _MODES or picture_HWC.shape[2] not in _MODES:
        raise ValueError(f"{picture_HWC.shape[2]} channels to {channels}: both must be 1 or 3.")
    if picture_HWC.shape[2] == channels:
        return picture_HWC
    if channels == 3:
        return np.repeat(picture_HWC, 3, axis=2)
    return to_array(to_mode(to_image(picture_HWC), 1))


def to_plane(image: "Image", plane: str) -> "Image":
    """Return the "red", "green" or "blue" of a picture of mode L or RGB; grey is all three."""
    return image if image.mode == "L" else image.getchannel(PLANES.index(plane))


def to_image(picture_HWC: npt.NDArray[np.uint8]) -> "Image":
    """Return Pillow's picture of mode L or RGB for uint8 (H, W, 1 or 3)."""
    from PIL import Image

    return Image.fromarray(picture_HWC[..., 0] if picture_HWC.shape[2] == 1 else picture_HWC)


def to_array(image: "Image") -> npt.NDArray[np.uint8]:
    """Return uint8 (H, W, 1 or 3), writable, for Pillow's picture of mode L or RGB."""
    width, height = image.size
    array = np.empty((height, width, len(image.getbands())), np.uint8)
    # At once, Pillow would make two more copies of a large picture on the way.
    for box in strips(image.size):
        part = image if box[3] - box[1] == height else image.crop(box)
        strip = array[box[1] : box[3]]
        # np.asarray goes the same way through more of Python: 2 µs longer a picture.
        strip[:] = np.frombuffer(part.tobytes(), np.uint8).reshape(strip.shape)
    return array


def strips(size: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    """Yield boxes (left, upper, right, lower) of whole rows, about a quarter of a million pixels each.

    Together they are a picture of `size` (width, height).
    """
    width, height = size
    rows = max(1, 2**18 // width)
    for upper in range(0, height, rows):
        yield 0, upper, width, min(height, upper + rows)


def to_mode(image: "Image", channels: int) -> "Image":
    """Return a picture of mode L or RGB in the mode that has 1 or 3 channels."""
    mode = _MODES[channels]
    return image if image.mode == mode else image.convert(mode)
