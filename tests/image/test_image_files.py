"""Formats by content, and writing PNG."""

import io
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pictures import save, stripes
from striate.image import (
    FORMATS,
    SUFFIXES,
    actual_format,
    data_uri,
    decode,
    encode_png,
    wrong_suffix,
)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".bmp", ".gif", ".ppm"])
def test_content_decides(suffix: str, tmp_path: Path) -> None:
    path = save(stripes(1, 0), tmp_path / f"a{suffix}")
    assert SUFFIXES[suffix] == actual_format(path) == actual_format(path.read_bytes())
    assert wrong_suffix(path) is None
    lying = path.rename(tmp_path / ("b.png" if suffix != ".png" else "b.JPG"))
    assert wrong_suffix(lying) == SUFFIXES[suffix]
    assert wrong_suffix(lying.rename(tmp_path / "c.dat")) is None


def test_every_format_has_a_suffix() -> None:
    assert set(SUFFIXES.values()) == set(FORMATS)


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_a_heic_picture_called_jpg(brand: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(8))
    assert actual_format(path) == wrong_suffix(path) == "HEIC"


def test_no_picture_has_no_format(tmp_path: Path) -> None:
    assert actual_format(b"<html>") is None
    assert actual_format(tmp_path / "none.png") is None
    assert wrong_suffix(tmp_path / "none.png") is None


@pytest.mark.parametrize("channels", [1, 3])
def test_png_round_trip(channels: int) -> None:
    picture = stripes(1, 0, channels=channels)
    data = encode_png(picture)
    assert np.array_equal(decode(data, name="x"), picture)
    assert Image.open(io.BytesIO(data)).info == {}


@pytest.mark.parametrize(("size", "expected"), [(8, (4, 8)), (16, (8, 16)), (99, (8, 16))])
def test_thumbnail(size: int, expected: tuple[int, int]) -> None:
    picture = stripes(1, 0)[:8]
    uri = data_uri(picture, size=size)
    assert uri.startswith("data:image/png;base64,")
    thumbnail = decode(b64decode(uri.partition(",")[2]), name="x")
    assert thumbnail.shape == (*expected, 3)
    assert abs(thumbnail.mean() - picture.mean()) < 2
