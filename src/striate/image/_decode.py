"""A picture file to upright uint8 pixels."""

from io import BytesIO
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from striate.errors import PictureError
from striate.image._channels import to_array
from striate.image._colour import flatten, kind_of
from striate.image._file import content, opened
from striate.image._fit import Upright, shrinking
from striate.image._jpeg import Scans, find_scans, refuse_grey_fill, shrink
from striate.image._orientation import mirrors, orientation, swaps_sides, turn
from striate.image._pillow import failures, open_pillow
from striate.image._png import check_png
from striate.image._shape import Shape
from striate.image._tiff import mend_planes

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

MAX_PIXELS = 40_000_000
"""Pixels that a file may declare, unless another limit is given."""

MAX_SHRUNK = 100_000_000
"""Pixels that a JPEG may declare where it is decoded smaller."""

# A JPEG that is decoded smaller stays at least so many times larger than needed, along both axes.
# 4000 × 3000 (4.4 MB, noisy) to 224 × 224: 104 ms of one core instead of 260 (EPYC, Zen 3).
_GAP = 2.0


def decode(
    data: bytes | Path,
    *,
    name: str,
    channels: int | None = None,
    max_pixels: int = MAX_PIXELS,
    background: int = 255,
) -> npt.NDArray[np.uint8]:
    """Return a picture as uint8 (H, W, C), RGB order, upright as its EXIF data says.

    The content decides the format, not the suffix. Colours are brought to sRGB by the file's ICC
    profile where it has a sound one; alpha is laid over the background; 16-bit values v become
    round(v / 257); of an animation the first frame is taken. docs/pictures.md has every rule.

    Args:
        data: the file, or its bytes.
        name: what the user calls the picture, for messages.
        channels: 1 (grey: Pillow's luma, ITU-R 601-2) or 3; None: 1 for grey files, else 3.
        max_pixels: a file that declares more is refused before anything is decoded.
        background: grey level, 0 to 255, that shows through transparent pixels.

    Raises:
        PictureError: the picture can't be read, in any way; its `reason` says why.
    """
    upright = read_upright(
        data, name=name, channels=channels, max_pixels=max_pixels, background=background
    )
    return to_array(upright.image)


def read_upright(
    data: bytes | Path,
    *,
    name: str,
    channels: int | None,
    max_pixels: int,
    background: int,
    shape: Shape | None = None,
) -> Upright:
    """Return a picture as `decode` does, still as Pillow's, with what is odd about it.

    Where a `shape` is given, a JPEG that is much larger is decoded smaller; see `load`.
    """
    read = content(data, name=name)
    file = BytesIO(read)
    image = open_pillow(file, name=name)
    width, height = image.size
    turned = orientation(image, file)
    tall, wide = (width, height) if swaps_sides(turned) else (height, width)
    factor = _factor(image, shrinking(tall, wide, shape)) if shape else 1
    scans = find_scans(read, name=name) if image.format == "JPEG" else None
    _refuse_large(image.size, scans, factor, max_pixels, name)
    check_png(read, name=name)
    with failures(name):
        kind = kind_of(image)
        mend_planes(image, name=name)
        if scans:
            shrink(image, factor)
            image.load()
            refuse_grey_fill(image, read, scans, factor, name)
        flat, notes = flatten(
            image, kind, read, channels=channels or kind.channels, background=background, name=name
        )
    return Upright(
        image=turn(flat, turned),
        height=tall,
        width=wide,
        factor=factor,
        corner=_corner(flat.size, (width / factor, height / factor), turned),
        notes=notes,
    )


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


def _factor(image: "ImageFile", shrinking: float) -> int:
    if image.format != "JPEG":
        return 1
    return next((factor for factor in (8, 4, 2) if shrinking >= _GAP * factor), 1)


def _refuse_large(
    size: tuple[int, int], scans: Scans | None, factor: int, max_pixels: int, name: str
) -> None:
    width, height = size
    limit = max_pixels
    if scans and scans.single and factor > 1:
        small = ceil(width / factor) * ceil(height / factor)
        limit = max(max_pixels, MAX_SHRUNK) if small <= max_pixels else max_pixels
    if width * height > limit:
        raise PictureError(
            name, f"{width} × {height} pixels, more than the limit of {limit:,} pixels"
        )


def _corner(size: tuple[int, int], exact: tuple[float, float], turned: int) -> tuple[float, float]:
    """Return where the file's upper left corner lies in the decoded, turned picture.

    `size` is the decoded picture's, (width, height), before it was turned; `exact` the same before
    it was rounded up to whole pixels.
    """
    columns, rows = size[0] - exact[0], size[1] - exact[1]
    across, down = (rows, columns) if swaps_sides(turned) else (columns, rows)
    mirrored = mirrors(turned)
    return across * mirrored[0], down * mirrored[1]
