"""Colours of a file's ICC profile to sRGB, by LittleCMS."""

from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageCms import ImageCmsTransform

# Most profiles are sRGB's own; differences up to this many levels are rounding inside LittleCMS.
_SAME = 2


def to_srgb(colour: "Image", profile: bytes | None) -> "Image":
    """Return a picture of mode L, RGB or CMYK as sRGB, mode L or RGB.

    A profile that is broken, or made for other colours than the picture's, is ignored.
    """
    transform = _transform(profile, colour.mode) if profile else None
    if transform is None:
        return colour.convert("RGB") if colour.mode == "CMYK" else colour
    converted = transform.apply(colour)
    return converted.convert("L") if colour.mode == "L" else converted


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> "ImageCmsTransform | None":
    """Return what converts `mode` to sRGB, or None where that changes nothing or can't be done."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, target, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None
    return None if _changes_nothing(transform, mode) else transform


def _changes_nothing(transform: "ImageCmsTransform", mode: str) -> bool:
    from PIL import Image

    if mode == "CMYK":
        return False
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    probe = steps[None] if mode == "L" else np.stack(np.meshgrid(steps, steps, steps), -1)[0]
    image = Image.fromarray(np.ascontiguousarray(probe))
    before = np.array(image.convert("RGB"), dtype=np.int16)
    after = np.array(transform.apply(image), dtype=np.int16)
    return int(np.abs(after - before).max()) <= _SAME
