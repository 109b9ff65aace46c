"""A picture file to upright uint8 pixels."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from striate.errors import PictureError
from striate.image._channels import to_array, to_mode
from striate.image._colour import flatten, kind_of
from striate.image._deep import deep_png
from striate.image._file import content, opened
from striate.image._orientation import orientation, swaps_sides, turn
from striate.image._pillow import failures, open_pillow
from striate.image._png import check_png

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 40_000_000


def decode(
    data: bytes | Path, *, name: str, channels: int | None = None, max_pixels: int = MAX_PIXELS
) -> npt.NDArray[np.uint8]:
    """Return a picture as uint8 (H, W, C), RGB order, upright as its EXIF data says.

    The content decides the format, not the suffix. Colours are brought to sRGB by the file's ICC
    profile where it has a sound one; alpha is laid over white; 16-bit values v become
    round(v / 257); of an animation the first frame is taken.

    Args:
        data: the file, or its bytes.
        name: what the user calls the picture, for messages.
        channels: 1 (grey: Pillow's luma, ITU-R 601-2) or 3; None: 1 for grey files, else 3.
        max_pixels: a file that declares more is refused before anything is decoded.

    Raises:
        PictureError: the picture can't be read, in any way; its `reason` says why.
    """
    read = content(data, name=name)
    file = BytesIO(read)
    image = open_pillow(file, name=name)
    _refuse_large(image.size, max_pixels, name)
    check_png(read, name=name)
    with failures(name):
        kind = kind_of(image)
        turned = orientation(image, file)
        shallow = deep_png(image, read) or _loaded(image)
    flat = flatten(shallow, image.info, kind, name=name)
    return to_array(turn(to_mode(flat, channels or kind.channels), turned))


def header(data: bytes | Path, *, name: str) -> tuple[int, int, int]:
    """Return (height, width, channels) of the upright picture without decoding its pixels.

    Channels are 1 for grey files, else 3. Raises PictureError.
    """
    with opened(data, name=name) as file:
        image = open_pillow(file, name=name)
        with failures(name):
            width, height = image.size
            if swaps_sides(orientation(image, file)):
                width, height = height, width
        return height, width, kind_of(image).channels


def _loaded(image: "Image") -> "Image":
    image.load()
    return image


def _refuse_large(size: tuple[int, int], max_pixels: int, name: str) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PictureError(
            name, f"{width} × {height} pixels, more than the limit of {max_pixels:,} pixels"
        )
