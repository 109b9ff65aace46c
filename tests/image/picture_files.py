"""Picture files written by hand, byte by byte, so that what they hold is known without a library."""

import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the file that Pillow writes."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))


def png_header(width: int, height: int, depth: int, colour: int) -> bytes:
    """Return a PNG's signature and header."""
    head = struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)


def png(pixels: Pixels, depth: int, colour: int, *before: bytes, after: bytes = b"") -> bytes:
    """Return a PNG; `pixels` is (H, W, samples), `before` and `after` stand around IDAT."""
    height, width = pixels.shape[:2]
    rows = [b"\0" + _packed(row, depth) for row in pixels.reshape(height, -1)]
    body = chunk(b"IDAT", zlib.compress(b"".join(rows)))
    head = png_header(width, height, depth, colour)
    return head + b"".join(before) + body + after + chunk(b"IEND", b"")


def _packed(row: Pixels, depth: int) -> bytes:
    if depth >= 8:
        return row.astype(">u2" if depth == 16 else "u1").tobytes()
    bits = (row[:, None] >> np.arange(depth)[::-1]) & 1
    return np.packbits(bits.astype(np.uint8).ravel()).tobytes()


_TIFF_TYPES = {3: "H", 4: "L", 7: "B"}


def tiff(
    pixels: Pixels,
    bits: int,
    photometric: int,
    *,
    order: str = "<",
    apart: bool = False,
    deflate: bool = False,
    extra: int | None = None,
    tags: Sequence[tuple[int, int, Sequence[int]]] = (),
) -> bytes:
    """Return a TIFF of one strip, or one for each channel where they lie `apart`.

    `pixels` is (H, W, samples); `extra` the kind of alpha; `tags` are (tag, type, values).
    """
    height, width, samples = pixels.shape
    typed = pixels.astype(f"{order}u2" if bits == 16 else "u1")
    strips = [typed[..., i].tobytes() for i in range(samples)] if apart else [typed.tobytes()]
    if deflate:
        strips = [zlib.compress(strip) for strip in strips]
    entries: dict[int, tuple[int, Sequence[int]]] = {
        256: (3, [width]),
        257: (3, [height]),
        258: (3, [bits] * samples),
        259: (3, [8 if deflate else 1]),
        262: (3, [photometric]),
        273: (4, [0] * len(strips)),
        277: (3, [samples]),
        278: (3, [height]),
        279: (4, list(map(len, strips))),
        284: (3, [2 if apart else 1]),
        **({} if extra is None else {338: (3, [extra])}),
        **{tag: (kind, values) for tag, kind, values in tags},
    }
    # Twice: only after the first time it is known where the strips lie.
    start = len(tiff_directory(entries, order))
    entries[273] = (4, [start + sum(map(len, strips[:i])) for i in range(len(strips))])
    return tiff_directory(entries, order) + b"".join(strips)


def tiff_directory(entries: Mapping[int, tuple[int, Sequence[int]]], order: str = "<") -> bytes:
    """Return a TIFF's head and first directory, with the values that don't fit into it."""
    at = 8 + 2 + 12 * len(entries) + 4
    table, behind = b"", b""
    for tag, (kind, values) in sorted(entries.items()):
        raw = struct.pack(f"{order}{len(values)}{_TIFF_TYPES[kind]}", *values)
        if len(raw) > 4:
            place, behind = struct.pack(order + "L", at + len(behind)), behind + raw
        else:
            place = raw.ljust(4, b"\0")
        table += struct.pack(order + "HHL", tag, kind, len(values)) + place
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "L", 8)
    return head + struct.pack(order + "H", len(entries)) + table + bytes(4) + behind


def exif(orientation: int, order: str = "<") -> bytes:
    """Return EXIF data, without the word "Exif" before it, that hold an orientation alone."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "L", 8)
    return head + struct.pack(order + "HHHLHHL", 1, 0x0112, 3, 1, orientation, 0, 0)


def segment(marker: int, body: bytes) -> bytes:
    """Return a marker segment of a JPEG file."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def after_start(jpeg: bytes, *segments: bytes) -> bytes:
    """Return a JPEG with segments put behind its first marker."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def webp(pixels: Pixels, **metadata: bytes) -> bytes:
    """Return a lossless WebP with `exif` or `icc_profile` as given."""
    return encoded(Image.fromarray(pixels), "WebP", lossless=True, exact=True, **metadata)


D50 = np.array([0.9642, 1.0, 0.8249])
_D65 = np.array([0.95047, 1.0, 1.08883])

# Bradford's matrix (ICC.1:2010, annex E).
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)

PRIMARIES = {
    "sRGB": ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    "Adobe": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
    "P3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}


def to_xyz(space: str) -> Floats:
    """Return the (3, 3) matrix from linear RGB to XYZ relative to D50."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in PRIMARIES[space]]).T
    matrix = columns * np.linalg.solve(columns, _D65)
    scale = (_BRADFORD @ D50) / (_BRADFORD @ _D65)
    adapted: Floats = np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD @ matrix
    return adapted


def rgb_profile(space: str, gamma: float) -> bytes:
    """Return an ICC profile of RGB with one gamma for all channels."""
    matrix = to_xyz(space)
    tags = {
        f"{letter}XYZ".encode(): b"XYZ " + bytes(4) + _fixed(*matrix[:, i])
        for i, letter in enumerate("rgb")
    }
    curves = {f"{letter}TRC".encode(): _curve(gamma) for letter in "rgb"}
    return _profile(b"RGB ", {**tags, **curves})


def grey_profile(gamma: float) -> bytes:
    """Return an ICC profile of grey with a gamma."""
    return _profile(b"GRAY", {b"kTRC": _curve(gamma)})


def cmyk_profile(corners_lab: Pixels) -> bytes:
    """Return an ICC profile of CMYK: Lab at the 16 corners, straight between them (`mft1`).

    `corners_lab` is uint8 (2, 2, 2, 2, 3), in ICC's 8-bit Lab: L · 2.55, a + 128, b + 128.
    """
    straight = bytes(range(256))
    head = b"mft1" + bytes(4) + bytes([4, 3, 2, 0])
    identity = _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table = head + identity + straight * 4 + corners_lab.astype(np.uint8).tobytes() + straight * 3
    return _profile(b"CMYK", {b"A2B0": table}, device=b"prtr", pcs=b"Lab ")


def _profile(
    space: bytes, tags: dict[bytes, bytes], *, device: bytes = b"mntr", pcs: bytes = b"XYZ "
) -> bytes:
    """Return an ICC v2 profile (ICC.1:2001-04, section 6)."""
    text = b"desc" + bytes(4) + struct.pack(">L", 2) + b"g\0" + bytes(78)
    bodies = {
        **tags,
        b"wtpt": b"XYZ " + bytes(4) + _fixed(*D50),
        b"desc": text,
        b"cprt": b"text" + bytes(4) + b"none\0" + bytes(3),
    }
    table, data, at = struct.pack(">L", len(bodies)), b"", 128 + 4 + 12 * len(bodies)
    for tag, body in bodies.items():
        table += tag + struct.pack(">LL", at + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    size = at + len(data)
    head = struct.pack(">L4sL4s4s4s", size, b"lcms", 0x02100000, device, space, pcs)
    return head + bytes(12) + b"acsp" + bytes(28) + _fixed(*D50) + bytes(48) + table + data


def _curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">LH", 1, round(gamma * 256)) + bytes(2)


def _fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}l", *(round(number * 65536) for number in numbers))
