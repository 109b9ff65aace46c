"""Pixels of 16 bits: v becomes round(v / 257), so that 65535 is white, exactly."""

import re
import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

GREY_16 = ("I;16", "I;16B", "I;16L", "I;16N")

# How 16-bit colours lie in a file, in Pillow's words: channels, then the order of the two bytes.
# One letter: TIFF's channels can lie apart.
_COLOUR_16 = re.compile(r"(RGBX?|RGBA|RGBa|CMYK|LA|[RGBA]);16([BLN])")
_SWAPPED = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}

Box = tuple[int, int, int, int]


class Deep:
    """A file of 16-bit colours, or of grey with alpha, in 8 bits piece by piece.

    Pillow keeps only the upper byte of such values. Read once more with the bytes' order swapped,
    the same decoder gives the lower one; grey with alpha comes as the four bytes of one RGBA pixel.
    """

    def __init__(self, upper: "ImageFile", lower: "ImageFile", channels: str) -> None:
        """Take the picture read twice, and its channels ("RGB", "RGBa", "LA", ...)."""
        self._upper = upper
        self._lower = lower
        self._channels = channels

    def crop(self, box: Box) -> "Image":
        """Return the pixels of a box in 8 bits: mode RGB, RGBA, CMYK or LA."""
        upper, lower = np.array(self._upper.crop(box)), np.array(self._lower.crop(box))
        if self._channels == "LA":
            return _image(_scaled(_joined(lower[..., 0::2], lower[..., 1::2])), "LA")
        deep = _joined(upper, lower)
        if self._channels == "RGBa":
            deep = _undone(deep)
        transparent = self._upper.info.get("transparency")
        if transparent is None:
            return _image(_scaled(deep), self._upper.mode)
        opaque = (deep != np.array(transparent)).any(axis=2)
        return _image(np.dstack([_scaled(deep), opaque * np.uint8(255)]), "RGBA")

    def forget(self) -> None:
        """Give the second reading's memory back; `crop` is at an end."""
        self._lower.close()


def deep_colours(image: "ImageFile", data: bytes) -> Deep | None:
    """Return a freshly opened picture of 16-bit colours or grey with alpha, else None.

    `data` are the file's bytes. Both readings are decoded.
    """
    found = _COLOUR_16.fullmatch(raw_mode(image) or "")
    if found is None:
        return None
    lower = type(image)(BytesIO(data))
    lower.tile = [_read_as(tile, _other_bytes) for tile in image.tile]
    # Pillow would divide each byte by alpha on its own.
    image.tile = [_read_as(tile, lambda raw: raw.replace("a", "A")) for tile in image.tile]
    for reading in (image, lower):
        reading.load()
    return Deep(image, lower, found[1])


def shallow_grey(image: "Image", *, white: int, inverted: bool, transparent: int | None) -> "Image":
    """Return deep grey in 8 bits: mode L, or LA where one grey value means transparent.

    `white` is the value of white (65535, or 4095 for 12 bits), or of black where `inverted`.
    """
    deep = np.array(image).astype(np.uint32)
    scaled = _scaled(white - deep if inverted else deep, white)
    if transparent is None:
        return _image(scaled, "L")
    return _image(np.dstack([scaled, (deep != transparent) * np.uint8(255)]), "LA")


def raw_mode(image: "ImageFile") -> str | None:
    """Return how a freshly opened file stores its pixels, in Pillow's words; None: not known."""
    return _raw(image.tile[0]) if image.tile else None


def _raw(tile: Any) -> str | None:
    raw = tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args
    return raw if isinstance(raw, str) else None


def _read_as(tile: Any, change: Any) -> Any:
    raw = change(_raw(tile))
    return tile._replace(args=(raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw)


def _other_bytes(raw: str) -> str:
    if raw.startswith("LA"):
        return "RGBA"
    return raw[:-1].replace("a", "A") + _SWAPPED[raw[-1]]


def _joined(upper: npt.NDArray[np.uint8], lower: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    return upper.astype(np.uint32) * np.uint32(256) + lower.astype(np.uint32)


def _scaled(deep: npt.NDArray[np.uint32], white: int = 65535) -> npt.NDArray[np.uint8]:
    return ((deep * 255 + white // 2) // white).astype(np.uint8)


def _undone(deep_HWC: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Return RGBA whose colours had been multiplied by alpha, without that."""
    alpha = deep_HWC[..., 3:]
    colour = np.minimum(deep_HWC[..., :3].astype(np.uint64) * 65535 // np.maximum(alpha, 1), 65535)
    return np.concatenate([colour.astype(np.uint32), alpha], axis=2)


def _image(pixels: npt.NDArray[np.uint8], mode: str) -> "Image":
    from PIL import Image

    size = (pixels.shape[1], pixels.shape[0])
    return Image.frombuffer(mode, size, np.ascontiguousarray(pixels), "raw", mode, 0, 1)
