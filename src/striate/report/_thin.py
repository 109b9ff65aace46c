"""Fewer points than steps: what a curve of 100,000 steps looks like in 200 places."""

from dataclasses import dataclass

import numpy as np

from striate.report._scale import Floats

MOST = 200
"""Most places of a curve; with its band of two edges that makes 600 points."""

FEWEST = 40
"""Places that a thinned curve keeps at least, before its groups grow to `GROUP` steps."""

GROUP = 5
"""Steps in a group at the least, as long as `FEWEST` places remain."""

AS_IT_IS = 100
"""Most steps that are drawn one by one."""


@dataclass(frozen=True, kw_only=True)
class Thinned:
    """Points of a curve, each for a group of neighbouring steps.

    Attributes:
        x: (P,) mean place of each group, P ≤ 200.
        low, middle, high: (P,) smallest value, median and largest value of each group.
        group: steps in a group, rounded up; 1 where every step is drawn.
    """

    x: Floats
    low: Floats
    middle: Floats
    high: Floats
    group: int


def thin(x: Floats, y: Floats) -> Thinned:
    """Return at most 200 places for a curve; steps where x or y isn't finite are left out."""
    finite = np.isfinite(x) & np.isfinite(y)
    x, y = x[finite], y[finite]
    if len(y) <= AS_IT_IS:
        return Thinned(x=x, low=y, middle=y, high=y, group=1)
    places = min(MOST, max(FEWEST, len(y) // GROUP))
    edges = np.linspace(0, len(y), places + 1).astype(np.int64)
    starts = edges[:-1]
    return Thinned(
        x=np.add.reduceat(x, starts) / np.diff(edges),
        low=np.minimum.reduceat(y, starts),
        middle=np.array([np.median(y[a:b]) for a, b in zip(starts, edges[1:])]),
        high=np.maximum.reduceat(y, starts),
        group=int(np.diff(edges).max()),
    )
