"""Resizing by rule, its matrix, and channels."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pictures import stripes
from striate.image import INTERPOLATIONS, PLANES, RULES, Shape, fit, fit_matrix, to_channels

SIDES = st.integers(1, 40)


def dot(height: int, width: int, y: int, x: int) -> npt.NDArray[np.uint8]:
    """Return black with a white dot of about a tenth of the picture around (x, y)."""
    rows, columns = np.mgrid[0:height, 0:width]
    far = ((rows - y) ** 2 + (columns - x) ** 2) / (height * width / 60)
    made: npt.NDArray[np.uint8] = (255 * np.exp(-far)).astype(np.uint8)
    return made[..., None]


def centre_of(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Return the centre of gravity (x, y) of a picture's values."""
    weights = picture[..., 0].astype(float)
    rows, columns = np.mgrid[0 : weights.shape[0], 0 : weights.shape[1]]
    centre: npt.NDArray[np.float64] = np.array([(weights * columns).sum(), (weights * rows).sum()])
    centre /= weights.sum()
    return centre


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


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("margin", [0, 3])
def test_a_plane_is_that_channel_of_the_colours(plane: str, margin: int) -> None:
    picture = stripes(1, 0, size=33)[:27]
    colour = Shape(height=10, width=12, channels=3, margin=margin)
    single = replace(colour, channels=1, plane=plane)
    index = ("red", "green", "blue").index(plane)
    assert np.array_equal(fit(picture, single), fit(picture, colour)[..., index : index + 1])
    assert np.array_equal(fit_matrix(27, 33, single), fit_matrix(27, 33, colour))
    grey = picture[..., :1]
    assert np.array_equal(fit(grey, single), fit(grey, replace(single, plane="")))


@settings(deadline=None, max_examples=60)
@given(SIDES, SIDES, SIDES, SIDES, st.integers(0, 9), st.sampled_from(RULES))
def test_a_margin_is_cut_off_the_wide_picture(
    height: int, width: int, to_height: int, to_width: int, margin: int, rule: str
) -> None:
    rng = np.random.default_rng((height, width))
    picture = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    shape = Shape(height=to_height, width=to_width, channels=3, rule=rule, margin=margin)
    wide = Shape(height=to_height + 2 * margin, width=to_width + 2 * margin, channels=3, rule=rule)
    assert shape.wide == wide and wide.wide == wide
    cut = fit(picture, wide)[margin : margin + to_height, margin : margin + to_width]
    assert np.array_equal(fit(picture, shape), cut)
    moved = fit_matrix(height, width, wide) - [[0, 0, margin], [0, 0, margin]]
    assert np.allclose(fit_matrix(height, width, shape), moved, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(2, 250),
    st.integers(2, 250),
    SIDES,
    SIDES,
    st.integers(0, 9),
    st.sampled_from(RULES),
)
def test_pixels_that_say_their_own_place_come_out_where_the_matrix_says(
    height: int, width: int, to_height: int, to_width: int, margin: int, rule: str
) -> None:
    y, x = np.mgrid[0:height, 0:width].astype(np.uint8)
    shape = Shape(height=to_height, width=to_width, channels=3, rule=rule, margin=margin)
    fitted = fit(np.stack([x, y, x], axis=2), shape).astype(float)
    matrix = fit_matrix(height, width, shape)
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    rows, columns = np.mgrid[0:to_height, 0:to_width]
    places = back @ np.stack([columns.ravel(), rows.ravel(), np.ones(rows.size)])
    # A slope survives resizing, but within a filter's reach of the picture's edge.
    reach = np.maximum(1, 1 / np.diag(matrix[:, :2]))
    last = np.array([width - 1, height - 1])
    for axis in (0, 1):
        inside = (places[axis] > reach[axis]) & (places[axis] < last[axis] - reach[axis])
        if rule == "pad":
            other = 1 - axis
            inside &= (places[other] > -0.5) & (places[other] < last[other] + 0.5)
        values = fitted[..., axis].ravel()
        assert np.abs(values - places[axis])[inside].max(initial=0) <= 1.01
