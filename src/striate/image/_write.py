"""Pixels to PNG, for model folders and reports; no metadata is written."""

from base64 import b64encode
from io import BytesIO

import numpy as np
import numpy.typing as npt

from striate.image._channels import to_array, to_image


def encode_png(picture_HWC: npt.NDArray[np.uint8]) -> bytes:
    """Return uint8 (H, W, 1 or 3) as the bytes of a PNG file, without loss."""
    buffer = BytesIO()
    to_image(picture_HWC).save(buffer, "PNG")
    return buffer.getvalue()


def data_uri(picture_HWC: npt.NDArray[np.uint8], *, size: int) -> str:
    """Return a picture as a data URI (PNG) whose longer side is at most `size` pixels.

    Smaller pictures keep their size.
    """
    png = encode_png(_thumbnail(picture_HWC, size))
    return "data:image/png;base64," + b64encode(png).decode("ascii")


def _thumbnail(picture_HWC: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    from PIL.Image import Resampling

    height, width = picture_HWC.shape[:2]
    scale = size / max(height, width)
    if scale >= 1:
        return picture_HWC
    to = (max(1, round(width * scale)), max(1, round(height * scale)))
    return to_array(to_image(picture_HWC).resize(to, Resampling.BILINEAR))
