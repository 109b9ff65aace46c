"""Ranking: ROC, precision-recall, and the areas below them, with scikit-learn's definitions.

A column's scores rank the samples; `positive` ones should come first. Samples of equal score are
one step of a curve, so ties count half in the area under the ROC curve. Average precision is
Σ (Rₙ − Rₙ₋₁)·Pₙ over the thresholds, without interpolation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.answer._base import Floats, Json

Numbers = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

MOST_POINTS = 101
MOST_CURVES = 10
_BLOCK = 32  # columns transposed at a time: two cache lines of float32


@dataclass(frozen=True, kw_only=True)
class Areas:
    """Areas of each column, (K,) float64; NaN marks what isn't defined and never leaves the room.

    `roc_K` needs a positive and a negative sample, `precision_recall_K` a positive one.
    """

    roc_K: Numbers
    precision_recall_K: Numbers

    def means(self) -> dict[str, float]:
        """Return `roc_auc` and `average_precision`, means over the columns that have them."""
        named = {"roc_auc": self.roc_K, "average_precision": self.precision_recall_K}
        defined = {name: area_K[~np.isnan(area_K)] for name, area_K in named.items()}
        return {name: float(area.mean()) for name, area in defined.items() if len(area)}


def positions_of_classes(targets_N: npt.NDArray[Any], classes: int) -> list[Positions]:
    """Return for each class the positions of its samples."""
    order = np.argsort(targets_N, kind="stable")
    return np.split(order, np.searchsorted(targets_N[order], np.arange(1, classes)))


def areas(scores_NK: Floats, positives: Sequence[Positions]) -> Areas:
    """Return the areas of every column; `positives[k]` are the samples positive in column k."""
    classes = scores_NK.shape[1]
    found_K2 = np.full((classes, 2), np.nan)
    for start in range(0, classes, _BLOCK):
        block = np.ascontiguousarray(scores_NK[:, start : start + _BLOCK].T)
        for column, scores_N in enumerate(block, start):
            if len(positives[column]):
                found_K2[column] = _column_areas(scores_N, positives[column])
    return Areas(roc_K=found_K2[:, 0], precision_recall_K=found_K2[:, 1])


def _column_areas(scores_N: Floats, positive: Positions) -> tuple[float, float]:
    """Return (area under ROC or NaN, average precision) of one column with a positive sample.

    Only ranks of the positives are needed: the area under the ROC curve is the share of (positive,
    negative) pairs in the right order (Mann-Whitney), average precision the mean, over positives,
    of the precision at their own score.
    """
    ranked = np.sort(scores_N)
    own = np.sort(scores_N[positive])
    total, count = len(ranked), len(own)
    below, upto = np.searchsorted(ranked, own, "left"), np.searchsorted(ranked, own, "right")
    own_below, own_upto = np.searchsorted(own, own, "left"), np.searchsorted(own, own, "right")
    average_precision = float(np.mean((count - own_below) / (total - below)))
    if count == total:
        return np.nan, average_precision
    won_twice = (below - own_below) + (upto - own_upto)
    return float(won_twice.sum() / (2 * count * (total - count))), average_precision


def roc_curve(scores_N: Floats, positive_N: npt.NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Return (false positive rate, true positive rate) from (0, 0) to (1, 1), one step a score.

    Both kinds of samples must be there.
    """
    hits, misses = _steps(scores_N, positive_N)
    return misses / misses[-1], hits / hits[-1]


def precision_recall_curve(
    scores_N: Floats, positive_N: npt.NDArray[np.bool_]
) -> tuple[Numbers, Numbers]:
    """Return (recall ascending, precision), starting at (0, 1). A positive must be there."""
    hits, misses = _steps(scores_N, positive_N)
    answered = np.maximum(hits + misses, 1)
    precision = hits / answered
    precision[0] = 1
    return hits / hits[-1], precision


def _steps(scores_N: Floats, positive_N: npt.NDArray[np.bool_]) -> tuple[Positions, Positions]:
    """Return counts of positives and negatives at or above each distinct score, from 0 on."""
    order = np.argsort(scores_N, kind="stable")[::-1]
    ranked = scores_N[order]
    last = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    hits = np.cumsum(positive_N[order])[last]
    return np.append(0, hits), np.append(0, last + 1 - hits)


def curves(
    scores_NK: Floats, positives: Sequence[Positions], found: Areas, names: tuple[str, ...]
) -> Json:
    """Return `roc` and `precision_recall` for the report (docs/run-folder.md).

    Over 10 columns, only those of the 10 smallest areas, worst first; columns without an area are
    left out. A curve has at most 101 points; its area is that of all points.
    """

    def drawn(area_K: Numbers, curve: Any, along: Any) -> list[Json]:
        rows = []
        for column in _shown(area_K):
            positive_N = np.zeros(len(scores_NK), bool)
            positive_N[positives[column]] = True
            x, y = curve(scores_NK[:, column], positive_N)
            kept = _thinned(along(x, y))
            row = {"x": x[kept].tolist(), "y": y[kept].tolist(), "area": float(area_K[column])}
            rows.append({"name": names[column], **row})
        return rows

    return {
        # A ROC curve climbs steeply at its start: points are spread along the path, not along x.
        "roc": drawn(found.roc_K, roc_curve, np.add),
        "precision_recall": drawn(found.precision_recall_K, precision_recall_curve, lambda x, _: x),
    }


def _shown(area_K: Numbers) -> list[int]:
    defined = np.flatnonzero(~np.isnan(area_K))
    if len(defined) > MOST_CURVES:
        defined = defined[np.argsort(area_K[defined], kind="stable")[:MOST_CURVES]]
    return [int(column) for column in defined]


def _thinned(along: Numbers) -> Positions:
    """Return at most MOST_POINTS positions spread evenly over ascending `along`, ends included."""
    count = len(along)
    if count <= MOST_POINTS:
        return np.arange(count)
    wanted = np.linspace(along[0], along[-1], MOST_POINTS - 1)
    picked = np.searchsorted(along, wanted).clip(0, count - 1)
    return np.unique(np.append(picked, count - 1))
