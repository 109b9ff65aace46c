"""From numbers to places on a figure: linear and logarithmic scales with round ticks."""

from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Maps `low`…`high` to `start`…`end` (viewBox units); logarithmic where `log`.

    `end` may be smaller than `start`: y grows downward in SVG.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, values: npt.ArrayLike) -> Floats:
        """Return the places of `values`, kept within `low`…`high`."""
        inside = np.clip(np.asarray(values, np.float64), self.low, self.high)
        low, high = self._bend(np.array([self.low, self.high]))
        share: Floats = (self._bend(inside) - low) / (high - low)
        return self.start + share * (self.end - self.start)

    def invert(self, places: npt.ArrayLike) -> Floats:
        """Return the numbers that stand at `places`."""
        low, high = self._bend(np.array([self.low, self.high]))
        share = (np.asarray(places, np.float64) - self.start) / (self.end - self.start)
        values: Floats = low + share * (high - low)
        return 10.0**values if self.log else values

    def _bend(self, values: Floats) -> Floats:
        return np.log10(values) if self.log else values


def spread(low: float, high: float) -> tuple[float, float]:
    """Return limits with room between them: equal ones are widened to include zero."""
    if high - low > 1e-9 * max(abs(low), abs(high)):
        return low, high
    if low == high == 0:
        return 0.0, 1.0
    return min(0.0, low), max(0.0, high)


def linear_ticks(low: float, high: float, *, count: int = 5, whole: bool = False) -> list[float]:
    """Return about `count` multiples of a round step (1, 2, 2.5, 5 × 10ⁿ) that cover low…high.

    `whole` allows whole numbers only.

    >>> linear_ticks(0.13, 2.31)
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    """
    low, high = spread(low, high)
    step = _round_step((high - low) / count)
    if whole:
        step = float(max(1, ceil(step)))
    # The tolerance keeps 0.3 / 0.1 = 2.9999999999999996 from asking for a tick at 0.2.
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [float(f"{n * step:.12g}") for n in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten (with 2 and 5 between where they are few) that cover low…high, both > 0.

    >>> log_ticks(0.004, 0.3)
    [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
    """
    first = floor(log10(low))
    last = max(ceil(log10(high)), first + 1)
    if last - first > 3:
        stride = ceil((last - first) / 6)
        return [10.0**n for n in range(first, last + stride, stride)]
    fine = [float(f"{m}e{n}") for n in range(first, last) for m in (1, 2, 5)] + [10.0**last]
    # The logarithm of a number just below a power of ten rounds to that power's: hence defaults.
    start = max((n for n, tick in enumerate(fine) if tick <= low), default=0)
    stop = min((n for n, tick in enumerate(fine) if tick >= high), default=len(fine) - 1)
    return fine[start : stop + 1] if stop > start else fine[max(stop - 1, 0) :][:2]


def tick_labels(ticks: list[float]) -> list[str]:
    """Return the ticks as text, with as many digits after the point as the finest one needs.

    >>> tick_labels([0.0, 0.25, 0.5]), tick_labels([1e-5, 1e-3]), tick_labels([0.0, 5000.0])
    (['0', '0.25', '0.50'], ['1e-5', '1e-3'], ['0', '5,000'])
    """
    sizes = [abs(tick) for tick in ticks if tick]
    if sizes and max(sizes) > 100 * min(sizes):
        return [_plain(tick) if 1e-3 <= abs(tick) < 1e6 else _short(tick) for tick in ticks]
    if sizes and (max(sizes) >= 1e6 or min(sizes) < 1e-3):
        return [_short(tick) for tick in ticks]
    digits = next(d for d in range(8) if all(abs(t - round(t, d)) < 1e-9 for t in ticks))
    return ["0" if tick == 0 else f"{tick:,.{digits}f}" for tick in ticks]


def _round_step(raw: float) -> float:
    power = 10.0 ** floor(log10(raw))
    steps = (factor * power for factor in (1, 2, 2.5, 5, 10))
    return next(step for step in steps if raw <= step * (1 + 1e-9))


def _plain(value: float) -> str:
    return f"{value:,.10g}"


def _short(value: float) -> str:
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"
