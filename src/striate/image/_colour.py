"""Every kind of pixel that a file can hold, brought to 8-bit grey or sRGB without alpha."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.errors import PictureError
from striate.image._deep import GREY_16, raw_mode, shallow_grey
from striate.image._icc import to_srgb

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

_GREY = {"1", "L", "LA", "La", "I", "F", *GREY_16}

# Pillow's mode → the mode it is converted to first.
_PLAIN = {"1": "L", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB", "YCbCr": "RGB"}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a file's header says of its colours; Pillow forgets some of it while decoding.

    Attributes:
        channels: 1 for grey files, with or without alpha, else 3.
        deep: its grey values have more than 8 bits; `white` is the value of white then.
        inverted: its CMYK values must be inverted after Pillow has read them.
    """

    channels: int
    deep: bool
    white: int
    inverted: bool


def kind_of(image: "ImageFile") -> Kind:
    """Return the kind of a freshly opened picture."""
    raw = raw_mode(image)
    grey = image.mode in _GREY or raw == "LA;16B"
    return Kind(
        channels=1 if grey else 3,
        deep=image.mode in GREY_16 or (image.mode == "I" and image.format == "PPM"),
        white=4095 if raw == "I;12" else 65535,
        # Pillow inverts every CMYK JPEG, as Adobe's are; those without Adobe's marker aren't.
        inverted=image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info,
    )


def flatten(image: "Image", info: Mapping[Any, Any], kind: Kind, *, name: str) -> "Image":
    """Return a decoded picture in Pillow's mode L or RGB: sRGB, alpha laid over white.

    `info` is the opened file's: transparency and profile. Raises PictureError for pixels whose
    range isn't known (32 bits) or whose colours Pillow can't convert (LAB).
    """
    colour, alpha = _split(_eight_bits(image, kind, name))
    if kind.inverted:
        from PIL.ImageChops import invert

        colour = invert(colour)
    colour = to_srgb(colour, info.get("icc_profile"))
    return colour if alpha is None else _over_white(colour, alpha)


def _eight_bits(image: "Image", kind: Kind, name: str) -> "Image":
    mode = image.mode
    if kind.deep:
        transparent = image.info.get("transparency")
        return shallow_grey(image, white=kind.white, transparent=transparent)
    if mode in ("P", "PA"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if mode in ("1", "L", "RGB") and "transparency" in image.info:
        return image.convert("RGBA" if mode == "RGB" else "LA")
    if mode in ("I", "F", "LAB", "HSV"):
        raise PictureError(
            name, f"its pixels are of kind {mode}; striate reads grey, RGB and CMYK of 8 or 16 bits"
        )
    return image.convert(_PLAIN[mode]) if mode in _PLAIN else image


def _split(image: "Image") -> tuple["Image", "Image | None"]:
    if image.mode not in ("LA", "RGBA"):
        return image, None
    return image.convert(image.mode[:-1]), image.getchannel("A")


def _over_white(colour: "Image", alpha: "Image") -> "Image":
    from PIL import Image

    white = Image.new(colour.mode, colour.size, "white")
    return Image.composite(colour, white, alpha)
