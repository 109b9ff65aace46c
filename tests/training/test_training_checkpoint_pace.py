"""When to save, on a clock that the test moves."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.training._checkpoints import Pace


def run(pace, steps, cost, *, begun=0.0):
    """Play steps of the given seconds; return (time, moment that is safe) of every save."""
    now, saves = begun, []
    for index, step in enumerate(steps):
        now += step
        if pace.due(now):
            taken = now
            now += cost(index)
            pace.saved(taken, now)
            saves.append((now, taken))
    return now, saves


def test_every_thirty_seconds_with_small_steps():
    _, saves = run(Pace(30, begun=0), [0.5] * 1_000, lambda _: 0.01)
    times = [taken for _, taken in saves]
    assert times[0] == 29.5 and len(times) == 16
    assert all(29 <= b - a <= 30 for a, b in pairwise(times))


def test_one_hundredth_of_a_long_run():
    pace = Pace(30, begun=1_000, ran=100_000)
    _, saves = run(pace, [1.0] * 5_000, lambda _: 0.1, begun=1_000)
    times = [taken - 1_000 for _, taken in saves]
    assert times[0] == pytest.approx(1_010, abs=2)
    assert all(1_000 < b - a < 1_060 for a, b in pairwise(times))


def test_saves_that_cost_much_are_rare():
    _, saves = run(Pace(30, begun=0), [1.0] * 5_000, lambda _: 4.0)
    times = [taken for _, taken in saves]
    assert times[0] == 29 and all(200 <= b - a <= 201 for a, b in pairwise(times))


def test_zero_seconds_saves_as_often_as_it_may():
    _, saves = run(Pace(0, begun=0), [0.1] * 90, lambda _: 0.0)
    assert len(saves) == 90
    _, saves = run(Pace(0, begun=0), [0.1] * 90, lambda _: 0.01)
    assert 15 < len(saves) < 20


def test_a_pause_of_long_ago_is_forgotten():
    steps = [0.5] * 20 + [300.0] + [0.5] * 1_000
    _, saves = run(Pace(30, begun=0), steps, lambda _: 0.01)
    times = [taken for _, taken in saves]
    late = [b - a for a, b in pairwise(times) if a > 320]
    assert late and min(late) >= 29


@settings(deadline=None, max_examples=60)
@given(
    seconds=st.floats(0, 60),
    step=st.floats(0.01, 20),
    costs=st.lists(st.floats(0, 3), min_size=1, max_size=5),
    ran=st.floats(0, 1e5),
)
def test_little_is_lost_and_little_is_spent(seconds, step, costs, ran):
    cost = lambda index: costs[index % len(costs)]  # noqa: E731
    end, saves = run(Pace(seconds, begun=0, ran=ran), [step] * 300, cost)
    spent = sum(back - taken for back, taken in saves)
    last = saves[-1][0] - saves[-1][1] if saves else 0.0
    assert spent - last <= 0.02 * end + 1e-6
    safe, previous = 0.0, 0.0
    for back, taken in [*saves, (end, end)]:
        # A crash just before the save was back would have lost everything since the one before.
        dear = previous / 0.02 + step + (back - taken)
        cheap = max(seconds, 0.01 * (ran + taken)) + max(0.0, back - taken - previous)
        assert back - safe <= max(dear, cheap, 2 * step + (back - taken)) + 1e-6
        safe, previous = taken, back - taken
