"""What Pillow's TIFF plugin leaves to its callers: channels that lie apart, inverted grey, bombs."""

import struct
from typing import TYPE_CHECKING, Any, BinaryIO

from striate.errors import PictureError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_BITS = 258
_PHOTOMETRIC = 262
_SAMPLES = 277
_PLANAR = 284
_OFFSETS = (273, 324)

# Pieces of one picture. Pillow keeps an object for each; files of cameras and scanners have some
# thousands at most.
_MOST_PIECES = 2**16
_MOST_ENTRIES = 4096


def check_pieces(file: BinaryIO, *, name: str) -> None:
    """Raise PictureError where a TIFF file lists more pieces than any picture needs."""
    directory = _directory(file)
    if len(directory) > _MOST_ENTRIES:
        raise PictureError(name, f"damaged (it has more than {_MOST_ENTRIES:,} tags)")
    if any(number > _MOST_PIECES for tag, number in directory if tag in _OFFSETS):
        raise PictureError(name, f"damaged (it lists more than {_MOST_PIECES:,} pieces)")


def white_is_zero(image: "ImageFile") -> bool:
    """Return whether 0 is white in 16-bit grey; of other grey Pillow sees to that itself."""
    return image.format == "TIFF" and _tag(image, _PHOTOMETRIC, 0) == 0


def mend_planes(image: "ImageFile", *, name: str) -> None:
    """Make Pillow read a TIFF's channels rightly where they lie apart and uncompressed.

    It reads them as 8 bits whatever they have, and a single one as if 0 were black. Raises
    PictureError for kinds that can't be mended.
    """
    apart = image.format == "TIFF" and _tag(image, _PLANAR, 1) == 2
    if not apart or getattr(image, "use_load_libtiff", True):
        return
    bits, samples = _tag(image, _BITS, 1), _tag(image, _SAMPLES, 1)
    if bits == 8 and (samples > 1 or _tag(image, _PHOTOMETRIC, 0) == 1):
        return
    if bits != 16 or image.mode not in ("RGB", "RGBA"):
        raise PictureError(name, "its channels lie apart in a way that striate doesn't read")
    order = "L" if _prefix(image) == b"II" else "B"
    image.tile = [
        tile._replace(args=(f"{tile.args[0]};16{order}", *tile.args[1:]))  # type: ignore[index]
        for tile in image.tile
    ]


def _tag(image: "ImageFile", tag: int, otherwise: int) -> Any:
    value = image.tag_v2.get(tag, otherwise)  # type: ignore[attr-defined]
    return value[0] if isinstance(value, tuple) else value


def _prefix(image: "ImageFile") -> bytes:
    prefix: bytes = image.tag_v2.prefix  # type: ignore[attr-defined]
    return prefix


def _directory(file: BinaryIO) -> list[tuple[int, int]]:
    """Return the first directory's tags, each with its number of values (TIFF 6.0, section 2).

    Empty where it is cut short, which Pillow says itself.
    """
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    # BigTIFF has wider numbers.
    big = head[2:4].strip(b"\0") == b"+"
    offset, count, entry, at = ("Q", "Q", "HHQ8s", 8) if big else ("L", "H", "HHL4s", 4)
    try:
        file.seek(*struct.unpack_from(order + offset, head, at))
        (entries,) = struct.unpack(order + count, file.read(struct.calcsize(order + count)))
        size = struct.calcsize(order + entry)
        read = file.read(size * min(entries, _MOST_ENTRIES + 1))
    except (struct.error, OSError, OverflowError):
        return []
    whole = read[: len(read) // size * size]
    return [(tag, number) for tag, _, number, _ in struct.iter_unpack(order + entry, whole)]
