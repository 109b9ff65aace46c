"""`--minutes`: how many steps let the whole run take so long."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from time import perf_counter

from striate.errors import UsageError
from striate.flow._learning import rate_of
from striate.flow._plan_cost import seconds_after, time_looking
from striate.flow._prepare import Prepared
from striate.training import write_config
from striate.training._length import Budget, Decision, Length
from striate.training._plan import Plan
from striate.training._position import Position
from striate.training._snapshot import Snapshot
from striate.training._timing import time_steps

LEAST_STEPS = 10
"""Fewer of them train nothing."""

TIMED = (0.1, 1.0)
"""Seconds for which steps are timed, at least and at most; else a 200th of the budget."""

LOADED = 8
"""Pictures decoded to time it."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What was found out about a run before it trains; times in seconds.

    Attributes:
        ends: when the last validation should be over, as `clock` tells it.
        step, validation: that one takes.
    """

    ends: float
    step: float
    validation: float
    clock: Callable[[], float] = perf_counter

    def fitted(
        self,
        prepared: Prepared,
        plan: Plan,
        at: Position,
        *,
        config: Path,
        say: Callable[[str], None],
    ) -> Plan:
        """Return the plan with a length that follows this pace, from a position on.

        Every decision is told, and written to `config` before it takes effect. Those that stand in
        the settings aren't made again.
        """
        training, epoch = prepared.settings.training, len(plan.batches)
        budget = Budget(
            ends=self.ends - at.seconds,
            epoch=epoch,
            step=self.step,
            validation=self.validation,
            clock=self.clock,
        )

        def record(decided: list[Decision]) -> None:
            training.steps = decided
            write_config(prepared.settings, config)
            say(_sentence(decided, epoch, training.minutes or 0.0, 1 / budget.step))

        if not training.steps:
            record([(0, max(1, budget.fitting(0)))])
        length = Length(training.steps, budget, record)
        return replace(
            plan,
            epochs=ceil(length.total(at.step) / epoch),
            rate=rate_of(prepared.settings, length, plan.selection[0]),
            length=length,
        )


def find_pace(prepared: Prepared, plan: Plan, *, begun: float) -> Pace:
    """Time steps and validation, and reckon what comes after them; the plan stays as it is.

    `begun` is the moment from which the minutes count.

    Raises:
        UsageError: the minutes aren't enough for `LEAST_STEPS`.
    """
    training = prepared.settings.training
    seconds = 60 * (training.minutes or 0.0)
    least, most = TIMED
    timed = min(max(least, seconds / 200), most)
    looking = time_looking(plan, prepared, timed / 4)
    after = seconds_after(plan, prepared, loading=_time_loading(prepared), looking=looking)
    step = _time_steps(plan, timed)
    validation = looking * len(prepared.split.validation)
    before = perf_counter() - begun
    needed = before + LEAST_STEPS * step + validation + after
    if needed > seconds and not training.steps:
        raise UsageError(
            f"--minutes {training.minutes:g} (training.minutes): {before:.1f} s went by before the "
            f"first step, and what comes after the last takes about {after:.1f} s. Give "
            f"{ceil(needed / 6) / 10:g} or more: that is time for {LEAST_STEPS} steps."
        )
    return Pace(ends=begun + seconds - after, step=step, validation=validation)


def _time_steps(plan: Plan, seconds: float) -> float:
    """Return the seconds that a full batch takes; weights, buffers and optimizer stay as they are."""
    kept = Snapshot(plan.network, plan.optimizer, Position())
    try:
        # Rate 0: a step of a rate that isn't decided on yet could end in numbers that aren't finite.
        return time_steps(replace(plan, rate=lambda _step, _rows: 0.0), seconds=seconds).median
    finally:
        kept.restore(Position())


def _time_loading(prepared: Prepared) -> float:
    """Return the seconds in which one picture is decoded, on one thread."""
    divided, pictures = prepared.split, prepared.source.pictures
    reference = next(p for p in (divided.validation, divided.test, divided.train) if len(p))
    some = reference[:LOADED].tolist()

    def load(position: int) -> None:
        pictures.load(position, prepared.shape.wide, prepared.settings.data.max_pixels)

    load(some[0])  # imports what reads this format
    begun = perf_counter()
    for position in some:
        load(position)
    return (perf_counter() - begun) / len(some)


def _sentence(decided: list[Decision], epoch: int, minutes: float, speed: float) -> str:
    done, total = decided[-1]
    steps = f"{total:,} step{'' if total == 1 else 's'} (about {total / epoch:.3g} epochs)"
    if len(decided) == 1:
        unit = f"minute{'' if minutes == 1 else 's'}"
        return f"{steps} fit into {minutes:g} {unit}; at {speed:.3g} steps/s"
    return f"after {done:,} steps: {steps} fit; at {speed:.3g} steps/s"
