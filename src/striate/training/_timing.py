"""How long steps take: repeated calls on a clock, and what is typical of them."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import count
from time import perf_counter

import numpy as np

from striate.data import AnyBatch
from striate.training._plan import Plan
from striate.training._step import pictures_of, train_step

Clock = Callable[[], float]

WARM_UP = 3
"""Calls before those that count: the first ones allocate memory and choose algorithms."""

LEAST = 3
"""Calls that count, at least, where they aren't slow."""

SLOW = 4
"""Times the seconds asked for, the first call left out, after which slow calls end."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long one call takes, in seconds.

    Attributes:
        median: a call that something else on the machine held up doesn't move it.
        low, high: quartiles.
        calls: that counted.
    """

    median: float
    low: float
    high: float
    calls: int


def time_calls(
    call: Callable[[], object],
    *,
    seconds: float,
    warm_up: int = WARM_UP,
    clock: Clock = perf_counter,
) -> Timing:
    """Call again and again until the calls that count took `seconds`, and are `LEAST` or more.

    The first `warm_up` calls don't count. Calls end anyway when those behind the first took `SLOW`
    times the seconds; the last one counts then, even if the warm-up wasn't over.
    """
    spent: list[float] = []
    while not _enough(spent, seconds, warm_up):
        begun = clock()
        call()
        spent.append(clock() - begun)
    counted = spent[warm_up:] or spent[-1:]
    low, median, high = np.quantile(counted, (0.25, 0.5, 0.75)).tolist()
    return Timing(median=median, low=low, high=high, calls=len(counted))


def _enough(spent: list[float], seconds: float, warm_up: int) -> bool:
    if sum(spent[1:]) >= SLOW * seconds:
        return True
    counted = spent[warm_up:]
    return len(counted) >= LEAST and sum(counted) >= seconds


def time_steps(plan: Plan, *, seconds: float, clock: Clock = perf_counter) -> Timing:
    """Train for a while and return how long a full batch takes, waiting for it included.

    The network and the optimizer are spent afterwards. The rate stays that of the first step.
    """
    plan.network.train()
    parameters = [p for p in plan.network.parameters() if p.requires_grad]
    rate, batches, steps = plan.rate(0, []), full_batches(plan), count()

    def step() -> None:
        batch = next(batches)
        targets = plan.task.tensor(batch.targets)
        train_step(plan, pictures_of(batch, plan.device), targets, parameters, next(steps), rate)

    try:
        return time_calls(step, seconds=seconds, clock=clock)
    finally:
        batches.close()


def full_batches(plan: Plan) -> Generator[AnyBatch, None, None]:
    """Yield the batches of epoch after epoch without shorter last ones, where there are full ones."""
    full = min(plan.batches.batch_size, plan.samples)
    for epoch in count(1):
        for batch in plan.batches.epoch(epoch):
            if len(batch.positions) == full:
                yield batch


def steps_an_epoch(plan: Plan) -> float:
    """Return the steps of an epoch, a shorter last batch counted by its share of pictures."""
    return plan.samples / min(plan.batches.batch_size, plan.samples)
