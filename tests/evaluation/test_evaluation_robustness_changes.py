"""The changes of robustness, against NumPy and SciPy."""

import numpy as np
import pytest
from scipy import ndimage

from pictures import stripes
from striate.evaluation._robustness_changes import FAMILIES, Batch, Strength
from striate.image import Shape

FAMILY = {family.name: family for family in FAMILIES}
SHAPE = Shape(height=12, width=20, channels=3)
MARGIN = Shape(height=12, width=20, channels=3, margin=3)


def batch(shape: Shape = SHAPE, count: int = 8) -> Batch:
    wide = shape.wide
    pictures = [
        stripes(number % 4, number, size=32, channels=shape.channels)[: wide.height, : wide.width]
        for number in range(count)
    ]
    return Batch(np.stack(pictures), np.arange(count, dtype=np.uint64), shape)


def changed(name: str, strength: Strength, given: Batch) -> np.ndarray:
    found = FAMILY[name].change(given, strength)
    shape = given.shape
    assert found.shape == (len(given.ids), shape.height, shape.width, shape.channels)
    assert found.dtype == np.uint8
    return found


@pytest.mark.parametrize("shape", [SHAPE, MARGIN, Shape(height=9, width=9, channels=1, margin=2)])
@pytest.mark.parametrize("name", list(FAMILY))
def test_the_unchanged_strength_changes_nothing(name: str, shape: Shape) -> None:
    given = batch(shape)
    if name == "blur":  # its limit: a deviation of almost nothing
        np.testing.assert_array_equal(changed(name, 1e-3, given), given.seen_BHWC)
    else:
        found = changed(name, FAMILY[name].unchanged, given)
        np.testing.assert_array_equal(found, given.seen_BHWC)


def test_the_margin_is_cut_off() -> None:
    given = batch(MARGIN)
    np.testing.assert_array_equal(given.seen_BHWC, given.pictures_BHWC[:, 3:-3, 3:-3])
    np.testing.assert_array_equal(batch().seen_BHWC, batch().pictures_BHWC)


@pytest.mark.parametrize("shape", [SHAPE, MARGIN])
def test_flips_are_numpys(shape: Shape) -> None:
    given = batch(shape)
    seen = given.seen_BHWC
    np.testing.assert_array_equal(changed("flip", "horizontal", given), seen[:, :, ::-1])
    np.testing.assert_array_equal(changed("flip", "vertical", given), seen[:, ::-1])
    np.testing.assert_array_equal(changed("flip", "both", given), seen[:, ::-1, ::-1])


def test_half_a_turn_is_both_flips_and_a_quarter_is_numpys() -> None:
    given = batch()
    seen = given.seen_BHWC.astype(int)
    half = changed("rotation", 180.0, given)
    assert np.abs(half - seen[:, ::-1, ::-1]).max() <= 1
    square = batch(Shape(height=16, width=16, channels=3))
    for degrees, turns in ((90.0, 1), (-90.0, -1)):
        quarter = changed("rotation", degrees, square)
        expected = np.rot90(square.seen_BHWC, turns, axes=(1, 2)).astype(int)
        assert np.abs(quarter - expected).max() <= 1


# Right, up, left, down, by the identity's remainder: rows and columns of SciPy's shift.
DIRECTIONS = [(0, 1), (-1, 0), (0, -1), (1, 0)]


@pytest.mark.parametrize("shape", [SHAPE, MARGIN])
@pytest.mark.parametrize("strength", [0.25, 0.05])
def test_shifts_are_scipys(shape: Shape, strength: float) -> None:
    given = batch(shape)
    found = changed("shift", strength, given)
    margin = shape.margin
    for picture, wide, (down, right) in zip(found, given.pictures_BHWC, DIRECTIONS * 2):
        by = (down * strength * shape.height, right * strength * shape.width, 0)
        moved = ndimage.shift(wide.astype(np.float64), by, order=1, mode="nearest")
        inside = moved[margin : margin + shape.height, margin : margin + shape.width]
        assert np.abs(picture - inside).max() <= 1


def test_real_pixels_come_in_as_far_as_the_margin_goes() -> None:
    given = batch(MARGIN, 1)
    found = changed("shift", 0.1, given)[0]  # two of 20 pixels to the right; the margin has three
    np.testing.assert_array_equal(found, given.pictures_BHWC[0, 3:15, 1:21])


def test_scaling_shows_the_middle_larger() -> None:
    given = batch(MARGIN, 2)
    for strength in (0.8, 2.0):
        found = changed("scale", strength, given)
        for picture, wide in zip(found, given.pictures_BHWC.astype(np.float64)):
            y, x = np.mgrid[:12, :20]
            rows, columns = (y - 5.5) / strength + 5.5 + 3, (x - 9.5) / strength + 9.5 + 3
            for channel in range(3):
                expected = ndimage.map_coordinates(
                    wide[..., channel], [rows, columns], order=1, mode="nearest"
                )
                assert np.abs(picture[..., channel] - expected).max() <= 1.5


def test_brightness_multiplies_and_clips() -> None:
    given = batch(MARGIN)
    for strength in (0.25, 1.5):
        expected = np.minimum(np.rint(given.seen_BHWC * strength), 255)
        np.testing.assert_array_equal(changed("brightness", strength, given), expected)


@pytest.mark.parametrize("shape", [SHAPE, MARGIN, Shape(height=9, width=9, channels=1)])
def test_blurring_is_scipys(shape: Shape) -> None:
    given = batch(shape)
    margin = shape.margin
    for strength in (0.5, 1.5, 3.0):
        blurred = ndimage.gaussian_filter(
            given.pictures_BHWC.astype(np.float64),
            (0, strength, strength, 0),
            radius=(0, int(np.ceil(3 * strength)), int(np.ceil(3 * strength)), 0),
            mode="nearest",
        )
        inside = blurred[:, margin : margin + shape.height, margin : margin + shape.width]
        assert np.abs(changed("blur", strength, given) - inside).max() <= 1


def test_noise_has_its_deviation_and_is_the_same_every_time() -> None:
    shape = Shape(height=64, width=64, channels=3)
    grey = Batch(np.full((4, 64, 64, 3), 128, np.uint8), np.arange(4, dtype=np.uint64), shape)
    found = changed("noise", 0.1, grey).astype(np.float64) - 128
    assert found.std() == pytest.approx(25.5, rel=0.02)
    assert abs(found.mean()) < 0.5
    assert abs(np.corrcoef(found[0].ravel(), found[1].ravel())[0, 1]) < 0.05
    # A sample's noise follows from its identity, not from its neighbours; only its strength grows.
    alone = Batch(grey.pictures_BHWC[2:3], grey.ids[2:3], shape)
    np.testing.assert_array_equal(changed("noise", 0.1, alone)[0] - 128.0, found[2])
    weaker = changed("noise", 0.05, alone)[0] - 128.0
    assert np.abs(weaker - found[2] / 2).max() <= 1


def test_strengths_stand_in_order_with_the_unchanged_one() -> None:
    for family in FAMILIES:
        ordered = family.ordered()
        assert ordered.count(family.unchanged) == 1
        assert set(ordered) == {family.unchanged, *family.strengths}
        if family.unit:
            assert list(ordered) == sorted(float(each) for each in ordered)
    assert FAMILY["flip"].ordered() == ("none", "horizontal", "vertical", "both")
