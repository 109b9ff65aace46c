"""Pictures without content."""

import numpy as np
import numpy.typing as npt

from pictures import stripes
from striate.data import Finding, open_source, pixel_findings, store
from striate.image import Shape

Pixels = npt.NDArray[np.uint8]


def look(pictures: list[Pixels]) -> dict[str, Finding]:
    array = np.stack(pictures)
    source = open_source((array, np.arange(len(array)) % 2))
    height, width, channels = array.shape[1:]
    wanted = Shape(height=height, width=width, channels=channels)
    with store(source, wanted) as stored:
        found = pixel_findings(source, stored, np.arange(len(source)))
    return {finding.kind: finding for finding in found}


def normal(count: int, size: int = 40, channels: int = 3) -> list[Pixels]:
    return [stripes(seed % 4, seed, size=size, channels=channels) for seed in range(count)]


def test_ordinary_pictures_have_nothing_odd() -> None:
    assert look(normal(30)) == {}
    assert look(normal(30, size=9, channels=1)) == {}


def test_one_colour() -> None:
    blank = np.full((40, 40, 3), (200, 30, 90), np.uint8)
    found = look([*normal(20), blank])
    assert list(found) == ["blank"]
    assert found["blank"].positions == (20,)
    assert found["blank"].fault
    assert found["blank"].sentence == (
        "1 picture is of one colour all over: row 20. Is there anything to see?"
    )


def test_colours_of_the_same_brightness_are_not_one() -> None:
    # Luma 76 and 76: only the colours differ.
    two = np.full((40, 40, 3), (254, 0, 0), np.uint8)
    two[:20] = (0, 130, 0)
    assert "blank" not in look([*normal(20), two])


def placeholder() -> Pixels:
    picture = np.full((40, 40, 3), 247, np.uint8)
    picture[18:22, 5:35:3] = 60
    return picture


def test_a_placeholder_among_photographs() -> None:
    found = look([*normal(20), placeholder()])
    assert list(found) == ["flat"]
    assert found["flat"].positions == (20,)
    assert not found["flat"].fault
    assert found["flat"].sentence == (
        "1 picture is of one colour in 90% of the area or more, unlike the rest: row 20. Is there "
        "anything to see?"
    )


def test_where_all_stand_on_an_even_ground_none_is_a_placeholder() -> None:
    assert look([placeholder()] * 3 + normal(2)) == {}


def test_nearly_black_and_nearly_white() -> None:
    dark, bright = stripes(0, 1, size=40) // 10, 255 - stripes(0, 2, size=40) // 10
    found = look([*normal(20), dark, bright])
    assert {kind: one.positions for kind, one in found.items()} == {"dark": (20,), "bright": (21,)}
    assert not found["dark"].fault
    assert found["dark"].sentence == (
        "1 picture is nearly black all over: row 20. Is there anything to see?"
    )


def test_dark_pictures_with_something_bright_in_them_are_not_black() -> None:
    night = stripes(0, 1, size=40) // 10
    night[10:20, 10:20] = 250
    assert look([*normal(20), night]) == {}


def test_what_the_grid_skips_is_looked_at_before_anything_is_said() -> None:
    # At 40 px every third pixel is looked at first: this picture is grey on all of those.
    sly = np.full((40, 40, 3), 120, np.uint8)
    sly[1::3], sly[2::3] = 250, 5
    assert look([*normal(20), sly]) == {}
