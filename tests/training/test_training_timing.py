"""Timing calls on a clock of the test's own, and steps of a real plan."""

from collections.abc import Callable

import numpy as np
import pytest

from pictures import stripes
from striate.data import open_source, split, store
from striate.flow._fit import make_ready
from striate.flow._prepare import Prepared, audit_source, choose_settings, shape_of
from striate.training import Silent, make_settings
from striate.training._plan import Plan
from striate.training._timing import full_batches, steps_an_epoch, time_calls, time_steps


class FakeClock:
    """Shows the sum of what calls are said to take."""

    def __init__(self, *spent: float) -> None:
        self.now = 100.0
        self.calls = 0
        self._spent = spent

    def __call__(self) -> float:
        return self.now

    def call(self) -> None:
        """Take the next time, the last one for ever."""
        self.now += self._spent[min(self.calls, len(self._spent) - 1)]
        self.calls += 1


def timed(clock: FakeClock, seconds: float, warm_up: int = 3) -> tuple[float, float, float, int]:
    found = time_calls(clock.call, seconds=seconds, warm_up=warm_up, clock=clock)
    return found.low, found.median, found.high, found.calls


def test_the_first_calls_do_not_count() -> None:
    clock = FakeClock(0.5, 0.5, 0.5, 0.25)
    assert timed(clock, 2.0) == (0.25, 0.25, 0.25, 8)
    assert clock.calls == 11


def test_an_interrupted_call_does_not_move_the_median() -> None:
    clock = FakeClock(0.25, 0.25, 0.25, 0.25, 2.0, 0.25)
    low, median, high, calls = timed(clock, 3.0)
    assert (low, median, high, calls) == (0.25, 0.25, 0.25, 5)


def test_quartiles_are_those_of_numpy() -> None:
    spent = [0.1, 0.4, 0.2, 0.3, 0.5]
    found = timed(FakeClock(9.0, *spent), 1.45, warm_up=1)
    assert found == pytest.approx((*np.percentile(spent, (25, 50, 75)), 5))


def test_three_calls_count_even_where_one_would_do() -> None:
    assert timed(FakeClock(0.5), 0.75) == (0.5, 0.5, 0.5, 3)


def test_slow_calls_end_early_and_the_first_never_counts() -> None:
    clock = FakeClock(30.0, 20.0)
    assert timed(clock, 3.0) == (20.0, 20.0, 20.0, 1)
    assert clock.calls == 2
    # The first one, which loads libraries, is no sign of slow calls: 3 times 4 s are 4 times 3 s.
    assert timed(FakeClock(50.0, 4.0), 3.0, warm_up=2) == (4.0, 4.0, 4.0, 2)


@pytest.fixture
def make() -> Callable[[int], Plan]:
    def plan(count: int) -> Plan:
        images = np.stack([stripes(n % 2 * 2, n, channels=1) for n in range(count)])
        source = open_source((images, np.arange(count) % 2))
        wanted = make_settings({"training": {"batch_size": 8, "threads": 1, "device": "cpu"}})
        audit = audit_source(source, wanted, Silent())
        settings, choices = choose_settings(source, audit, wanted, "cpu")
        shape = shape_of(settings)
        prepared = Prepared(
            source=source,
            sizes="",
            settings=settings,
            choices=choices,
            shape=shape,
            store=store(source, shape),
            split=split(source, validation=0),
            unreadable=(),
            device="cpu",
        )
        return make_ready(prepared, module=None, loss=None)

    return plan


def test_only_full_batches_are_timed(make: Callable[[int], Plan]) -> None:
    batches = full_batches(make(20))
    assert [len(next(batches).positions) for _ in range(5)] == [8] * 5
    batches.close()


def test_a_source_smaller_than_a_batch_is_timed_as_it_is(make: Callable[[int], Plan]) -> None:
    plan = make(6)
    batches = full_batches(plan)
    assert [len(next(batches).positions) for _ in range(2)] == [6, 6]
    assert (len(plan.batches), steps_an_epoch(plan)) == (1, 1.0)


def test_a_shorter_last_batch_counts_by_its_share(make: Callable[[int], Plan]) -> None:
    plan = make(20)
    assert (len(plan.batches), steps_an_epoch(plan)) == (3, 2.5)


def test_steps_are_training_steps(make: Callable[[int], Plan]) -> None:
    plan = make(20)
    before = [p.detach().clone() for p in plan.network.parameters()]
    ticks = iter(np.arange(0.0, 1000.0, 0.5).tolist())
    found = time_steps(plan, seconds=2.0, clock=lambda: next(ticks))
    assert (found.median, found.calls) == (0.5, 4)
    moved = [bool((a != b).any()) for a, b in zip(before, plan.network.parameters(), strict=True)]
    assert all(moved)
    assert plan.network.training
