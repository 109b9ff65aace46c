"""From whatever a caller calls a picture to the pixels that a network takes."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from striate.errors import PictureError, UsageError
from striate.image import MAX_PIXELS, ORIENTATION_TAG, Shape, fit, load, orientation_of

if TYPE_CHECKING:
    from PIL import Image

Picture: TypeAlias = "str | Path | bytes | Image.Image | npt.NDArray[np.uint8]"
"""A path, the bytes of a file, a PIL image, or a uint8 array (H, W) or (H, W, 1 or 3), RGB."""

# PNG keeps these as they are, TIFF also CMYK; others are brought to one of them first.
_KEPT = ("1", "L", "LA", "I;16", "I;16B", "P", "RGB", "RGBA", "CMYK")
_KEPT_AS = {"La": "LA", "PA": "RGBA", "RGBa": "RGBA", "RGBX": "RGB", "YCbCr": "RGB", "HSV": "RGB"}


def is_single(pictures: Any) -> bool:
    """Return True where `pictures` is one picture, False where it is an iterable of them."""
    if isinstance(pictures, np.ndarray):
        return pictures.ndim in (2, 3)
    return isinstance(pictures, str | Path | bytes) or not hasattr(pictures, "__iter__")


def path_of(picture: Picture) -> str | None:
    """Return the picture's path as the caller wrote it, or None where it has none."""
    return str(picture) if isinstance(picture, str | Path) else None


def to_pixels(
    picture: Picture, shape: Shape, *, name: str, max_pixels: int = MAX_PIXELS
) -> npt.NDArray[np.uint8]:
    """Return the picture as uint8 (H, W, C) of `shape`, upright; `name` is for messages.

    Files that declare more than `max_pixels` are refused before they are decoded.

    Raises PictureError where the picture can't be read, UsageError where it is no picture at all.
    """
    if isinstance(picture, np.ndarray):
        return fit(_standing(picture, name), shape)
    if isinstance(picture, str | Path):
        picture = Path(picture)
    elif not isinstance(picture, bytes):
        picture = _file(picture, name)
    return load(picture, shape, name=name, max_pixels=max_pixels).picture_HWC


def _standing(array: npt.NDArray[Any], name: str) -> npt.NDArray[np.uint8]:
    """Return the array as (H, W, 1 or 3)."""
    sizes = array[..., None] if array.ndim == 2 else array
    if sizes.ndim != 3 or sizes.shape[2] not in (1, 3) or not sizes.size:
        raise PictureError(
            name, f"an array should be (H, W) or (H, W, 1 or 3), but this is {array.shape}"
        )
    if array.dtype != np.uint8:
        raise PictureError(
            name, f"an array should be uint8, 0 to 255, but this is {array.dtype}: convert it first"
        )
    return sizes


def _file(picture: Any, name: str) -> bytes:
    """Return a PIL image as a file without loss, so that it goes the way of every other picture.

    Its orientation, profile and transparency go with it.
    """
    from PIL.Image import Image

    if not isinstance(picture, Image):
        raise UsageError(
            f"{name}: a picture is a path, the bytes of a file, a PIL image or a uint8 array, but "
            f"this is {type(picture).__name__}."
        )
    mode = picture.mode if picture.mode in _KEPT else _KEPT_AS.get(picture.mode)
    if mode is None:
        raise PictureError(
            name, f"a PIL image of mode {picture.mode}: convert it to L, I;16, RGB or CMYK first"
        )
    written = BytesIO()
    try:
        picture.load()
        # A copy, because TIFF's plugin would take over what an opened file says of its layout.
        plain = picture.copy() if picture.mode == mode else picture.convert(mode)
        if mode == "CMYK":
            plain.save(written, "TIFF", exif=_orientation(picture))
        else:
            plain.save(written, "PNG", compress_level=1, exif=_orientation(picture))
    except (OSError, ValueError, SyntaxError) as error:
        raise PictureError(name, f"the PIL image can't be read ({error})") from error
    return written.getvalue()


def _orientation(picture: "Image.Image") -> "Image.Exif":
    """Return EXIF data that say which way up a PIL image is, and nothing else."""
    from PIL.Image import Exif

    exif = Exif()
    exif[ORIENTATION_TAG] = orientation_of(picture.info.get("exif"))
    return exif
