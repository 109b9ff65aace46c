"""The range test: a training run whose learning rate grows at every step, until the loss diverges.

L. N. Smith, "Cyclical learning rates for training neural networks", WACV 2017 (arXiv:1506.01186).
"""

from collections.abc import Generator
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

from striate.data import Batch
from striate.errors import NotFiniteError
from striate.training._loop import Plan, pictures_of, train_step

Floats = npt.NDArray[np.float64]

LOWEST, HIGHEST = 1e-6, 10.0
STEPS = 100
SMOOTHING = 0.9
DIVERGED = 4.0
"""The test ends where the smoothed loss is so many times its smallest value."""
LEAST = 10
"""Steps that a suggestion needs."""


@dataclass(frozen=True, kw_only=True)
class RangeTest:
    """What a range test measured.

    Attributes:
        rates: (S,) learning rate of each step, growing by one factor.
        losses: (S,) loss of each step before its update.
        smoothed: (S,) running mean of the losses, with its start corrected as in Adam.
        suggested: the rate where the smoothed loss falls fastest; None where it never falls.
        diverged: whether the loss grew to a multiple of its smallest value, or wasn't finite.
    """

    rates: Floats
    losses: Floats
    smoothed: Floats
    suggested: float | None
    diverged: bool


def range_test(
    plan: Plan, *, lowest: float = LOWEST, highest: float = HIGHEST, steps: int = STEPS
) -> RangeTest:
    """Train `plan.network` while the rate grows from `lowest` to `highest`, evenly in the logarithm.

    The network and the optimizer are spent afterwards. Ends early where the loss diverges.
    """
    plan.network.train()
    parameters = [p for p in plan.network.parameters() if p.requires_grad]
    rates = np.geomspace(lowest, highest, steps)
    losses: list[float] = []
    diverged = False
    batches = _forever(plan)
    for step, rate in enumerate(rates.tolist()):
        batch = next(batches)
        pictures = pictures_of(batch, plan.device)
        try:
            targets = plan.task.tensor(batch.targets)
            losses.append(train_step(plan, pictures, targets, parameters, step, rate)[0])
        except NotFiniteError:
            diverged = True
            break
        smoothed = smooth(np.array(losses))
        if len(losses) > LEAST and smoothed[-1] > DIVERGED * smoothed.min():
            diverged = True
            break
    batches.close()
    measured = np.array(losses)
    rates = rates[: len(losses)]
    smoothed = smooth(measured)
    return RangeTest(
        rates=rates,
        losses=measured,
        smoothed=smoothed,
        suggested=steepest(rates, smoothed),
        diverged=diverged,
    )


def smooth(losses: Floats, weight: float = SMOOTHING) -> Floats:
    """Return m_t / (1 − w^t) with m_t = w·m_{t−1} + (1 − w)·loss_t, (S,)."""
    mean, smoothed = 0.0, np.empty(len(losses))
    for step, loss in enumerate(losses.tolist(), start=1):
        mean = weight * mean + (1 - weight) * loss
        smoothed[step - 1] = mean / (1 - weight**step)
    return smoothed


def steepest(rates: Floats, smoothed: Floats) -> float | None:
    """Return the rate before the smallest loss where the loss falls fastest per factor of rate.

    None where there are too few steps, or the loss never falls.
    """
    end = int(np.argmin(smoothed)) + 1 if len(smoothed) else 0
    if end < LEAST:
        return None
    slopes = np.gradient(smoothed[:end], np.log(rates[:end]))
    best = int(np.argmin(slopes))
    return float(rates[best]) if slopes[best] < 0 else None


def _forever(plan: Plan) -> Generator[Batch, None, None]:
    for epoch in count(1):
        yield from plan.batches.epoch(epoch)
