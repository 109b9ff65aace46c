"""Small files that ask for far too much, and a way to see what they get.

`python -m image.bombs` (with `tests` on the path) reads all of them and prints, as JSON, what came
of each, its milliseconds, and the process's peak of memory above where it began, in MiB.
"""

import json
import struct
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from image.picture_files import (
    after_start,
    chunk,
    encoded,
    png,
    png_header,
    segment,
    tiff,
    tiff_directory,
)

Bomb = tuple[str, bytes]

_SMALL = np.full((8, 8, 3), 90, np.uint8)
_ZEROS = zlib.compress(bytes(100_000_000), 9)


def refused() -> Iterator[Bomb]:
    """Yield files that must be refused."""
    for family in (_pngs, _jpegs, _webps, _gifs, _tiffs, _plain, _other_formats):
        yield from family()


def harmless() -> Iterator[Bomb]:
    """Yield files whose excess is never looked at: they must be read, as fast as others."""
    gif = encoded(Image.fromarray(_SMALL), "GIF")
    frame = gif[gif.index(b"\x2c\0\0\0\0") : -1]
    yield "GIF of 100,000 frames", gif[:-1] + frame * 100_000 + gif[-1:]
    parts = [chunk(b"fcTL", struct.pack(">LLLLLHHBB", 0, 8, 8, 0, 0, 1, 1, 0, 0))]
    control = chunk(b"acTL", struct.pack(">LL", 100_000, 0))
    more = chunk(b"fcTL", struct.pack(">LLLLLHHBB", 1, 8, 8, 0, 0, 1, 1, 0, 0))
    more += chunk(b"fdAT", struct.pack(">L", 2) + zlib.compress(bytes(8 * 25)))
    yield "PNG of 100,000 frames", png(_SMALL, 8, 2, control, *parts, after=more * 100_000)
    jpeg = encoded(Image.fromarray(_SMALL), "JPEG")
    directory = struct.pack("<H", 5000) + b"".join(
        struct.pack("<HHLL", tag, 7, 60_000, 8) for tag in range(5000)
    )
    data = segment(0xE1, b"Exif\0\0" + b"II*\0\x08\0\0\0" + directory)
    yield "JPEG whose EXIF repeats itself", after_start(jpeg, data)
    profile = [
        segment(0xE2, b"ICC_PROFILE\0" + bytes([i + 1, 255]) + bytes(65000)) for i in range(255)
    ]
    yield "JPEG with a profile of 16 MB", after_start(jpeg, *profile)


def _pngs() -> Iterator[Bomb]:
    end = chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    for what, depth, colour in (("grey", 1, 0), ("RGB", 8, 2), ("RGBA", 16, 6), ("palette", 1, 3)):
        yield f"PNG of 50,000 × 50,000, {what}", png_header(50_000, 50_000, depth, colour) + end
    head = struct.pack(">LLBBBBB", 50_000, 50_000, 8, 2, 0, 0, 1)
    yield "PNG interlaced", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + end
    yield "PNG of 2³¹ − 1 columns", png_header(2**31 - 1, 1, 8, 0) + end
    yield "PNG of 39 MP without pixels", png_header(6500, 6000, 8, 6) + end
    yield "PNG of 39 MP in 16 bits without pixels", png_header(6500, 6000, 16, 6) + end
    body = {
        b"zTXt": b"a\0\0" + _ZEROS,
        b"iTXt": b"a\0\x01\0\0\0" + _ZEROS,
        b"iCCP": b"a\0\0" + _ZEROS,
    }
    for kind, packed in body.items():
        name = kind.decode()
        yield f"PNG whose {name} unpacks to 100 MB", png(_SMALL, 8, 2, chunk(kind, packed))
    late = chunk(b"zTXt", body[b"zTXt"])
    yield "PNG whose last chunk unpacks to 100 MB", png(_SMALL, 8, 2, after=late)
    text = [chunk(b"zTXt", b"%d\0\0" % i + zlib.compress(bytes(1_000_000))) for i in range(100)]
    yield "PNG with 100 texts of 1 MB", png(_SMALL, 8, 2, *text)
    frames = chunk(b"acTL", struct.pack(">LL", 100_000, 0))
    control = chunk(b"fcTL", struct.pack(">LLLLLHHBB", 0, 50_000, 50_000, 0, 0, 1, 1, 0, 0))
    data = png_header(50_000, 50_000, 8, 6) + frames + (control + chunk(b"fdAT", bytes(9))) * 1000
    yield "PNG of 100,000 large frames", data + end


def _jpegs() -> Iterator[Bomb]:
    for progressive in (False, True):
        data = encoded(Image.fromarray(_SMALL), "JPEG", progressive=progressive)
        what = ", progressive" * progressive
        yield f"JPEG of 65,500 × 65,500{what}", _resized(data, 65_500, 65_500)
        yield f"JPEG of 101 MP{what}", _resized(data, 10_100, 10_000)
        yield f"JPEG of 39 MP without pixels{what}", _resized(data, 6500, 6000)
    yield "JPEG of 99 MP, progressive", _resized(data, 9900, 10_000)
    start, end = data.index(b"\xff\xda"), data.index(b"\xff\xd9")
    yield (
        "JPEG of 39 MP and 10,000 scans",
        (_resized(data[:start], 6500, 6000) + data[start:end] * 10_000 + b"\xff\xd9"),
    )
    cmyk = encoded(Image.fromarray(_SMALL).convert("CMYK"), "JPEG")
    yield "JPEG of 65,500 × 65,500, CMYK", _resized(cmyk, 65_500, 65_500)

    jpeg = encoded(Image.fromarray(_SMALL), "JPEG")
    yield "JPEG of 100,000 remarks", after_start(jpeg, *[segment(0xFE, b"")] * 100_000)
    many = [segment(0xE1, b"Exif\0\0" + b"II*\0" + bytes(65000))] * 300
    yield "JPEG with 20 MB of EXIF", after_start(jpeg, *many)


def _resized(jpeg: bytes, width: int, height: int) -> bytes:
    at = max(jpeg.find(b"\xff\xc0"), jpeg.find(b"\xff\xc2"))
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


def _riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<L", len(body)) + body


def _riff_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<L", len(body)) + body + bytes(len(body) % 2)


def _canvas(width: int, height: int, flags: int) -> bytes:
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return _riff_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sizes)


def _webps() -> Iterator[Bomb]:
    small = encoded(Image.fromarray(_SMALL), "WebP", lossless=True)[12:]
    bits = (16383 | 16383 << 14).to_bytes(4, "little")
    yield (
        "WebP lossless of 16,384 × 16,384",
        _riff(_riff_chunk(b"VP8L", b"\x2f" + bits + bytes(90))),
    )
    lossy = encoded(Image.fromarray(_SMALL), "WebP")
    yield "WebP of 16,383 × 16,383", lossy[:26] + struct.pack("<HH", 16383, 16383) + lossy[30:]
    yield "WebP canvas of 16,384 × 16,384", _riff(_canvas(16384, 16384, 0), small)
    yield "WebP canvas of 16 million columns", _riff(_canvas(2**24, 255, 0), small)
    frame = _riff_chunk(b"ANMF", bytes(6) + bytes([7, 0, 0, 7, 0, 0, 1, 0, 0, 0]) + small)
    animation = _riff_chunk(b"ANIM", bytes(6))
    data = _riff(_canvas(16000, 11000, 2), animation, frame * 100_000)
    yield "WebP of 100,000 frames on 176 MP", data
    yield "WebP of 39 MP without pixels", _riff(_riff_chunk(b"VP8L", b"\x2f" + _vp8l(6500, 6000)))


def _vp8l(width: int, height: int) -> bytes:
    return ((width - 1) | (height - 1) << 14).to_bytes(4, "little")


def _gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)


def _gifs() -> Iterator[Bomb]:
    block = b"\x02\x02\x84\x51\x00\x3b"
    large = b"\x2c" + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)
    yield "GIF of 65,535 × 65,535", _gif(65535, 65535) + large + block
    yield "GIF whose frame is larger than its screen", _gif(8, 8) + large + block
    hundred = b"\x2c" + struct.pack("<HHHHB", 0, 0, 10_000, 10_000, 0)
    yield "GIF whose frame has 100 MP", _gif(8, 8) + hundred + block
    yield (
        "GIF of 39 MP without pixels",
        _gif(6500, 6000)
        + large.replace(struct.pack("<HH", 65535, 65535), struct.pack("<HH", 6500, 6000)),
    )


def _tiffs() -> Iterator[Bomb]:
    basis = {258: (3, [8]), 259: (3, [1]), 262: (3, [1]), 277: (3, [1])}
    large = {**basis, 256: (4, [50_000]), 257: (4, [50_000]), 278: (4, [50_000])}
    strip = {273: (4, [8]), 279: (4, [100])}
    yield "TIFF of 50,000 × 50,000", tiff_directory({**large, **strip})
    yield "TIFF of 50,000 × 50,000, deflate", tiff_directory({**large, **strip, 259: (3, [8])})
    few = {**basis, 256: (4, [6000]), 257: (4, [6000]), 278: (4, [1])}
    many = {273: (3, [8] * 70_000), 279: (3, [1] * 70_000)}
    yield "TIFF of 70,000 strips", tiff_directory({**few, **many})
    tiles = {322: (4, [1]), 323: (4, [1]), 324: (3, [8] * 70_000), 325: (3, [1] * 70_000)}
    yield "TIFF of 70,000 tiles", tiff_directory({**few, **tiles})
    over = {278: (4, [5999]), 273: (3, [8] * 60_000), 279: (3, [1] * 60_000)}
    yield "TIFF of 60,000 strips on each other", tiff_directory({**few, **over})
    tile = {
        **few,
        259: (3, [8]),
        322: (4, [60_000]),
        323: (4, [60_000]),
        324: (4, [8]),
        325: (4, [9]),
    }
    yield "TIFF with a tile of 60,000 × 60,000", tiff_directory(tile)
    yield "TIFF of 65,535 samples", tiff_directory({**few, **strip, 277: (3, [65535])})
    plain = bytearray(tiff(_SMALL[:6], 8, 2)[:-100])
    yield "TIFF cut short", bytes(plain)
    entries = b"".join(struct.pack("<HHLL", tag, 7, 150_000, 8) for tag in range(20_000))
    data = b"II*\0" + struct.pack("<LH", 8, 20_000) + entries + bytes(4)
    yield "TIFF of 20,000 tags on each other", data
    loop = bytearray(tiff_directory({**large, **strip}))
    loop[8 + 2 + 12 * 8 :][:4] = b"\x08\0\0\0"
    at = 8 + 2 + 12 * (len(large) + len(strip))
    loop[at : at + 4] = struct.pack("<L", 8)
    yield "TIFF whose directory follows itself", bytes(loop)
    yield "BigTIFF of 2⁶³ tags", b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**63) + bytes(400_000)


def _plain() -> Iterator[Bomb]:
    head = struct.pack("<LllHHLLllLL", 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0)
    yield "BMP of 60,000 × 60,000", b"BM" + struct.pack("<LLL", 54, 0, 54) + head
    head = struct.pack("<LllHHLLllLL", 40, 60_000, 60_000, 1, 8, 1, 0, 0, 0, 0, 0)
    yield (
        "BMP packed",
        b"BM" + struct.pack("<LLL", 54, 0, 1078) + head + bytes(1024) + b"\xff\x01" * 99,
    )
    for kind in (b"P1", b"P3", b"P4", b"P5", b"P6"):
        top = b"" if kind in (b"P1", b"P4") else b"65535\n"
        yield f"{kind.decode()} of 99,999 × 99,999", kind + b"\n99999 99999\n" + top
    yield "P5 of numbers without end", b"P5\n" + b"9" * 1_000_000
    yield "P6 of 39 MP without pixels", b"P6\n6500 6000\n65535\n"


def _other_formats() -> Iterator[Bomb]:
    yield "EPS", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99999 99999\n"
    yield "PSD", b"8BPS\0\x01" + bytes(6) + struct.pack(">HLLHH", 3, 30_000, 30_000, 8, 3)
    yield "JPEG 2000", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60)
    yield "SVG", b'<svg xmlns="http://www.w3.org/2000/svg" width="99999" height="99999"/>'
    yield "ICNS", b"icns" + struct.pack(">L", 2**31) + bytes(40)


def _came_of(data: bytes) -> str:
    from striate.errors import PictureError
    from striate.image import Shape, load

    try:
        load(data, Shape(height=64, width=64, channels=3), name="bomb")
    except PictureError as error:
        return error.reason
    return ""


def _peak() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _main() -> None:
    # What Pillow's plugins take to be imported is no bomb's fault.
    for kind in ("JPEG", "PNG", "WebP", "TIFF", "BMP", "GIF", "PPM"):
        _came_of(encoded(Image.fromarray(_SMALL), kind))
    found = []
    for name, data in [*refused(), *harmless()]:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        before, start = _peak(), time.perf_counter()
        reason = _came_of(data)
        taken = (time.perf_counter() - start) * 1000
        found.append((name, reason, round(taken, 1), round(_peak() - before, 1)))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    _main()
