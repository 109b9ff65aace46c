"""The number of steps of a run of some minutes: on a clock of the test's own, never a real one."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from striate.errors import UsageError
from striate.training import Settings, make_settings
from striate.training._length import SHARES, Budget, Decision, Length
from striate.training._position import Position
from striate.training._schedules import make_schedule


class Machine:
    """Trains: steps and validations take what a test says, and its clock shows their sum."""

    def __init__(self, epoch: int, step: float, drift: float, noise: float, seed: int) -> None:
        self.now, self.epoch, self.validation = 50.0, epoch, 2 * step
        self._step, self._drift, self._noise = step, drift, noise
        self._rng = np.random.default_rng(seed)

    def clock(self) -> float:
        return self.now

    def speed(self, through: float) -> float:
        """Return how much longer everything takes than at the start, which `through` 0 to 1 tells."""
        return 1 + self._drift * through

    def train(self, length: Length, budget: Budget, begun: float, seconds: float) -> Position:
        at = Position()
        while at.step < length.total(at.step):
            through = min(1.0, (self.now - begun) / seconds)
            noisy = 1 + self._noise * self._rng.uniform(-1, 1)
            self.now += self._step * noisy * self.speed(through)
            at.step, at.batches = at.step + 1, at.batches + 1
            length.stepped(at)
            if at.batches == self.epoch or at.step == length.total(at.step):
                self.now += self.validation * self.speed(through)
                at.batches = 0
                length.validated()
        budget.fitting(0)
        return at


@settings(deadline=None, max_examples=100)
@given(
    steps=st.integers(50, 3_000),
    epoch=st.integers(10, 200),
    step=st.floats(1e-3, 30),
    drift=st.floats(-0.3, 0.3),
    noise=st.floats(0, 0.3),
    wrong=st.floats(0.75, 1.35),
    seed=st.integers(0, 99),
)
@example(steps=50, epoch=10, step=1.0, drift=0.3, noise=0.3, wrong=0.75, seed=0)
@example(steps=3000, epoch=10, step=1.0, drift=-0.3, noise=0.0, wrong=1.35, seed=0)
def test_a_run_ends_when_its_time_is_up(
    steps: int, epoch: int, step: float, drift: float, noise: float, wrong: float, seed: int
) -> None:
    machine = Machine(epoch, step, drift, noise, seed)
    seconds = step * (steps + 2 * (1 + steps // epoch))
    budget = Budget(
        ends=50.0 + seconds, epoch=epoch, step=step * wrong, validation=step, clock=machine.clock
    )
    length = Length([(0, max(1, budget.fitting(0)))], budget)
    at = machine.train(length, budget, 50.0, seconds)
    assert at.step == length.decided[-1][1]
    assert machine.now - 50.0 == pytest.approx(seconds, rel=0.05)


def test_what_fits_is_counted_by_hand() -> None:
    budget = Budget(ends=100.0, epoch=4, step=2.0, validation=3.0, clock=lambda: 70.0)
    # Two steps to the epoch's end and its validation: 7 s. Four more and another: 11 s, 18 in all.
    # Then four more and their validation are 29 s; a step and validation of 5 s are farther off.
    assert budget.fitting(2) == 10
    # The validation of an epoch whose steps are done is still to come: 3 + 8 + 3 + 8 + 3 s, and
    # 5 s are left for a step and validation.
    assert budget.fitting(4) == 9
    # One step and its validation are 5 s, two are 7 s: nearer to 6.5 s.
    soon = Budget(ends=76.5, epoch=4, step=2.0, validation=3.0, clock=lambda: 70.0)
    assert soon.fitting(0) == 2
    late = Budget(ends=60.0, epoch=4, step=2.0, validation=3.0, clock=lambda: 70.0)
    assert late.fitting(0) == 0


def test_steps_are_reckoned_by_those_since_it_was_asked_last() -> None:
    now = 0.0
    budget = Budget(ends=1_000.0, epoch=10_000, step=1.0, validation=0.0, clock=lambda: now)
    budget.stepped()
    for _ in range(4):
        now += 3.0
        budget.stepped()
    # Four of three seconds, and four that are taken for what was expected: 2 s in the mean.
    assert budget.fitting(0) == (1_000 - 12) // 2
    for _ in range(20):
        now += 4.0
        budget.stepped()
    now += 5.0
    budget.validated()
    assert budget.fitting(24) == (1_000 - 97 - 5) // 4
    assert (budget.step, budget.validation) == (4.0, 5.0)


def test_a_budget_that_is_spent_leaves_one_more_step() -> None:
    now = 0.0
    budget = Budget(ends=10.0, epoch=5, step=0.1, validation=0.0, clock=lambda: now)
    recorded: list[list[Decision]] = []
    length = Length([(0, 100)], budget, recorded.append)
    now = 50.0
    at = Position(step=5, batches=5)
    length.stepped(at)
    assert recorded == [[(0, 100), (5, 6)]] == [length.decided]
    assert (length.total(4), length.total(5)) == (100, 6)
    at.step = 6
    length.stepped(at)
    assert length.total(6) == 6


def test_a_decision_is_recorded_before_it_takes_effect() -> None:
    budget = Budget(ends=10.0, epoch=50, step=1.0, validation=0.0, clock=lambda: 0.0)

    def full(_decided: list[Decision]) -> None:
        raise BlockingIOError

    length = Length([(0, 100)], budget, full)
    with pytest.raises(BlockingIOError):
        length.stepped(Position(step=10, batches=10))
    assert length.decided == [(0, 100)]


def test_what_a_killed_process_decided_is_not_decided_again() -> None:
    recorded: list[list[Decision]] = []
    budget = Budget(ends=1e6, epoch=50, step=1.0, validation=0.0, clock=lambda: 0.0)
    length = Length([(0, 100), (25, 80)], budget, recorded.append)
    for step in (5, 10, 25):
        length.stepped(Position(step=step, batches=step))
    assert recorded == []
    assert [length.total(step) for step in (0, 24, 25, 79)] == [100, 100, 80, 80]
    length.stepped(Position(step=40, batches=40))
    assert len(recorded) == 1


# ---------------------------------------------------------------- the schedule


@st.composite
def decisions(draw: st.DrawFn) -> list[Decision]:
    """Return decisions as a run makes them: each of a step that the one before has."""
    found = [(0, draw(st.integers(1, 500)))]
    for _ in range(draw(st.integers(0, 5))):
        since, total = found[-1]
        if total - since < 2:
            break
        step = draw(st.integers(since + 1, total - 1))
        found.append((step, step + draw(st.integers(1, 500))))
    return found


@given(decided=decisions())
def test_places_rise_evenly_to_the_last_one(decided: list[Decision]) -> None:
    length = Length(decided)
    first, last = decided[0][1], decided[-1][1]
    places = [length.place(step) for step in range(last)]
    assert places[-1] == pytest.approx(first - 1)
    assert all(before < after for before, after in pairwise([-1.0, *places]))
    until = decided[1][0] if len(decided) > 1 else last
    assert places[:until] == list(range(until))
    for since, stop in pairwise([*(step for step, _ in decided), last]):
        gaps = np.diff([-1.0, *places])[since:stop]
        assert gaps == pytest.approx(gaps[0], rel=1e-6, abs=1e-9)


@given(decided=decisions(), name=st.sampled_from(["one-cycle", "cosine", "constant"]))
def test_a_schedule_ends_where_it_would_end(decided: list[Decision], name: str) -> None:
    first = decided[0][1]
    options = {"warmup": 0.1} if name == "cosine" else {}
    schedule = make_schedule(name, learning_rate=0.5, steps=first, **options)
    length = Length(decided)
    last = schedule.rate(length.place(decided[-1][1] - 1))
    assert last == pytest.approx(schedule.rate(first - 1), rel=1e-6, abs=1e-9)
    rates = [schedule.rate(length.place(step)) for step in range(decided[-1][1])]
    assert all(0 <= rate <= 0.5 + 1e-9 for rate in rates)


def test_shares_rise_and_leave_less_and_less() -> None:
    assert list(SHARES) == sorted(SHARES)
    assert SHARES[-1] < 1
    # Between two decisions speed may change by 30 %: what that moves must stay below 5 %.
    half = [after - before for before, after in pairwise([*SHARES, 1.0]) if before >= 0.5]
    assert max(half[1:]) <= 0.125


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("tree", "letter"),
    [
        (
            {"training": {"minutes": 0}},
            "--minutes (training.minutes) = 0: input should be greater than 0.",
        ),
        (
            {"training": {"minutes": "long"}},
            "--minutes (training.minutes) = 'long': expected a number.",
        ),
        (
            {"training": {"minutes": float("inf")}},
            "--minutes (training.minutes) = inf: input should be a finite number.",
        ),
        (
            {"training": {"minutes": 2, "epochs": 3}},
            "--epochs (training.epochs) and --minutes (training.minutes) both say how long to train. "
            "Leave one of them out.",
        ),
        (
            {"training": {"steps": [[0, 5]], "epochs": 3}},
            "--epochs (training.epochs) and training.steps both say how long to train. "
            "Leave one of them out.",
        ),
        *(
            (
                {"training": {"steps": steps}},
                f"training.steps = {steps!r}: expected pairs of steps done, which begin with 0 and "
                "rise, and steps in all, which are more.",
            )
            for steps in ([[1, 5]], [[0, 5], [5, 5]], [[0, 5], [3, 9], [3, 8]])
        ),
    ],
)
def test_letters(tree: dict[str, dict[str, object]], letter: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_settings(tree)
    assert str(caught.value) == letter


def test_who_says_last_how_long_to_train_says_it_alone() -> None:
    finished = {"training": {"minutes": 2.0, "steps": [[0, 5], [2, 7]], "epochs": None, "seed": 4}}

    def said(*trees: dict[str, dict[str, object]]) -> tuple[object, ...]:
        training = make_settings(*trees).training
        return training.epochs, training.minutes, training.steps, training.seed

    assert said(finished) == (None, 2.0, [(0, 5), (2, 7)], 4)
    assert said(finished, {"training": {"batch_size": 3}}) == said(finished)
    assert said(finished, {"training": {"minutes": 1}}) == (None, 1.0, [], 4)
    assert said(finished, {"training": {"epochs": 9}}) == (9, None, [], 4)
    assert said({"training": {"epochs": 9}}, finished) == said(finished)
    assert Settings().training.steps == []
