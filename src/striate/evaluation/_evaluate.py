"""Measuring a model on a source."""

from typing import Any

import numpy as np
import numpy.typing as npt

from striate.answer import Answer, Floats, Json
from striate.data import Source, unreadable_limit
from striate.evaluation._align import absent, align, listed
from striate.evaluation._answers import Network, Progress, answers
from striate.evaluation._decoded import Decoded
from striate.evaluation._evaluation import Evaluation
from striate.evaluation._part import chosen_part

WORST = 20


def evaluate(
    predictor: Network,
    source: Source,
    *,
    part: str | None = None,
    threads: int = 2,
    progress: Progress | None = None,
    strict: bool = False,
    allow_unreadable: bool = False,
) -> Evaluation:
    """Answer every picture of a part and compare with the source's targets.

    Args:
        predictor: the model; classes and targets are matched by name, see `align`.
        source: pictures and targets; pictures are decoded here, once, and never augmented.
        part: "train", "validation", "test" or "all"; None: test where the source has one, else
            validation, else all.
        threads: for decoding.
        progress: told (pictures done, pictures in all).
        strict: stop at the first picture that can't be read.
        allow_unreadable: go on when more than 20 % of the pictures can't be read.

    Raises SourceError (unknown names, other task, empty part), UsageError (unknown part), CheckError
    (unreadable pictures: all, the first one, or too many).
    """
    targets = align(source, predictor.answer)
    part, positions = chosen_part(source, part)
    decoded = Decoded(
        source.pictures,
        predictor.shape,
        max_pixels=predictor.max_pixels,
        threads=threads,
        strict=strict,
    )
    _, answer_NK = answers(predictor, decoded, positions, progress=progress)
    left_out = tuple(decoded.unreadable)
    unreadable_limit(left_out, len(positions), strict=strict, allow=allow_unreadable)
    read_N = ~np.isin(positions, [left.position for left in left_out])
    positions, answer_NK = positions[read_N], answer_NK[read_N]
    answer = predictor.answer
    metrics = answer.metrics(answer_NK, targets[positions])
    return Evaluation(
        part=part,
        samples=len(positions),
        metrics=metrics,
        details=answer.details(answer_NK, targets[positions]),
        worst=_worst(source, answer, positions, answer_NK, targets[positions]),
        unreadable=left_out,
        sentence=answer.sentence(metrics),
        notes=_notes(source, answer),
    )


def _worst(
    source: Source,
    answer: Answer,
    positions: npt.NDArray[np.int64],
    answer_NK: Floats,
    targets: npt.NDArray[Any],
) -> tuple[Json, ...]:
    return tuple(
        {
            "name": source.pictures.name(int(positions[row])),
            "target": answer.describe_target(targets[row]),
            "answer": answer.describe(answer_NK[row]),
        }
        for row in answer.worst(answer_NK, targets, WORST)
    )


def _notes(source: Source, answer: Answer) -> tuple[str, ...]:
    """Return a note on names of the model that the source doesn't have (never of regression)."""
    missing = absent(source, answer)
    if not missing:
        return ()
    return (
        f"The source doesn't have {listed(missing)}: counted as never there, though the model "
        "may answer so.",
    )
