"""How a model's answers bear up when its pictures are moved, lit, blurred or disturbed."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.answer import Answer, Floats
from striate.data import Source, hash_ids, unreadable_limit
from striate.data._geometry import opencv
from striate.evaluation._align import align
from striate.evaluation._answers import Network, Progress
from striate.evaluation._decoded import Decoded
from striate.evaluation._part import chosen_part
from striate.evaluation._robustness_changes import FAMILIES, Batch, Family, Pixels, Strength
from striate.evaluation._robustness_curves import Curve, Point, Robustness

MOST = 1000
"""Pictures that are changed at most: a seeded sample of the part."""

BATCH = 64

_SEED = 0x0B057
_UNCHANGED: tuple[str, Strength] = ("", 0.0)
_CHANGES = [(family, strength) for family in FAMILIES for strength in family.strengths]
Positions = npt.NDArray[np.int64]
Key = tuple[str, Strength]
Answers = dict[Key, npt.NDArray[np.float32]]


def robustness(
    predictor: Network,
    source: Source,
    *,
    part: str | None = None,
    threads: int = 2,
    progress: Progress | None = None,
    strict: bool = False,
) -> Robustness:
    """Return a model's main figure against the strength of each change in `FAMILIES`.

    A picture is decoded and brought to the model's size with its margin, changed there, then cut
    to the network's size: what comes in at an edge is real as far as the margin goes, beyond it
    the edge's pixel is repeated. Moves are made by the warp of training's augmentation.

    Args:
        predictor: the model; classes and targets are matched by name, see `align`.
        source: pictures and targets.
        part: as for `evaluate`; of it at most `MOST` samples are taken, those whose ids have the
            smallest hashes: the same ones every time.
        threads: for decoding.
        progress: told (pictures answered, pictures to answer).
        strict: stop at the first picture that can't be read; else it is left out.

    Raises:
        ModuleNotFoundError: OpenCV isn't installed; nothing was read yet.
        SourceError, UsageError, CheckError: as for `evaluate`; unreadable pictures stop it only
            where all of them are.
    """
    opencv()
    targets = align(source, predictor.answer)
    part, positions = chosen_part(source, part)
    positions = sample(source, positions)
    decoded = Decoded(
        source.pictures,
        predictor.shape.wide,
        max_pixels=predictor.max_pixels,
        threads=threads,
        strict=strict,
    )
    answers = _answers(predictor, source, decoded, positions, progress)
    left_out = tuple(decoded.unreadable)
    unreadable_limit(left_out, len(positions), strict=strict, allow=True)
    read_N = ~np.isin(positions, [left.position for left in left_out])
    answers = {key: answer_NK[read_N] for key, answer_NK in answers.items()}
    figures = _Figures(predictor.answer, targets[positions[read_N]], answers)
    return Robustness(
        part=part,
        samples=int(read_N.sum()),
        metric=figures.metric,
        agreement=figures.agreement,
        curves=tuple(figures.curve(family) for family in FAMILIES),
        unreadable=left_out,
    )


def sample(source: Source, positions: Positions) -> Positions:
    """Return at most `MOST` of the positions, ascending, chosen by the samples' ids alone."""
    hashes = hash_ids(_SEED, ids=source.ids[positions])
    return np.sort(positions[np.argsort(hashes, kind="stable")[:MOST]])


def _answers(
    predictor: Network,
    source: Source,
    decoded: Decoded,
    positions: Positions,
    progress: Progress | None,
) -> Answers:
    """Return the answers (N, K) to the unchanged pictures and to each change, in order."""
    found: dict[Key, list[npt.NDArray[np.float32]]] = {}
    total, done = len(positions) * (len(_CHANGES) + 1), 0
    for start in range(0, len(positions), BATCH):
        rows = positions[start : start + BATCH]
        batch = Batch(decoded.take(rows), hash_ids(_SEED, ids=source.ids[rows]), predictor.shape)
        for key, pictures in _versions(batch):
            found.setdefault(key, []).append(predictor.run(pictures)[1])
            done += len(rows)
            if progress:
                progress(done, total)
    return {key: np.concatenate(pieces) for key, pieces in found.items()}


def _versions(batch: Batch) -> Iterator[tuple[Key, Pixels]]:
    yield _UNCHANGED, batch.seen_BHWC
    for family, strength in _CHANGES:
        yield (family.name, strength), family.change(batch, strength)


class _Figures:
    """From the answers at all strengths to points of curves."""

    def __init__(self, answer: Answer, targets: npt.NDArray[Any], answers: Answers) -> None:
        self.metric = answer.selection[0]
        self.agreement = _SAME.get(answer.task, self.metric)
        self._answer, self._targets, self._answers = answer, targets, answers
        self._before = _AS_TRUTH[answer.task](answers[_UNCHANGED])

    def curve(self, family: Family) -> Curve:
        points = tuple(self._point(family, strength) for strength in family.ordered())
        return Curve(name=family.name, unit=family.unit, unchanged=family.unchanged, points=points)

    def _point(self, family: Family, strength: Strength) -> Point:
        key = _UNCHANGED if strength == family.unchanged else (family.name, strength)
        answer_NK = self._answers[key]
        found = self._answer.metrics(answer_NK, self._targets)
        return Point(
            strength=strength,
            figure=found[self.metric],
            low=found.get(f"{self.metric}_low"),
            high=found.get(f"{self.metric}_high"),
            agreement=self._answer.metrics(answer_NK, self._before)[self.agreement],
        )


def _classes(answer_NK: Floats) -> npt.NDArray[Any]:
    chosen: npt.NDArray[Any] = answer_NK.argmax(axis=1)
    return chosen


def _labels(answer_NK: Floats) -> npt.NDArray[Any]:
    return (answer_NK >= 0.5).astype(np.float32)


def _numbers(answer_NK: Floats) -> npt.NDArray[Any]:
    return answer_NK.astype(np.float64)


# Answers as if they were the truth: agreement is then a metric as all others.
_AS_TRUTH: dict[str, Callable[[Floats], npt.NDArray[Any]]] = {
    "classification": _classes,
    "multi-label": _labels,
    "regression": _numbers,
}
_SAME = {"classification": "accuracy", "multi-label": "exact_match"}
