"""How many steps a run has that is counted in steps: decided so that it ends when its time is up.

A decision is (steps done, steps in all). What a run does is a function of its decisions, never of a
clock: the clock is read to make one, which is recorded before it takes effect.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import ceil
from statistics import fmean
from time import perf_counter
from typing import final

from striate.training._position import Position

Decision = tuple[int, int]

SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.875, 0.94, 0.97, 0.985)
"""Of the steps, after which their number is decided anew: closer and closer to the end."""


FEWEST = 8
"""Steps that a mean is made of, at least: single ones vary."""


@final
class Budget:
    """Reckons how many more steps fit, from what the last ones have taken.

    Args:
        ends: when the last validation should be over, in seconds of `clock`.
        epoch: steps of an epoch.
        step, validation: seconds that one takes, until they have been measured.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        *,
        ends: float,
        epoch: int,
        step: float,
        validation: float,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self.step, self.validation = step, validation
        self._ends, self._epoch, self._clock = ends, epoch, clock
        self._last: float | None = None
        # As if so many had taken what was expected, until there are others.
        self._steps = [step] * FEWEST
        self._fresh = 0
        self._validations: list[float] = []

    def stepped(self) -> None:
        """Take note of a step that was just done; a process's first one doesn't count."""
        self._note(self._steps)
        self._fresh += 1

    def validated(self) -> None:
        """Take note of a validation that was just done."""
        self._note(self._validations)

    def _note(self, spent: list[float]) -> None:
        now = self._clock()
        if self._last is not None:
            spent.append(now - self._last)
        self._last = now

    def fitting(self, batches: int) -> int:
        """Return how many more steps come nearest to the end, by what they took since asked last.

        `batches` of the epoch under way are done. Every epoch ends with a validation, the last
        one too, which may be shorter.
        """
        self.step = fmean(self._steps[-max(FEWEST, self._fresh) :])
        del self._steps[:-FEWEST]
        self._fresh = 0
        if self._validations:
            self.validation = fmean(self._validations)
            self._validations.clear()
        left = self._ends - self._clock()
        below = range(max(0, int(left / self.step)) + 1)
        more = bisect_right(below, left, key=lambda n: self._cost(n, batches))
        # That many more would be too late, one fewer too early.
        late, early = self._cost(more, batches) - left, left - self._cost(more - 1, batches)
        return more if late < early else max(0, more - 1)

    def _cost(self, steps: int, batches: int) -> float:
        return steps * self.step + ceil((batches + steps) / self._epoch) * self.validation


@final
class Length:
    """The number of steps of a run, as decided so far.

    Args:
        decided: the first decision, made after 0 steps, and those after it, also such as a killed
            process has made beyond its last checkpoint.
        budget: what further decisions are made from; None: there are none.
        record: is given all decisions before the last of them takes effect.
    """

    def __init__(
        self,
        decided: Sequence[Decision],
        budget: Budget | None = None,
        record: Callable[[list[Decision]], None] = lambda _decided: None,
    ) -> None:
        self.decided = [(step, total) for step, total in decided]
        self._budget, self._record = budget, record

    def total(self, step: int) -> int:
        """Return the number of steps, by what was decided until so many were done."""
        return next(total for since, total in reversed(self.decided) if since <= step)

    def place(self, step: int) -> float:
        """Return where in the first decision's steps a step lies, both counted from 0.

        The step itself where there was one decision. Each further one goes on from where the step
        before it was, evenly to the last place at its own last step.
        """
        end = self.decided[0][1] - 1
        place, before = -1.0, -1
        for number, (since, total) in enumerate(self.decided):
            if since > step:
                break
            ahead = self.decided[number + 1 : number + 2]
            until = min(step, ahead[0][0] - 1) if ahead else step
            place += (end - place) * (until - before) / (total - 1 - before)
            before = until
        return place

    def stepped(self, at: Position) -> None:
        """Take note of a step; decide anew where it is time to, and nobody has done so before."""
        if self._budget is None:
            return
        self._budget.stepped()
        total = self.total(at.step)
        if self.decided[-1][0] >= at.step or not _due(at.step, total):
            return
        fits = at.step + max(1, self._budget.fitting(at.batches))
        if fits != total:
            self._record([*self.decided, (at.step, fits)])
            self.decided.append((at.step, fits))

    def validated(self) -> None:
        """Take note of a validation."""
        if self._budget is not None:
            self._budget.validated()


def _due(step: int, total: int) -> bool:
    return step < total and any(step == ceil(share * total) for share in SHARES)
