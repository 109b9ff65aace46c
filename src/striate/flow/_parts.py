"""Final figures of each part, taken with network.onnx."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data import Source, Split, order
from striate.evaluation import measure

TRAIN_SAMPLE = 5_000


@dataclass(frozen=True, kw_only=True)
class PartResult:
    """One part's answers by network.onnx, and their figures.

    Attributes:
        positions: (N,) of the part in the source, all of them or a seeded sample.
        answer_NK: the answers for these positions.
        metrics: with `samples` and whether they are `sampled`.
    """

    positions: npt.NDArray[np.int64]
    answer_NK: npt.NDArray[np.float32]
    metrics: dict[str, Any]


def seeded_sample(
    positions: npt.NDArray[np.int64], ids: npt.NDArray[np.uint64], count: int, seed: int
) -> npt.NDArray[np.int64]:
    """Return at most `count` of the positions, ascending, chosen by hash of seed and id."""
    if len(positions) <= count:
        return positions
    return np.sort(positions[order(seed, 0, ids[positions])[:count]])


def measure_parts(
    answers: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float32]],
    source: Source,
    divided: Split,
    seed: int,
) -> dict[str, PartResult]:
    """Measure every part; the train part on a seeded sample of at most 5,000.

    `answers` returns the shipped network's answers (N, K) for positions (N,).
    """
    results = {}
    for name, positions in divided.parts().items():
        limit = TRAIN_SAMPLE if name == "train" else len(positions)
        chosen = seeded_sample(positions, source.ids, limit, seed)
        answer_NK = answers(chosen)
        figures = measure(source.answer, answer_NK, source.targets[chosen])
        figures["sampled"] = len(chosen) < len(positions)
        results[name] = PartResult(positions=chosen, answer_NK=answer_NK, metrics=figures)
    return results
