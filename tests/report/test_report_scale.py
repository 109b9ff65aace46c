"""Scales, ticks and thinning: arithmetic, checked by properties and by hand."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.report._frame import Axis, frame
from striate.report._scale import Scale, linear_ticks, log_ticks, spread, tick_labels
from striate.report._thin import thin

numbers = st.floats(-1e9, 1e9, allow_nan=False).map(lambda x: 0.0 if abs(x) < 1e-9 else x)
positive = st.floats(1e-9, 1e9)


@given(numbers, numbers)
@settings(deadline=None, max_examples=200)
def test_linear_ticks_cover_the_range_evenly(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    ticks = linear_ticks(low, high)
    steps = np.diff(ticks)
    slack = 1e-6 * steps[0]
    assert ticks[0] <= low + slack and ticks[-1] >= high - slack
    assert steps == pytest.approx(steps[0], rel=1e-6)
    assert 2 <= len(ticks) <= 8
    # No tick but the outer ones may lie outside. Limits that are the same but for one part in 10⁹
    # count as equal, and are widened to zero.
    if spread(low, high) == (low, high):
        assert ticks[1] > low - slack or len(ticks) == 2
    mantissa = float(f"{steps[0]:e}".split("e")[0])
    assert mantissa == pytest.approx(min((1, 2, 2.5, 5, 10), key=lambda m: abs(m - mantissa)))


@given(positive, positive)
@settings(deadline=None, max_examples=200)
def test_log_ticks_cover_the_range(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    ticks = log_ticks(low, high)
    assert ticks[0] <= low * (1 + 1e-6) and ticks[-1] >= high * (1 - 1e-6)
    assert 2 <= len(ticks) <= 11
    assert all(later > earlier for earlier, later in pairwise(ticks))


@given(numbers, numbers)
@settings(deadline=None, max_examples=100)
def test_tick_labels_say_the_ticks(a: float, b: float) -> None:
    ticks = linear_ticks(min(a, b), max(a, b))
    labels = tick_labels(ticks)
    read = [float(label.replace(",", "")) for label in labels]
    # Three significant digits where exponents are used.
    assert read == pytest.approx(ticks, rel=0.006)
    assert all(len(label) <= 14 for label in labels)


def test_whole_ticks_are_whole() -> None:
    assert linear_ticks(0, 3, whole=True) == [0.0, 1.0, 2.0, 3.0]
    assert linear_ticks(0, 37, whole=True) == [0.0, 10.0, 20.0, 30.0, 40.0]


def test_tick_labels_of_decades() -> None:
    assert tick_labels(log_ticks(0.0002, 30)) == [
        "1e-4",
        "0.001",
        "0.01",
        "0.1",
        "1",
        "10",
        "100",
    ]
    assert tick_labels([0.0, 0.005, 0.01]) == ["0", "0.005", "0.010"]


@given(positive, positive, st.floats(0, 1), st.booleans())
@settings(deadline=None, max_examples=100)
def test_scales_can_be_inverted(a: float, b: float, share: float, log: bool) -> None:
    low, high = min(a, b), max(a, b) * 2
    scale = Scale(low=low, high=high, start=200, end=20, log=log)
    value = low + share * (high - low)
    place = scale(value)
    assert 20 - 1e-6 <= place <= 200 + 1e-6
    # Where two numbers fall on places too near to tell apart, their places must still agree.
    assert scale(scale.invert(place)) == pytest.approx(place, abs=1e-6)
    assert scale.invert(scale([low, high])) == pytest.approx([low, high], rel=1e-6)


def test_values_beyond_the_axis_stay_on_it() -> None:
    scale = Scale(low=0, high=10, start=0, end=100)
    assert scale([-5, 0, 5, 10, 99]).tolist() == [0, 0, 50, 100, 100]


def test_an_axis_ends_at_its_ticks_unless_tight() -> None:
    loose = frame(Axis(label="x", low=0.3, high=7.2), Axis(label="y", low=0, high=1))
    tight = frame(Axis(label="x", low=0.3, high=7.2, tight=True), Axis(label="y", low=0, high=1))
    assert (loose.x.low, loose.x.high) == (0, 8)
    assert (tight.x.low, tight.x.high) == (0.3, 7.2)


def test_short_curves_are_drawn_step_by_step() -> None:
    x, y = np.arange(5.0), np.array([3.0, np.nan, 1.0, np.inf, 2.0])
    curve = thin(x, y)
    assert curve.x.tolist() == [0, 2, 4]
    assert curve.middle.tolist() == curve.low.tolist() == [3, 1, 2]
    assert curve.group == 1


@given(st.integers(101, 5000))
@settings(deadline=None, max_examples=30)
def test_thinning_keeps_extremes_and_medians(count: int) -> None:
    rng = np.random.default_rng(count)
    x, y = np.arange(count, dtype=float), rng.normal(size=count)
    curve = thin(x, y)
    assert len(curve.x) <= 200
    assert curve.low.min() == y.min() and curve.high.max() == y.max()
    assert (curve.low <= curve.middle).all() and (curve.middle <= curve.high).all()
    groups = np.split(y, np.flatnonzero(np.diff(np.digitize(x, edges_of(curve.x)))) + 1)
    assert curve.middle == pytest.approx([np.median(group) for group in groups])


def edges_of(centres: np.ndarray) -> np.ndarray:
    """Return where groups begin, found from their mean places alone."""
    edges, start = [], 0.0
    for centre in centres[:-1]:
        start += 2 * (centre - start) + 1
        edges.append(start)
    return np.array(edges) - 0.5


def test_a_hundred_thousand_steps_become_few_points() -> None:
    x = np.arange(100_000.0)
    curve = thin(x, np.sin(x))
    assert len(curve.x) == 200
    assert curve.group == 500
