"""Pixels of 16 bits: v becomes round(v / 257), so that 65535 is white, exactly."""

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

GREY_16 = ("I;16", "I;16B", "I;16L", "I;16N")

# Pillow keeps only the upper byte of 16-bit colour. Read again with these raw modes, the same
# decoder gives the lower byte; grey with alpha comes as the four bytes of one RGBA pixel.
_SECOND_READING = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L", "LA;16B": "RGBA"}


def raw_mode(image: "ImageFile") -> str | None:
    """Return how a freshly opened file stores its pixels, in Pillow's words; None: not known."""
    arguments: Any = image.tile[0].args if image.tile else None
    raw = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return raw if isinstance(raw, str) else None


def deep_png(image: "ImageFile", data: bytes) -> "Image | None":
    """Return a PNG of 16-bit colour or grey with alpha in 8 bits (RGB, RGBA, LA), else None.

    `image` is freshly opened, `data` are the file's bytes. TIFF's 16-bit colour is left to
    Pillow: its upper byte, at most 1 below the rounded value.
    """
    raw = raw_mode(image)
    if image.format != "PNG" or raw not in _SECOND_READING:
        return None
    second = _read_as(data, _SECOND_READING[raw])
    if raw == "LA;16B":
        return _image(_scaled(_joined(second[..., 0::2], second[..., 1::2]), 65535))
    deep = _joined(np.array(image), second)
    scaled = _scaled(deep, 65535)
    if "transparency" in image.info:
        opaque = (deep != np.array(image.info["transparency"])).any(axis=2)
        scaled = np.dstack([scaled, opaque * np.uint8(255)])
    return _image(scaled)


def shallow_grey(image: "Image", *, white: int, transparent: int | None) -> "Image":
    """Return deep grey in 8 bits: mode L, or LA where one grey value means transparent.

    `white` is the value of white: 65535, or 4095 for 12 bits.
    """
    deep = np.array(image).astype(np.uint32)
    scaled = _scaled(deep, white)
    if transparent is None:
        return _image(scaled)
    return _image(np.dstack([scaled, (deep != transparent) * np.uint8(255)]))


def _joined(upper: npt.NDArray[np.uint8], lower: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    return upper.astype(np.uint32) * np.uint32(256) + lower.astype(np.uint32)


def _scaled(deep: npt.NDArray[np.uint32], white: int) -> npt.NDArray[np.uint8]:
    return ((deep * 255 + white // 2) // white).astype(np.uint8)


def _read_as(data: bytes, raw: str) -> npt.NDArray[np.uint8]:
    from PIL.PngImagePlugin import PngImageFile

    image = PngImageFile(BytesIO(data))
    image.tile = [image.tile[0]._replace(args=raw)]
    return np.array(image)


def _image(pixels: npt.NDArray[np.uint8]) -> "Image":
    from PIL import Image

    return Image.fromarray(pixels)
