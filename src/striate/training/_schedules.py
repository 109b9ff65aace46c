"""Learning rates as pure functions of the step, so that a run resumes without any saved state.

Each is tested against its namesake in torch.optim.lr_scheduler. Momentum is never scheduled
(PyTorch's OneCycleLR does that too unless told `cycle_momentum=False`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import cos, inf, pi
from typing import Protocol, final

from striate.errors import UsageError, unknown
from striate.task._options import number, settle

PLATEAU_THRESHOLD = 1e-4
"""Share by which a value must beat the best one to count as better: PyTorch's default."""

PLATEAU_LEAST_CHANGE = 1e-8
"""A cut of the rate by no more than this is left out, as in PyTorch."""


class Schedule(Protocol):
    """The learning rate of every step."""

    def rate(self, step: float, values: Sequence[float] = ()) -> float:
        """Return the learning rate of a step, counted from 0; steps after the last keep its rate.

        A place between two steps has a rate between theirs.

        `values` are the validation figures of the epochs done before this step, oldest first;
        only the plateau schedule reads them.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class ScheduleEntry:
    """One schedule: name, title, formula (t step, T steps, η learning rate), options, source."""

    name: str
    title: str
    formula: str
    options: Mapping[str, object] = field(default_factory=dict)
    source: str = ""


_SCHEDULES = (
    ScheduleEntry(name="constant", title="Constant", formula="η"),
    ScheduleEntry(
        name="one-cycle",
        title="One cycle",
        formula="half a cosine from η/div_factor up to η over the first pct_start of the steps, "
        "half a cosine down to η/(div_factor·final_div_factor) over the rest",
        options={"pct_start": 0.3, "div_factor": 25.0, "final_div_factor": 1e4},
        source="Smith and Topin 2017, Super-Convergence; torch.optim.lr_scheduler.OneCycleLR",
    ),
    ScheduleEntry(
        name="cosine",
        title="Cosine",
        formula="η·(1 + cos(π·(t − w)/(T − w)))/2 after w = warmup·T steps of η·(t + 1)/(w + 1)",
        options={"warmup": 0.0},
        source="Loshchilov and Hutter 2016, SGDR; torch.optim.lr_scheduler.CosineAnnealingLR",
    ),
    ScheduleEntry(
        name="linear",
        title="Linear",
        formula="η·(1 − (t − w)/(T − w)) after w = warmup·T steps of η·(t + 1)/(w + 1)",
        options={"warmup": 0.0},
        source="torch.optim.lr_scheduler.LinearLR",
    ),
    ScheduleEntry(
        name="plateau",
        title="Reduce on plateau",
        formula="η, times factor whenever more than `patience` epochs in a row brought no value "
        "better than the best by one part in 10,000; never below min_lr",
        options={"mode": "min", "factor": 0.1, "patience": 10, "min_lr": 0.0},
        source="torch.optim.lr_scheduler.ReduceLROnPlateau",
    ),
)


def schedules() -> tuple[ScheduleEntry, ...]:
    """Return every schedule that `schedule.name` takes."""
    return _SCHEDULES


def make_schedule(
    name: str,
    *,
    learning_rate: float,
    steps: int,
    pct_start: float | None = None,
    div_factor: float | None = None,
    final_div_factor: float | None = None,
    warmup: float | None = None,
    mode: str | None = None,
    factor: float | None = None,
    patience: int | None = None,
    min_lr: float | None = None,
) -> Schedule:
    """Return the schedule of that name.

    Args:
        name: one of `schedules()`.
        learning_rate: the highest rate, η.
        steps: the number of steps of the run, T ≥ 1.
        pct_start: one-cycle: share of the steps in which the rate rises, [0, 1].
        div_factor: one-cycle: η / first rate.
        final_div_factor: one-cycle: first rate / last rate.
        warmup: cosine, linear: share of the steps in which the rate rises in a straight line,
            [0, 1).
        mode: plateau: "min" where smaller values are better (losses), "max" where larger are.
        factor: plateau: what the rate is multiplied by, above 0 and below 1.
        patience: plateau: epochs without a better value that are borne.
        min_lr: plateau: the lowest rate.
        None takes the default that `schedules()` names.

    Raises UsageError for an unknown name, an option that the schedule hasn't, a value out of range.
    """
    known = {entry.name: entry for entry in _SCHEDULES}
    if name not in known:
        raise UsageError(unknown("schedule", name, known))
    given = {
        "pct_start": pct_start,
        "div_factor": div_factor,
        "final_div_factor": final_div_factor,
        "warmup": warmup,
        "mode": mode,
        "factor": factor,
        "patience": patience,
        "min_lr": min_lr,
    }
    options = settle("schedule", name, known[name].options, given)
    highest = number("The learning rate", learning_rate, above_least=True)
    if steps < 1:
        raise UsageError(f"A schedule needs at least one step; got {steps}.")
    match name:
        case "constant":
            return Constant(highest)
        case "one-cycle":
            return _one_cycle(highest, steps, options)
        case "cosine" | "linear":
            share = number("warmup", options["warmup"], below=1.0)
            fall = Cosine if name == "cosine" else Linear
            return fall(
                learning_rate=highest,
                steps=steps,
                warmup_steps=min(round(share * steps), steps - 1),
            )
    return _plateau(highest, options)


@final
@dataclass(frozen=True)
class Constant:
    """One rate for all steps."""

    learning_rate: float

    def rate(self, step: float, values: Sequence[float] = ()) -> float:  # noqa: ARG002
        """Return the rate."""
        return self.learning_rate


@final
@dataclass(frozen=True, kw_only=True)
class OneCycle:
    """Up and down once, each along half a cosine; see the registry."""

    learning_rate: float
    steps: int
    pct_start: float
    div_factor: float
    final_div_factor: float

    def rate(self, step: float, values: Sequence[float] = ()) -> float:  # noqa: ARG002
        """Return the rate of the step; a run of one step takes the highest."""
        last = self.steps - 1
        if last == 0:
            return self.learning_rate
        peak = self.pct_start * self.steps - 1
        first_rate = self.learning_rate / self.div_factor
        now = min(step, last)
        if now <= peak:
            # PyTorch divides by zero where the rise ends at step 0.
            return _half_cosine(first_rate, self.learning_rate, now / peak if peak else 1.0)
        # A rise too short for a step of its own (peak < 0) still moves the fall's start, as there.
        through = (now - peak) / (last - peak)
        return _half_cosine(self.learning_rate, first_rate / self.final_div_factor, through)


@dataclass(frozen=True, kw_only=True)
class _Falling:
    """Down to 0 after a straight rise."""

    learning_rate: float
    steps: int
    warmup_steps: int

    def rate(self, step: float, values: Sequence[float] = ()) -> float:  # noqa: ARG002
        """Return the rate of the step; it would reach 0 at the step after the last."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / (self.warmup_steps + 1)
        now = min(step, self.steps - 1)
        falling = max(self.steps - self.warmup_steps, 1)
        return self._fall((now - self.warmup_steps) / falling)

    def _fall(self, through: float) -> float:
        raise NotImplementedError


@final
class Cosine(_Falling):
    """Down along half a cosine; see the registry."""

    def _fall(self, through: float) -> float:
        return _half_cosine(self.learning_rate, 0.0, through)


@final
class Linear(_Falling):
    """Down along a straight line; see the registry."""

    def _fall(self, through: float) -> float:
        return self.learning_rate * (1.0 - through)


@final
@dataclass(frozen=True, kw_only=True)
class Plateau:
    """Down by a factor whenever the validation figures stop getting better."""

    learning_rate: float
    mode: str
    factor: float
    patience: int
    min_lr: float

    def rate(self, step: float, values: Sequence[float] = ()) -> float:  # noqa: ARG002
        """Return the rate that the figures of the epochs done so far lead to."""
        return plateau_rate(
            values,
            learning_rate=self.learning_rate,
            mode=self.mode,
            factor=self.factor,
            patience=self.patience,
            min_lr=self.min_lr,
        )


def plateau_rate(
    values: Sequence[float],
    *,
    learning_rate: float,
    mode: str = "min",
    factor: float = 0.1,
    patience: int = 10,
    min_lr: float = 0.0,
) -> float:
    """Return the rate that ReduceLROnPlateau has after these values, oldest first.

    A value that isn't finite counts as no better.
    """
    best, worse_epochs, rate = (inf if mode == "min" else -inf), 0, learning_rate
    for value in values:
        if _better(value, best, mode):
            best, worse_epochs = value, 0
        else:
            worse_epochs += 1
        if worse_epochs > patience:
            worse_epochs = 0
            lower = max(rate * factor, min_lr)
            rate = lower if rate - lower > PLATEAU_LEAST_CHANGE else rate
    return rate


def _better(value: float, best: float, mode: str) -> bool:
    if mode == "min":
        return value < best * (1.0 - PLATEAU_THRESHOLD)
    return value > best * (1.0 + PLATEAU_THRESHOLD)


def _half_cosine(start: float, end: float, through: float) -> float:
    return end + (start - end) / 2.0 * (cos(pi * through) + 1.0)


def _one_cycle(highest: float, steps: int, options: Mapping[str, object]) -> OneCycle:
    share = number("pct_start", options["pct_start"])
    if share > 1.0:
        raise UsageError(f"pct_start must be a number from 0 to 1; got {share}.")
    return OneCycle(
        learning_rate=highest,
        steps=steps,
        pct_start=share,
        div_factor=number("div_factor", options["div_factor"], above_least=True),
        final_div_factor=number("final_div_factor", options["final_div_factor"], above_least=True),
    )


def _plateau(highest: float, options: Mapping[str, object]) -> Plateau:
    mode, patience = options["mode"], options["patience"]
    if mode not in ("min", "max"):
        raise UsageError(f"mode must be 'min' or 'max'; got {mode!r}.")
    if not isinstance(patience, int) or isinstance(patience, bool) or patience < 0:
        raise UsageError(f"patience must be a whole number of epochs from 0; got {patience!r}.")
    return Plateau(
        learning_rate=highest,
        mode=str(mode),
        factor=number("factor", options["factor"], below=1.0, above_least=True),
        patience=patience,
        min_lr=number("min_lr", options["min_lr"]),
    )
