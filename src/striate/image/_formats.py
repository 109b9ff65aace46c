"""Which format a file really has: its first bytes say it, not its suffix."""

import re
from pathlib import Path

from striate.errors import PictureError
from striate.image._file import head

FORMATS = ("JPEG", "PNG", "WebP", "TIFF", "BMP", "GIF", "PPM")
"""Formats that `decode` reads."""

_SUFFIXES_OF = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png", ".apng"),
    "WebP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "HEIC": (".heic", ".heif", ".hif"),
    "AVIF": (".avif",),
}

SUFFIXES = {
    suffix: name
    for name, suffixes in _SUFFIXES_OF.items()
    if name in FORMATS
    for suffix in suffixes
}
"""Lower-case suffix → name of the format it promises, for the formats that `decode` reads."""

# Formats that are recognised but not read → the Python package that reads them.
_READERS = {"HEIC": "pillow-heif", "AVIF": "pillow"}

_PROMISES = {suffix: name for name, suffixes in _SUFFIXES_OF.items() for suffix in suffixes}

_BEGINNINGS = (
    ("JPEG", rb"\xff\xd8\xff"),
    ("PNG", rb"\x89PNG\r\n\x1a\n"),
    ("WebP", rb"RIFF....WEBP"),
    ("TIFF", rb"II\*\x00|MM\x00\*|II\+\x00|MM\x00\+"),
    ("BMP", rb"BM"),
    ("GIF", rb"GIF8[79]a"),
    ("PPM", rb"P[1-6][\s#]"),
    ("AVIF", rb"....ftypavi[fs]"),
    ("HEIC", rb"....ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1)"),
)
_PATTERNS = tuple((name, re.compile(begin, re.DOTALL)) for name, begin in _BEGINNINGS)


def sniff(first: bytes) -> str | None:
    """Return the name of the format that a file beginning with `first` has, or None."""
    return next((name for name, pattern in _PATTERNS if pattern.match(first)), None)


def actual_format(data: bytes | Path) -> str | None:
    """Return the format that the content shows ("JPEG", ..., also "HEIC", "AVIF"), or None.

    None also where the file can't be read.
    """
    try:
        return sniff(head(data, name=""))
    except PictureError:
        return None


def wrong_suffix(path: Path) -> str | None:
    """Return the real format's name where the file's suffix promises another, else None."""
    promised = _PROMISES.get(path.suffix.lower())
    actual = actual_format(path) if promised else None
    return actual if actual != promised else None


def refusal(first: bytes) -> str:
    """Return in words why a file that begins with `first` is not read."""
    found = sniff(first)
    if found in _READERS:
        return (
            f"{found}, a format striate doesn't read: convert it to PNG or JPEG; "
            f"the package {_READERS[found]} reads it"
        )
    return (
        f"not a picture in a format striate reads ({', '.join(FORMATS)}): "
        f"it begins with {_shown(first)}"
    )


def _shown(first: bytes) -> str:
    word = re.match(rb"\s*([!-~]+)", first)
    binary = re.search(rb"[^\t\n\r -~]", first[:16])
    if word and (len(word[1]) >= 4 or not binary):
        return f"'{word[1][:12].decode('ascii')}'"
    return f"the bytes {first[:6].hex(' ')}"
