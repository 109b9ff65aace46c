"""Cross-entropy of answers that are already probabilities."""

from typing import Any

import numpy as np
import numpy.typing as npt

from striate.answer._base import Floats

SMALLEST = 1e-12
"""Probabilities are clipped here: a float32 softmax can be exactly 0, whose loss is infinite."""

_ROWS = 4096  # rows turned into float64 at a time


def cross_entropy(answer_NK: Floats, targets_N: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return −log of the probability given to the right class, (N,)."""
    right_N = answer_NK[np.arange(len(answer_NK)), targets_N].astype(np.float64)
    return _surprise(right_N)


def binary_cross_entropy(
    answer_NK: Floats, present_NK: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return −log of the probability given to each label's truth, summed over labels, (N,)."""
    losses = np.empty(len(answer_NK))
    for start in range(0, len(answer_NK), _ROWS):
        rows = slice(start, start + _ROWS)
        answer = answer_NK[rows].astype(np.float64)
        losses[rows] = _surprise(np.where(present_NK[rows], answer, 1 - answer)).sum(axis=1)
    return losses


def _surprise(probability: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    surprise: npt.NDArray[np.float64] = -np.log(probability.clip(SMALLEST, 1.0))
    return surprise
