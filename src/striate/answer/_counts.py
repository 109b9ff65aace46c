"""Counting right and wrong: confusion, precision, recall, F1."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.answer._base import Json

Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Precision, recall and F1 of each column, (K,) float64, 0 where the denominator is 0.

    `count_K` is how often a column is true, `answered_K` how often it was answered.
    """

    precision_K: Numbers
    recall_K: Numbers
    f1_K: Numbers
    count_K: Counts
    answered_K: Counts

    def macro(self, columns_K: npt.NDArray[np.bool_] | None = None) -> dict[str, float]:
        """Return the plain averages over the marked columns (None: all)."""
        which = slice(None) if columns_K is None else columns_K
        return {
            "precision": float(self.precision_K[which].mean()),
            "recall": float(self.recall_K[which].mean()),
            "f1": float(self.f1_K[which].mean()),
        }

    def per_class(self, names: tuple[str, ...]) -> list[Json]:
        """Return rows for the report: name, precision, recall, f1, count."""
        columns = (self.precision_K, self.recall_K, self.f1_K, self.count_K)
        keys = ("precision", "recall", "f1", "count")
        rows = zip(names, *(column.tolist() for column in columns))
        return [{"name": name, **dict(zip(keys, row))} for name, *row in rows]


def confusion(targets_N: npt.NDArray[Any], chosen_N: npt.NDArray[Any], classes: int) -> Counts:
    """Return counts (K, K): row = target, column = answer. Both are class numbers (N,)."""
    cells = targets_N.astype(np.int64) * classes + chosen_N
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def rates(right_K: Counts, answered_K: Counts, count_K: Counts) -> Rates:
    """Return precision = right/answered, recall = right/count, F1 = 2·right/(answered + count)."""
    return Rates(
        precision_K=_ratio(right_K, answered_K),
        recall_K=_ratio(right_K, count_K),
        f1_K=_ratio(2 * right_K, answered_K + count_K),
        count_K=count_K,
        answered_K=answered_K,
    )


def class_rates(confusion_KK: Counts) -> Rates:
    """Return the rates of each class of a confusion matrix, one against the rest."""
    return rates(np.diagonal(confusion_KK), confusion_KK.sum(axis=0), confusion_KK.sum(axis=1))


def label_rates(present_NK: npt.NDArray[np.bool_], chosen_NK: npt.NDArray[np.bool_]) -> Rates:
    """Return the rates of each label: truth and answer as booleans (N, K)."""
    right_K = np.count_nonzero(present_NK & chosen_NK, axis=0)
    return rates(
        np.asarray(right_K, np.int64),
        np.asarray(np.count_nonzero(chosen_NK, axis=0), np.int64),
        np.asarray(np.count_nonzero(present_NK, axis=0), np.int64),
    )


def _ratio(top_K: Counts, bottom_K: Counts) -> Numbers:
    return np.divide(top_K, bottom_K, out=np.zeros(len(top_K)), where=bottom_K > 0)
