"""Fewer points than steps: what a curve of 100,000 steps looks like in 300 places."""

from dataclasses import dataclass

import numpy as np

from striate.report._scale import Floats

MOST = 300


@dataclass(frozen=True, kw_only=True)
class Thinned:
    """Points of a curve, each for a group of neighbouring steps.

    Attributes:
        x: (P,) mean place of each group, P ≤ 300.
        low, middle, high: (P,) smallest value, median and largest value of each group.
        group: steps in a group, rounded up; 1 where every step is drawn.
    """

    x: Floats
    low: Floats
    middle: Floats
    high: Floats
    group: int


def thin(x: Floats, y: Floats, *, most: int = MOST) -> Thinned:
    """Return at most `most` points for a curve; places where x or y isn't finite are left out."""
    finite = np.isfinite(x) & np.isfinite(y)
    x, y = x[finite], y[finite]
    if len(y) <= most:
        return Thinned(x=x, low=y, middle=y, high=y, group=1)
    edges = np.linspace(0, len(y), most + 1).astype(np.int64)
    starts = edges[:-1]
    return Thinned(
        x=np.add.reduceat(x, starts) / np.diff(edges),
        low=np.minimum.reduceat(y, starts),
        middle=np.array([np.median(y[a:b]) for a, b in zip(starts, edges[1:])]),
        high=np.maximum.reduceat(y, starts),
        group=int(np.diff(edges).max()),
    )
