"""Calibration: does a probability of 0.8 come true in 8 of 10 cases?

Source: Guo et al., On Calibration of Modern Neural Networks (2017): ten bins of equal width,
expected calibration error = Σ share of the bin · |accuracy − confidence|.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from striate.answer._base import Floats, Json

BINS = 10


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Bins [low, high), the last one closed; each array (10,).

    `confidence` is the mean probability and `accuracy` the share that came true, both 0 in a bin
    that is empty.
    """

    count: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]
    accuracy: npt.NDArray[np.float64]

    def error(self) -> float:
        """Return the expected calibration error, 0 (perfect) to 1; there must be a sample."""
        gap = np.abs(self.accuracy - self.confidence)
        return float((gap * self.count).sum() / self.count.sum())

    def rows(self) -> list[Json]:
        """Return the bins for the report: low, high, count, confidence, accuracy."""
        edges = [step / BINS for step in range(BINS + 1)]
        columns = (self.count, self.confidence, self.accuracy)
        found = zip(edges[:-1], edges[1:], *(column.tolist() for column in columns))
        keys = ("low", "high", "count", "confidence", "accuracy")
        return [dict(zip(keys, row)) for row in found]


def calibration(probability_M: Floats, true_M: npt.NDArray[np.bool_]) -> Calibration:
    """Sort M probabilities (0 to 1) into bins; `true_M` says which of them came true."""
    edges = np.arange(1, BINS) / BINS
    bin_M = np.searchsorted(edges, probability_M, side="right")
    count = np.bincount(bin_M, minlength=BINS)
    filled = np.maximum(count, 1)
    return Calibration(
        count=count,
        confidence=np.bincount(bin_M, weights=probability_M, minlength=BINS) / filled,
        accuracy=np.bincount(bin_M, weights=true_M, minlength=BINS) / filled,
    )
