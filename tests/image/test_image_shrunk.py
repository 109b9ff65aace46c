"""JPEG decoded smaller: what is saved must not be seen, and no point may move."""

from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from image.golden import stored
from image.picture_files import after_start, encoded, exif, rgb_profile, segment
from striate.errors import PictureError
from striate.image import RULES, Shape, decode, fit, fit_matrix, header, load
from striate.image._decode import read_upright


def scene(height: int, width: int) -> npt.NDArray[np.uint8]:
    """Return a picture with slopes, waves and edges, none of it symmetric."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    red = 40 + 180 * x / width
    green = 40 + 180 * y / height
    blue = 128 + 60 * np.sin(x / 9) * np.cos(y / 14) + 40 * (x > width / 3)
    return np.stack([red, green, blue], axis=2).clip(0, 255).astype(np.uint8)


def jpeg(pixels: npt.NDArray[np.uint8], **options: object) -> bytes:
    return encoded(Image.fromarray(pixels), "JPEG", **{"quality": 95, **options})


def factor_of(data: bytes, shape: Shape) -> int:
    upright = read_upright(
        data, name="x", channels=3, max_pixels=10**8, background=255, shape=shape
    )
    return upright.factor


def whole(data: bytes, shape: Shape) -> npt.NDArray[np.uint8]:
    """Return the picture decoded at its full size, then fitted."""
    return fit(decode(data, name="x", channels=3), shape)


@pytest.mark.parametrize(
    ("side", "factor"), [(8, 8), (16, 8), (17, 4), (32, 4), (33, 2), (64, 2), (65, 1), (300, 1)]
)
def test_it_stays_at_least_twice_as_large_as_needed(side: int, factor: int) -> None:
    data = jpeg(scene(256, 300))
    for rule in RULES:
        assert factor_of(data, Shape(height=side, width=side, channels=3, rule=rule)) >= factor
    assert factor_of(data, Shape(height=side, width=side, channels=3)) == factor
    # The margin counts.
    wide = Shape(height=side, width=side, channels=3, margin=side)
    assert factor_of(data, wide) == factor_of(data, wide.wide) <= factor
    png = encoded(Image.fromarray(scene(256, 300)), "PNG")
    assert factor_of(png, Shape(height=8, width=8, channels=3)) == 1


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("size", [(201, 150), (144, 135), (151, 203)])
def test_nothing_moves_whichever_way_the_file_lies(
    value: int, rule: str, size: tuple[int, int]
) -> None:
    kept = stored(scene(*size), value)
    data = after_start(jpeg(kept, subsampling=0), segment(0xE1, b"Exif\0\0" + exif(value)))
    shape = Shape(height=9, width=8, channels=3, rule=rule)
    assert factor_of(data, shape) in (4, 8)
    fitted, expected = load(data, shape, name="x"), whole(data, shape)
    difference = fitted.picture_HWC.astype(int) - expected
    # Red and green are slopes: a shift of one pixel of the file would be about a level, all over.
    assert np.abs(difference.mean(axis=(0, 1))[:2]).max() < 0.75
    assert np.abs(difference).mean() <= 2
    assert np.array_equal(fitted.matrix, fit_matrix(*size, shape))
    assert header(data, name="x")[:2] == size


@settings(deadline=None, max_examples=25)
@given(
    st.integers(120, 260),
    st.integers(120, 260),
    st.sampled_from(range(1, 9)),
    st.sampled_from(RULES),
    st.integers(0, 4),
)
def test_the_matrix_says_where_a_slope_s_values_went(
    height: int, width: int, value: int, rule: str, margin: int
) -> None:
    data = after_start(
        jpeg(stored(scene(height, width), value), subsampling=0, quality=98),
        segment(0xE1, b"Exif\0\0" + exif(value)),
    )
    shape = Shape(height=12, width=10, channels=3, rule=rule, margin=margin)
    fitted = load(data, shape, name="x")
    # Where "pad" put the picture: its outermost pixels mix with what lies outside.
    lowest = fitted.matrix @ [0, 0, 1]
    highest = fitted.matrix @ [width - 1, height - 1, 1]
    back = np.linalg.inv(np.vstack([fitted.matrix, [0, 0, 1]]))
    for row, column in product(range(12), range(10)):
        inside = (lowest + 1 < (column, row)).all() and (highest - 1 > (column, row)).all()
        if inside:
            x, y, _ = back @ [column, row, 1]
            red, green, _ = fitted.picture_HWC[row, column].astype(float)
            assert abs(red - (40 + 180 * x / width)) < 2.5
            assert abs(green - (40 + 180 * y / height)) < 2.5


def test_colours_are_right_whatever_the_file_holds() -> None:
    image = Image.fromarray(scene(210, 260))
    shape = Shape(height=16, width=16, channels=3)
    files = [
        encoded(image, "JPEG", progressive=True),
        encoded(image, "JPEG", icc_profile=rgb_profile("P3", 2.2)),
        encoded(image.convert("CMYK"), "JPEG"),
        encoded(image.convert("L"), "JPEG"),
        encoded(image, "JPEG", keep_rgb=True),
        encoded(image, "JPEG", subsampling=2),
        encoded(image, "JPEG", restart_marker_blocks=3),
    ]
    for data in files:
        assert factor_of(data, shape) == 4
        difference = load(data, shape, name="x").picture_HWC.astype(int) - whole(data, shape)
        assert np.abs(difference).mean() <= 2
    grey = Shape(height=16, width=16, channels=1)
    green = Shape(height=16, width=16, channels=1, plane="green")
    colour = load(files[0], shape, name="x").picture_HWC
    assert np.array_equal(load(files[0], green, name="x").picture_HWC, colour[..., 1:2])
    as_grey = Image.fromarray(colour).convert("L")
    assert (
        np.abs(load(files[0], grey, name="x").picture_HWC[..., 0] - np.array(as_grey, int)).max()
        <= 1
    )


def test_truncated_is_said_of_shrunk_ones_too() -> None:
    data = jpeg(scene(210, 260))
    for cut in (data[:-600], data[:-600] + b"\xff\xd9"):
        with pytest.raises(PictureError) as caught:
            load(cut, Shape(height=8, width=8, channels=3), name="x")
        assert caught.value.reason == "truncated"


def test_a_jpeg_above_the_limit_is_read_where_it_shrinks_below() -> None:
    data = jpeg(scene(200, 240))
    small = Shape(height=8, width=8, channels=3)
    # At an eighth it has 25 × 30 pixels.
    assert load(data, small, name="x", max_pixels=750).picture_HWC.shape == (8, 8, 3)
    said = []
    for shape, most in ((small, 749), (Shape(height=90, width=90, channels=3), 40_000)):
        with pytest.raises(PictureError) as caught:
            load(data, shape, name="x", max_pixels=most)
        said.append(caught.value.reason)
    assert said == [
        "240 × 200 pixels, more than the limit of 749 pixels",
        "240 × 200 pixels, more than the limit of 40,000 pixels",
    ]
    # A progressive one is kept whole in memory, whatever it is shrunk to.
    with pytest.raises(PictureError):
        load(jpeg(scene(200, 240), progressive=True), small, name="x", max_pixels=750)
    # Nobody asked for another size here.
    with pytest.raises(PictureError):
        decode(data, name="x", max_pixels=47_999)
