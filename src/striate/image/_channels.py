"""Grey to colour and colour to grey."""

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


def to_plane(picture_HWC: npt.NDArray[np.uint8], plane: str) -> npt.NDArray[np.uint8]:
    """Return the "red", "green" or "blue" of a picture as (H, W, 1); grey is all three."""
    if picture_HWC.shape[2] == 1:
        return picture_HWC
    index = PLANES.index(plane)
    return np.ascontiguousarray(picture_HWC[..., index : index + 1])


def to_image(picture_HWC: npt.NDArray[np.uint8]) -> "Image":
    """Return Pillow's picture of mode L or RGB for uint8 (H, W, 1 or 3)."""
    from PIL import Image

    return Image.fromarray(picture_HWC[..., 0] if picture_HWC.shape[2] == 1 else picture_HWC)


def to_array(image: "Image") -> npt.NDArray[np.uint8]:
    """Return uint8 (H, W, 1 or 3), writable, for Pillow's picture of mode L or RGB."""
    array: npt.NDArray[np.uint8] = np.array(image)
    return array[..., None] if array.ndim == 2 else array


def to_mode(image: "Image", channels: int) -> "Image":
    """Return a picture of mode L or RGB in the mode that has 1 or 3 channels."""
    mode = _MODES[channels]
    return image if image.mode == mode else image.convert(mode)
