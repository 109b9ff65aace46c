"""Which way up a picture is: EXIF tag 0x0112 (Exif 2.32, section 4.6.4)."""

import struct
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

ORIENTATION_TAG = 0x0112


def orientation(image: "ImageFile", file: BinaryIO) -> int:
    """Return the EXIF orientation, 1 (upright) to 8; 1 where there is none or it is broken.

    TIFF's plugin turns the picture itself and reports the turned size, so it counts as upright.
    """
    if image.format == "TIFF":
        return 1
    exif = image.info.get("exif")
    if exif is None and image.format == "PNG":
        exif = _png_exif(file)
    return orientation_of(exif)


def swaps_sides(value: int) -> bool:
    """Return whether turning the picture upright exchanges its height and width."""
    return value >= 5


def mirrors(value: int) -> tuple[bool, bool]:
    """Return whether the upright picture's (columns, rows) run against those of the file.

    Where sides are swapped, the upright picture's columns are the file's rows.
    """
    return value in (2, 3, 6, 7), value in (3, 4, 7, 8)


def turn(image: "Image", value: int) -> "Image":
    """Return the picture turned upright."""
    from PIL.Image import Transpose

    methods = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(methods[value]) if value in methods else image


def orientation_of(exif: object) -> int:
    """Return the orientation, 1 to 8, in the bytes of EXIF data; 1 where it is broken or None."""
    if not isinstance(exif, bytes):
        return 1
    tiff = exif.removeprefix(b"Exif\x00\x00")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "L", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, number = struct.unpack_from(order + "HHL", tiff, entry)
            if tag == ORIENTATION_TAG and number == 1 and kind in (3, 4):
                width = "H" if kind == 3 else "L"
                (value,) = struct.unpack_from(order + width, tiff, entry + 8)
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1


def _png_exif(file: BinaryIO) -> bytes | None:
    # The chunk may stand behind the pixels, where Pillow sees it only after decoding.
    if isinstance(file, BytesIO) and b"eXIf" not in file.getvalue():
        return None
    before = file.tell()
    file.seek(8)
    found = None
    while found is None and len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">L4s", head)
        found = file.read(length) if kind == b"eXIf" else None
        file.seek(length + 4, 1)
    file.seek(before)
    return found
