"""JPEG: how its segments and scans lie, whether its pixels end early, reading it smaller."""

import re
from collections.abc import Iterator
from io import BytesIO
from random import Random
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from striate.errors import PictureError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

# Markers (ITU-T T.81, table B.1).
_SEQUENTIAL = (0xC0, 0xC1)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _END, _EXIF = 0xDA, 0xD9, 0xE1
_RESTARTS = range(0xD0, 0xD8)
_BARE = {0x01, *_RESTARTS, 0xD8}

# In pixels of a scan, 0xFF is followed by 0 or a restart marker; anything else ends the scan.
_NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd9-\xfe]")

# Profiles take up to 255 segments, depth maps some dozens; EXIF data one.
_MOST_SEGMENTS = 2000
_MOST_EXIF = 16

# Each scan is a pass over the whole picture; progressive files in use have about ten.
_MOST_SCANS = 100


class Scans(NamedTuple):
    """How the pixels of a JPEG lie in its bytes.

    Attributes:
        single: all colours come in one scan, so that rows can be decoded in turn. Otherwise the
            decoder keeps the whole picture in memory, two bytes for each value.
        start: where the first scan's header is.
    """

    single: bool
    start: int


def check_segments(file: BinaryIO, *, name: str) -> None:
    """Raise PictureError where more stands before the pixels than any picture needs."""
    exifs = 0
    for number, (marker, body) in enumerate(_segments(file)):
        if marker == _EXIF:
            file.seek(body)
            exifs += file.read(4) == b"Exif"
        if number > _MOST_SEGMENTS or exifs > _MOST_EXIF:
            raise PictureError(name, "damaged (too much stands before its pixels)")


def find_scans(data: bytes, *, name: str) -> Scans:
    """Return how a JPEG's pixels lie; raise PictureError where there are far too many scans."""
    frame, components, in_scan, at = 0, b"", b"", len(data)
    for marker, body in _segments(BytesIO(data)):
        if marker in _FRAMES:
            frame, components = marker, data[body + 5 : body + 6]
        if marker == _SCAN:
            in_scan, at = data[body : body + 1], body
    single = frame in _SEQUENTIAL and bool(in_scan) and in_scan == components
    if not single:
        _refuse_many(data, at, name)
    return Scans(single, at)


def shrink(image: "ImageFile", factor: int) -> None:
    """Make a freshly opened JPEG be decoded at 1 / factor of its size, rounded up.

    `factor` is 1, 2, 4 or 8. The decoder leaves out the finest waves of its cosine transform: each
    pixel then stands for factor × factor of the file, but for those cut off at the right and the
    lower edge.
    """
    width, height = image.size
    if factor > 1:
        image.draft(None, (width // factor, height // factor))


def refuse_grey_fill(image: "ImageFile", data: bytes, scans: Scans, factor: int, name: str) -> None:
    """Raise PictureError where a decoded JPEG's pixels ended before the picture was full.

    Where the end marker comes too early, the decoder fills the rest with middle grey and says
    nothing. So a picture that ends in that grey is decoded again with noise behind the pixels of
    the first scan: one that was full already doesn't change.
    """
    corner = image.getpixel((image.width - 1, image.height - 1))
    values = corner if isinstance(corner, tuple) else (corner,)
    if not all(value in (127, 128) for value in values):
        return
    from PIL.ImageChops import difference

    noise = bytes(Random(0).choices(range(255), k=512))
    # Where the file has restart markers, the decoder goes on behind the one that it waits for.
    more = noise + b"".join(bytes([0xFF, marker]) + noise for marker in _RESTARTS)
    found = _NEXT_MARKER.search(data, scans.start)
    end = found.start() if found else len(data)
    again = type(image)(BytesIO(data[:end] + more + data[end:]))
    shrink(again, factor)
    if difference(image, again).getbbox():
        raise PictureError(name, "truncated")


def _refuse_many(data: bytes, at: int, name: str) -> None:
    scans = 1
    while (found := _NEXT_MARKER.search(data, at)) and data[found.start() + 1] != _END:
        scans += data[found.start() + 1] == _SCAN
        if scans > _MOST_SCANS:
            raise PictureError(name, f"damaged (more than {_MOST_SCANS} scans of the picture)")
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")


def _segments(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield marker and the place behind its length, up to the first scan, included.

    Ends early where something else stands in a marker's place; Pillow reads or refuses that.
    """
    at = 2
    # Of a file in memory a slice is taken: reading takes as long as decoding a small picture.
    whole = file.getvalue() if isinstance(file, BytesIO) else b""
    while True:
        head = whole[at : at + 4] or _read_at(file, at)
        if len(head) < 4 or head[0] != 0xFF:
            return
        marker = head[1]
        if marker == 0xFF or marker in _BARE:
            at += 1 if marker == 0xFF else 2
            continue
        yield marker, at + 4
        if marker in (_SCAN, _END):
            return
        at += 2 + (head[2] << 8) + head[3]


def _read_at(file: BinaryIO, at: int) -> bytes:
    file.seek(at)
    return file.read(4)
