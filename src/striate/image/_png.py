"""Checksums of PNG files: Pillow doesn't compare those of the pixels."""

import zlib

from striate.errors import PictureError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")


def check_png(data: bytes, *, name: str) -> None:
    """Raise PictureError where a chunk that decides on the first frame's pixels was changed.

    Files of other formats pass. So does one that ends early: decoding says that.
    """
    if not data.startswith(_SIGNATURE):
        return
    view, start, pixels = memoryview(data), len(_SIGNATURE), False
    while start + 12 <= len(data):
        length = int.from_bytes(view[start : start + 4], "big")
        kind, end = bytes(view[start + 4 : start + 8]), start + 8 + length
        written = view[end : end + 4]
        if kind == b"IEND" or len(written) < 4 or (pixels and kind != b"IDAT"):
            return
        pixels = kind == b"IDAT"
        if kind in _NEEDED and zlib.crc32(view[start + 4 : end]) != int.from_bytes(written, "big"):
            raise PictureError(name, "damaged (a checksum is wrong)")
        start = end + 4
