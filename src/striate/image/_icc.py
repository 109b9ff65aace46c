"""Colours of a file's ICC profile to sRGB, by LittleCMS."""

from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageCms import ImageCmsTransform

# Most profiles are sRGB's own; differences up to this many levels are rounding inside LittleCMS.
_SAME = 2

# Bytes. Profiles of printing presses, the largest in use, have 1 to 3 MB.
_LARGEST = 2**22

_SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK"}

BROKEN = "its colour profile is broken and was ignored"
FOREIGN = "its colour profile is made for other colours and was ignored"
LARGE = "its colour profile is larger than 4 MiB and was ignored"


def transform_of(profile: Any, mode: str) -> tuple["ImageCmsTransform | None", str]:
    """Return what brings a picture of mode L, RGB or CMYK to sRGB, mode RGB, and a note.

    None: nothing is to be done. The note is "", or says in a phrase why a profile was ignored.
    `profile` is what Pillow found: bytes, or something else where the file's are damaged.
    """
    if not isinstance(profile, bytes):
        return None, BROKEN
    return (None, LARGE) if len(profile) > _LARGEST else _transform(profile, mode)


def to_srgb(colour: "Image", transform: "ImageCmsTransform | None") -> "Image":
    """Return a picture of mode L, RGB or CMYK as sRGB, mode L or RGB."""
    if transform is None:
        return colour.convert("RGB") if colour.mode == "CMYK" else colour
    converted = transform.apply(colour)
    return converted.convert("L") if colour.mode == "L" else converted


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> tuple["ImageCmsTransform | None", str]:
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space != _SPACES[mode]:
            return None, FOREIGN
        target = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, target, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None, BROKEN
    return (None if _changes_nothing(transform, mode) else transform), ""


def _changes_nothing(transform: "ImageCmsTransform", mode: str) -> bool:
    from PIL import Image

    if mode == "CMYK":
        return False
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1)
    image = Image.fromarray(steps[None] if mode == "L" else cube.reshape(len(steps), -1, 3))
    before = np.array(image.convert("RGB"), dtype=np.int16)
    after = np.array(transform.apply(image), dtype=np.int16)
    return int(np.abs(after - before).max()) <= _SAME
