"""The range test: a training run whose learning rate grows at every step, until the loss diverges.

L. N. Smith, "Cyclical learning rates for training neural networks", WACV 2017 (arXiv:1506.01186).
What is read from the curve, and the figures behind it: docs/lr-find.md.
"""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

from striate.data import AnyBatch
from striate.errors import NotFiniteError, UsageError
from striate.training._plan import Plan
from striate.training._step import pictures_of, train_step

Floats = npt.NDArray[np.float64]

LOWEST, HIGHEST = 1e-6, 10.0
LEAST = 50
"""Steps: with fewer, too few lie within the width of the smoothing."""

WIDTH = 0.25
"""Deviation of the smoothing's Gaussian, in decades of the rate: 3.5 steps of 100."""

START = 0.2
"""Share of the steps, at rates too small to change anything, that show the loss at the start."""

CLEARLY = 2.0
"""A fall counts from so many deviations of the losses' noise: noise alone falls less."""

FALLEN = 2 / 3
"""Share of the fall at whose end a schedule may begin."""

DIVERGED = 4.0
"""The test ends where the loss has risen by so many times what it had fallen."""


@dataclass(frozen=True, kw_only=True)
class RangeTest:
    """What a range test measured.

    Attributes:
        rates: (S,) learning rate of each step, growing by one factor.
        losses: (S,) loss of each step before its update.
        smoothed: (S,) the losses without their noise (`smooth`).
        steepest: the rate where the smoothed loss falls fastest per factor of the rate, before it
            is smallest; None where it never falls clearly.
        fallen: the rate from which on it has done two thirds of its fall; None as above.
        smallest: the rate where it is smallest; None as above.
        diverges: the rate after the smallest loss where half of the fall is lost again; None where
            that never happens.
    """

    rates: Floats
    losses: Floats
    smoothed: Floats
    steepest: float | None = None
    fallen: float | None = None
    smallest: float | None = None
    diverges: float | None = None

    def suggested(self, schedule: str) -> float | None:
        """Return the rate for a schedule's name; None where the loss never falls clearly."""
        return self.smallest if schedule == "one-cycle" else self.fallen


def range_test(
    plan: Plan,
    *,
    steps: int,
    lowest: float = LOWEST,
    progress: Callable[[int, int], None] | None = None,
) -> RangeTest:
    """Train `plan.network` while the rate grows to 10, evenly in the logarithm.

    The network and the optimizer are spent afterwards. Ends early where the loss diverges.

    Args:
        plan: as `fit` takes it; its own rates aren't used.
        steps: 50 or more; epochs follow each other as far as needed.
        lowest: the rate to begin with, too small to change anything for a fifth of the steps.
        progress: told (steps done, steps).

    Raises:
        UsageError: too few steps.
        NotFiniteError: the loss isn't finite from the start, when the rate can't be the cause.
    """
    if steps < LEAST:
        raise UsageError(f"A range test needs {LEAST} steps or more; got {steps}.")
    plan.network.train()
    parameters = [p for p in plan.network.parameters() if p.requires_grad]
    rates = np.geomspace(lowest, HIGHEST, steps)
    losses: list[float] = []
    with closing(_forever(plan)) as batches:
        for step, (rate, batch) in enumerate(zip(rates.tolist(), batches, strict=False)):
            pictures, targets = pictures_of(batch, plan.device), plan.task.tensor(batch.targets)
            try:
                losses.append(train_step(plan, pictures, targets, parameters, step, rate)[0])
            except NotFiniteError:
                if step < START * steps:
                    raise
                break
            if progress:
                progress(step + 1, steps)
            if _risen(losses, steps):
                break
    return read_curve(rates[: len(losses)], np.array(losses), steps=steps)


def read_curve(rates: Floats, losses: Floats, *, steps: int) -> RangeTest:
    """Return what a curve says; it may have ended before all `steps` were done.

    Args:
        rates: (S,) growing evenly in the logarithm.
        losses: (S,) finite.
        steps: of the whole test, from its lowest to its highest rate.
    """
    first = losses[: round(START * steps)]
    start = float(first.mean())
    # A single loss of thousands must not reach back to rates that were good.
    ceiling = start + (start - float(losses.min()))
    smoothed = smooth(rates, np.minimum(losses, ceiling))
    lowest = int(np.argmin(smoothed))
    fall = start - float(smoothed[lowest])
    noise = max(first.std(), (losses - smoothed)[: lowest + 1].std())
    fell = lowest > 0 and fall > CLEARLY * float(noise)
    if not fell:
        return RangeTest(rates=rates, losses=losses, smoothed=smoothed)
    falling = smoothed[: lowest + 1]
    before = np.flatnonzero(falling > start - FALLEN * fall)
    lost = np.flatnonzero(smoothed[lowest:] > start - fall / 2)
    return RangeTest(
        rates=rates,
        losses=losses,
        smoothed=smoothed,
        steepest=float(rates[np.argmin(np.gradient(falling, np.log(rates[: lowest + 1])))]),
        fallen=float(rates[before[-1] + 1]),
        smallest=float(rates[lowest]),
        diverges=float(rates[lowest + lost[0]]) if len(lost) else None,
    )


def smooth(rates: Floats, losses: Floats, width: float = WIDTH) -> Floats:
    """Return the losses' means under a Gaussian of `width` decades around each rate, (S,).

    A running mean, as it is often used, lags behind: its minimum lies at three times the rate.
    """
    decades = np.log10(rates)
    weights = np.exp(-0.5 * ((decades[:, None] - decades) / width) ** 2)
    smoothed: Floats = weights @ losses / weights.sum(axis=1)
    return smoothed


def _risen(losses: list[float], steps: int) -> bool:
    """Whether the last five losses stand far above the start: no better rate will come."""
    first = round(START * steps)
    if len(losses) < first + 5:
        return False
    start = float(np.mean(losses[:first]))
    return float(np.mean(losses[-5:])) > start + DIVERGED * (start - min(losses))


def _forever(plan: Plan) -> Generator[AnyBatch, None, None]:
    for epoch in count(1):
        yield from plan.batches.epoch(epoch)
