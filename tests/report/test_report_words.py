"""Numbers and names as the page writes them."""

import doctest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.report import _scale, _svg, _words
from striate.report._words import figure, fit, percent, plain, size, width, words


@pytest.mark.parametrize("module", [_words, _scale, _svg], ids=lambda module: module.__name__)
def test_examples(module: object) -> None:
    results = doctest.testmod(module)  # type: ignore[arg-type]
    assert results.attempted and not results.failed


@given(st.text())
@settings(deadline=None, max_examples=100)
def test_plain_text_can_be_written_and_stays_on_one_line(text: str) -> None:
    cleaned = plain(text)
    assert len(cleaned) == len(text)
    assert len(cleaned.encode("utf-8").decode("utf-8").splitlines()) <= 1


def test_plain_text_cannot_turn_the_writing_direction() -> None:
    assert plain("a\u202etxt.exe\udc80\n\x00שלום") == "a\ufffdtxt.exe\ufffd↵\ufffdשלום"


@given(st.floats(0, 1), st.sampled_from([0, 500, 10_000]))
@settings(deadline=None, max_examples=200)
def test_only_a_whole_is_100_per_cent(fraction: float, total: int) -> None:
    written = percent(fraction, total)
    assert (written == "100\N{NO-BREAK SPACE}%") == (fraction == 1)
    assert float(written[:-2]) / 100 == pytest.approx(fraction, abs=0.0005)


@given(st.floats(0.9, 1, exclude_max=True))
@settings(deadline=None, max_examples=100)
def test_a_figure_below_1_is_not_rounded_up_to_1(value: float) -> None:
    if value < 1 - 1e-8:
        assert float(figure(value)) < 1
    assert float(figure(value)) == pytest.approx(value, rel=1e-3)


def test_values_in_words() -> None:
    assert (
        words({"torch": "2.14", "cuda": None, "list": [1, 2.5]}) == "torch 2.14, cuda , list 1, 2.5"
    )
    assert words(True) == "yes"
    assert words(None) == ""
    assert size([32, 28, 28]) == "32×28×28"
    assert size(None) == ""


@given(st.text(), st.floats(10, 200))
@settings(deadline=None, max_examples=100)
def test_fitted_text_is_narrow_enough(text: str, space: float) -> None:
    fitted = fit(text, space, 10)
    assert fitted == text or fitted.endswith("…")
    assert width(fitted, 10) <= max(space, width("…", 10)) + 1e-6
