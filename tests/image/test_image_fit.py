"""Resizing by rule, its matrix, and channels."""

import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pictures import stripes
from striate.image import INTERPOLATIONS, RULES, Shape, fit, fit_matrix, to_channels

SIDES = st.integers(1, 40)


def dot(height: int, width: int, y: int, x: int) -> npt.NDArray[np.uint8]:
    """Return black with a white dot of about a tenth of the picture around (x, y)."""
    rows, columns = np.mgrid[0:height, 0:width]
    far = ((rows - y) ** 2 + (columns - x) ** 2) / (height * width / 60)
    return (255 * np.exp(-far)).astype(np.uint8)[..., None]


def centre_of(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Return the centre of gravity (x, y) of a picture's values."""
    weights = picture[..., 0].astype(float)
    rows, columns = np.mgrid[0 : weights.shape[0], 0 : weights.shape[1]]
    return np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("size", [(90, 120), (31, 17), (200, 80)])
def test_the_matrix_says_where_the_dot_went(
    rule: str, interpolation: str, size: tuple[int, int]
) -> None:
    height, width = size
    shape = Shape(height=48, width=64, channels=1, rule=rule, interpolation=interpolation)
    # Off the centre, but where "crop" keeps it whole.
    y, x = height // 2 + 2, width // 2 - 2
    picture = dot(height, width, y, x)
    moved = fit_matrix(height, width, shape) @ [x, y, 1]
    assert np.abs(centre_of(fit(picture, shape)) - moved).max() < 0.35


@settings(deadline=None, max_examples=80)
@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from(RULES), st.sampled_from([1, 3]))
def test_every_size_fits(
    height: int, width: int, to_height: int, to_width: int, rule: str, channels: int
) -> None:
    shape = Shape(height=to_height, width=to_width, channels=channels, rule=rule)
    fitted = fit(np.full((height, width, 3), 200, np.uint8), shape)
    assert fitted.shape == (to_height, to_width, channels) and fitted.dtype == np.uint8
    # One colour stays itself; only "pad" adds black.
    assert set(np.unique(fitted)) <= ({200, 0} if rule == "pad" else {200})
    matrix = fit_matrix(height, width, shape)
    assert matrix.dtype == np.float64 and matrix.shape == (2, 3)
    # The picture's centre is the fitted one's, but for the whole pixels of a pad.
    middle = matrix @ [(width - 1) / 2, (height - 1) / 2, 1]
    assert np.abs(middle - [(to_width - 1) / 2, (to_height - 1) / 2]).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("rule", RULES)
def test_a_picture_of_the_right_size_is_untouched(rule: str) -> None:
    picture = stripes(1, 0)
    shape = Shape(height=16, width=16, channels=3, rule=rule)
    assert fit(picture, shape) is picture
    assert np.array_equal(fit_matrix(16, 16, shape), np.eye(2, 3))


def test_crop_is_resizing_then_cutting() -> None:
    picture = stripes(1, 0, size=64)[:32]
    fitted = fit(picture, Shape(height=16, width=16, channels=3))
    whole = np.array(Image.fromarray(picture).resize((32, 16), Image.Resampling.BILINEAR))
    assert np.abs(fitted.astype(int) - whole[:, 8:24]).max() <= 1


def test_pad_is_black_beside_the_picture() -> None:
    picture = np.full((10, 20, 3), 90, np.uint8)
    fitted = fit(picture, Shape(height=8, width=8, channels=3, rule="pad"))
    assert (fitted[2:6] == 90).all() and (fitted[:2] == 0).all() and (fitted[6:] == 0).all()


def test_squash_is_pillows_resize() -> None:
    picture = stripes(1, 0, size=40)[:30]
    shape = Shape(height=7, width=9, channels=3, rule="squash", interpolation="bicubic")
    expected = np.array(Image.fromarray(picture).resize((9, 7), Image.Resampling.BICUBIC))
    assert np.array_equal(fit(picture, shape), expected)


def test_shrinking_averages() -> None:
    board = np.indices((64, 64)).sum(0).astype(np.uint8) % 2 * 255
    fitted = fit(board[..., None], Shape(height=8, width=8, channels=1))
    assert np.abs(fitted.astype(int) - 127).max() <= 8


def test_channels() -> None:
    picture = stripes(1, 0)
    grey = to_channels(picture, 1)
    assert np.array_equal(grey[..., 0], np.array(Image.fromarray(picture).convert("L")))
    assert np.array_equal(to_channels(grey, 3), np.dstack([grey] * 3))
    assert to_channels(picture, 3) is picture and to_channels(grey, 1) is grey
    with pytest.raises(ValueError) as caught:
        to_channels(picture, 2)
    assert str(caught.value) == "3 channels to 2: both must be 1 or 3."


def test_importing_the_room_brings_no_pillow() -> None:
    code = "import striate.image, sys; print('PIL' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
