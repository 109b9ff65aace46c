"""Every kind of pixel that a file can hold, brought to 8-bit grey or sRGB without alpha."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.errors import PictureError
from striate.image._channels import strips, to_mode
from striate.image._deep import GREY_16, Deep, deep_colours, raw_mode, shallow_grey
from striate.image._icc import to_srgb, transform_of
from striate.image._tiff import white_is_zero

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageCms import ImageCmsTransform
    from PIL.ImageFile import ImageFile

_GREY = {"1", "L", "LA", "La", "I", "F", *GREY_16}

# Pillow's mode → the mode it is converted to first.
_PLAIN = {"1": "L", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB", "YCbCr": "RGB"}

_SPACE = {1: "L", 3: "RGB"}

# Grey of fewer bits is spread to 0 to 255, but not the value that means transparent.
_SPREAD = {"L;2": 85, "L;4": 17}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a file's header says of its colours; Pillow forgets some of it while decoding.

    Attributes:
        channels: 1 for grey files, with or without alpha, else 3.
        deep: its grey values have more than 8 bits; `white` is their largest.
        white: 65535, or 4095 for 12 bits.
        inverted: the values must be inverted after Pillow has read them: some CMYK, some deep grey.
        spread: what Pillow has multiplied grey values of 2 or 4 bits by, else 1.
    """

    channels: int
    deep: bool
    white: int
    inverted: bool
    spread: int


def kind_of(image: "ImageFile") -> Kind:
    """Return the kind of a freshly opened picture."""
    raw = raw_mode(image)
    grey = image.mode in _GREY or raw == "LA;16B"
    deep = image.mode in GREY_16 or (image.mode == "I" and image.format == "PPM")
    # Pillow inverts every CMYK JPEG, as Adobe's are; those without Adobe's marker aren't.
    plain_cmyk = image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info
    return Kind(
        channels=1 if grey else 3,
        deep=deep,
        white=4095 if raw == "I;12" else 65535,
        inverted=plain_cmyk or (deep and white_is_zero(image)),
        spread=_SPREAD.get(raw or "", 1),
    )


def flatten(
    image: "ImageFile", kind: Kind, data: bytes, *, channels: int, background: int, name: str
) -> tuple["Image", tuple[str, ...]]:
    """Decode a freshly opened picture to Pillow's mode L (1 channel) or RGB (3), and note oddities.

    Colours are sRGB; alpha is laid over `background`, a grey level. `data` are the file's bytes.
    Raises PictureError for pixels whose range isn't known (32 bits) or whose colours Pillow can't
    convert (LAB), and whatever Pillow raises on damaged ones.
    """
    _refuse_unknown(image, kind, name)
    deep = deep_colours(image, data)
    if deep is None:
        image.load()
    space = "CMYK" if image.mode == "CMYK" else _SPACE[kind.channels]
    transform, note = None, ""
    if "icc_profile" in image.info:
        transform, note = transform_of(image.info["icc_profile"], space)
    notes = (note,) if note else ()
    if deep is None and transform is None and _is_flat(image):
        return to_mode(image, channels), notes
    flattener = _Flattener(kind, transform, channels, background)
    return _in_strips(image, deep, flattener), notes


def _is_flat(image: "Image") -> bool:
    return image.mode in ("L", "RGB") and "transparency" not in image.info


def _in_strips(image: "Image", deep: Deep | None, flattener: "_Flattener") -> "Image":
    """Return flat pixels, made a strip at a time: whole, a large picture takes several copies."""
    from PIL import Image

    mode = _SPACE[flattener.channels]
    in_place = deep is not None and image.mode in ("RGB", "RGBA")
    flat = image if in_place else Image.new(mode, image.size)
    for box in strips(image.size):
        flat.paste(flattener.flat(deep.crop(box) if deep else image.crop(box)), box)
    if deep is not None:
        deep.forget()
    flat.info = {}
    return flat if flat.mode == mode else flat.convert(mode)


@dataclass(frozen=True)
class _Flattener:
    """Flattens strips of one picture, each by itself."""

    kind: Kind
    transform: "ImageCmsTransform | None"
    channels: int
    background: int

    def flat(self, strip: "Image") -> "Image":
        """Return a strip in mode L or RGB: sRGB, alpha laid over the background."""
        colour, alpha = _split(self._eight_bits(strip))
        if self.kind.inverted and colour.mode == "CMYK":
            from PIL.ImageChops import invert

            colour = invert(colour)
        colour = to_srgb(colour, self.transform)
        if alpha is not None:
            colour = _over(colour, alpha, self.background)
        return to_mode(colour, self.channels)

    def _eight_bits(self, strip: "Image") -> "Image":
        mode, transparent = strip.mode, strip.info.get("transparency")
        if self.kind.deep:
            kind = self.kind
            return shallow_grey(
                strip, white=kind.white, inverted=kind.inverted, transparent=transparent
            )
        if mode in ("P", "PA"):
            return strip.convert("RGBA" if strip.has_transparency_data else "RGB")
        if mode in ("1", "L", "RGB") and transparent is not None:
            if mode == "L":
                strip.info["transparency"] = transparent * self.kind.spread
            return strip.convert("RGBA" if mode == "RGB" else "LA")
        return strip.convert(_PLAIN[mode]) if mode in _PLAIN else strip


def _refuse_unknown(image: "Image", kind: Kind, name: str) -> None:
    if image.mode in ("I", "F", "LAB", "HSV") and not kind.deep:
        raise PictureError(
            name,
            f"its pixels are of kind {image.mode}; striate reads grey, RGB and CMYK of 8 or 16 "
            "bits",
        )


def _split(image: "Image") -> tuple["Image", "Image | None"]:
    if image.mode not in ("LA", "RGBA"):
        return image, None
    return image.convert(image.mode[:-1]), image.getchannel("A")


def _over(colour: "Image", alpha: "Image", background: int) -> "Image":
    from PIL import Image

    behind = Image.new(colour.mode, colour.size, (background,) * len(colour.getbands()))
    return Image.composite(colour, behind, alpha)
