"""Pillow's picture objects, opened by content, with its failures put into words."""

import os
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO

from striate.errors import PictureError
from striate.image._file import HEAD
from striate.image._formats import FORMATS, refusal, sniff
from striate.image._jpeg import check_segments
from striate.image._tiff import check_pieces

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

ONE_PIXEL = "1 × 1 pixel: nothing to see"
"""Why a file of a single pixel is refused: trackers and placeholders are such."""

# What Pillow's plugins raise on damaged files, found by feeding them damaged files.
_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)

# Words in their messages where the end of the file came too early.
_CUT_SHORT = (
    "truncated",
    "requires a buffer",
    "eof while",
    "not enough image data",
    "no more images",
)

_PLUGINS = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WebP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "PPM": ("PIL.PpmImagePlugin", "PpmImageFile"),
}

# What is looked at before a plugin is, which would take long over it.
_CHECKS = {"JPEG": check_segments, "TIFF": check_pieces}

# Odd metadata makes the plugins warn; the pixels are what counts here. `catch_warnings` would not
# do: it swaps the process's filters and is not safe with threads.
_PLUGIN_WARNINGS = r"PIL\.\w+ImagePlugin$"
_FILTER = ("ignore", None, UserWarning, re.compile(_PLUGIN_WARNINGS), 0)
_filter_lock = Lock()


def open_pillow(file: BinaryIO, *, name: str) -> "ImageFile":
    """Return Pillow's picture, header read, pixels not yet decoded.

    The plugin is called directly, without `Image.open`: that would try formats by turns and warn
    of large pictures, which `decode` refuses by its own limit. Raises PictureError.
    """
    first = file.read(HEAD)
    file.seek(0)
    found = sniff(first)
    if found not in FORMATS:
        raise PictureError(name, refusal(first))
    if _promised_bytes(found, first) > file.seek(0, os.SEEK_END):
        raise PictureError(name, "truncated")
    file.seek(0)
    if check := _CHECKS.get(found):
        check(file, name=name)
        file.seek(0)
    _quieten()
    module, plugin = _PLUGINS[found]
    with failures(name):
        image: ImageFile = getattr(import_module(module), plugin)(file)
        _refuse_overlaps(image, name)
    if image.size == (1, 1):
        raise PictureError(name, ONE_PIXEL)
    return image


@contextmanager
def failures(name: str) -> Iterator[None]:
    """Turn whatever Pillow raises on a damaged picture into a PictureError."""
    from PIL.Image import DecompressionBombError, DecompressionBombWarning

    try:
        yield
    except PictureError:
        raise
    except (DecompressionBombError, DecompressionBombWarning) as error:
        raise PictureError(name, "far too many pixels") from error
    except _FAILURES as error:
        raise PictureError(name, _reason(error)) from error


def _quieten() -> None:
    with _filter_lock:
        if _FILTER not in warnings.filters:
            warnings.filterwarnings("ignore", category=UserWarning, module=_PLUGIN_WARNINGS)


def _promised_bytes(found: str | None, first: bytes) -> int:
    """Return bytes that must be there by the file's own account; 0 where it gives none at once.

    WebP's and TIFF's plugins don't say "truncated" where these are missing.
    """
    if found == "WebP":
        return int.from_bytes(first[4:8], "little") + 8
    if found == "TIFF" and first[2:4].strip(b"\0") == b"*":
        return int.from_bytes(first[4:8], "little" if first[:2] == b"II" else "big")
    return 0


def _refuse_overlaps(image: "ImageFile", name: str) -> None:
    """Refuse a file whose pieces cover the picture many times: a small one could take hours.

    Up to 6 channels may lie apart, each a picture of its own.
    """
    boxes = [tile.extents for tile in image.tile if tile.extents]
    covered = sum((right - left) * (lower - upper) for left, upper, right, lower in boxes)
    if covered > 6 * image.width * image.height:
        raise PictureError(name, "damaged (its pieces lie over each other)")


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "not enough memory to decode it"
    text = " ".join(str(error).split())
    if isinstance(error, EOFError) or any(sign in text.lower() for sign in _CUT_SHORT):
        return "truncated"
    if "Decompressed data too large" in text or "text chunks" in text:
        return "its text or colour profile unpacks to far too much"
    if text == "unknown pixel mode":
        return "its pixels are of a kind that striate doesn't read"
    if text == "not identified by this driver":
        # What every plugin says of a header with a side of 0 or with no kind of pixel.
        return "damaged (its header names no size or no colours)"
    return f"damaged ({text[:80]})" if text else "damaged"
