"""A changed byte of a PNG file is found out, or changes no pixel."""

import io

import numpy as np
from PIL import Image

from pictures import stripes
from striate.errors import PictureError
from striate.image import decode


def test_no_changed_byte_changes_pixels() -> None:
    file = io.BytesIO()
    Image.fromarray(stripes(0, 0)).save(file, "PNG")
    data = file.getvalue()
    right, refused = decode(data, name="x"), 0
    for position in range(len(data)):
        changed = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        try:
            assert np.array_equal(decode(changed, name="x"), right)
        except PictureError:
            refused += 1
    # The 12 bytes of the last chunk, and a few lengths, say nothing about pixels.
    assert refused >= len(data) - 20
