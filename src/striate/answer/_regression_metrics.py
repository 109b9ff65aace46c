"""Errors of numbers, with scikit-learn's definitions; every mean over targets is a plain one."""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from striate.answer._base import Json

Numbers = npt.NDArray[np.float64]

MOST_BINS = 30


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Figures of each target, (T,) float64, in the target's units (`mse_T`: squared)."""

    mse_T: Numbers
    mae_T: Numbers
    r2_T: Numbers

    @property
    def rmse_T(self) -> Numbers:
        """Root of the mean squared error of each target."""
        return np.sqrt(self.mse_T)


def errors(answer_NT: Numbers, targets_NT: Numbers) -> Errors:
    """Return the errors of N answers.

    r2 = 1 − Σ(answer − truth)² / Σ(truth − mean)²; where all truths are equal it is 1 for answers
    without error, else 0.
    """
    residual_NT = answer_NT - targets_NT
    mse_T = np.mean(residual_NT**2, axis=0)
    constant_T = _constant(targets_NT)
    variance_T = np.where(constant_T, 1.0, np.var(targets_NT, axis=0))
    r2_T = np.where(constant_T, (mse_T == 0).astype(np.float64), 1 - mse_T / variance_T)
    return Errors(mse_T=mse_T, mae_T=np.mean(np.abs(residual_NT), axis=0), r2_T=r2_T)


def spread(numbers_NT: Numbers) -> Numbers:
    """Return the standard deviation of each column, (T,), 1 where all its numbers are equal."""
    return np.where(_constant(numbers_NT), 1.0, np.std(numbers_NT, axis=0))


def _constant(numbers_NT: Numbers) -> npt.NDArray[np.bool_]:
    """Return which columns hold one number only, as far as their variance can tell, (T,).

    Equal numbers can have a variance of a few rounding errors, so both are asked for; and dividing
    by a variance below 1e-100 could overflow.
    """
    equal_T: npt.NDArray[np.bool_] = np.ptp(numbers_NT, axis=0) == 0
    still_T: npt.NDArray[np.bool_] = np.var(numbers_NT, axis=0) < 1e-100
    return np.logical_or(equal_T, still_T)


def histogram(residual_N: Numbers) -> Json:
    """Return `edges` and `counts` of about √N bins of equal width, 1 to 30."""
    low, high = float(residual_N.min()), float(residual_N.max())
    bins = min(MOST_BINS, ceil(sqrt(len(residual_N))))
    # Too narrow for edges that differ in float64: one bin around all.
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        margin = max(abs(low), abs(high), 1.0) * 1e-6
        low, high, bins = low - margin, high + margin, 1
    counts, edges = np.histogram(residual_N, bins=bins, range=(low, high))
    return {"edges": edges.tolist(), "counts": counts.tolist()}
