"""A source's targets, in the order of a model's names."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.answer import Answer
from striate.data import Source
from striate.errors import SourceError, nearest

_NAMED = 10  # names listed in a message


def align(source: Source, answer: Answer) -> npt.NDArray[Any]:
    """Return the source's targets as the model's `answer` numbers them; see `Source.targets`.

    Names decide, not positions: the source may have its classes, labels or targets in another
    order. It may have fewer classes, and more regression targets, which are ignored. A label that
    the source doesn't have is absent from every picture.

    Raises SourceError where the task differs, a class or label of the source is unknown to the
    model, or the source lacks a regression target.
    """
    theirs = source.answer
    if theirs.task != answer.task:
        raise SourceError(
            f"{source.name}: this source is read as {theirs.task} ({listed(theirs.names)}), but "
            f"the model was trained for {answer.task} ({listed(answer.names)}). Name a source "
            f"of that task, or use a model for {theirs.task}."
        )
    targets = _BY_TASK[answer.task](source, answer.names)
    answer.check(targets)
    return targets


def absent(source: Source, answer: Answer) -> list[str]:
    """Return the model's names that the source doesn't have."""
    return [name for name in answer.names if name not in source.answer.names]


def _classes(source: Source, names: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Return class numbers (N,); a class without samples needn't be known."""
    theirs = source.answer.names
    place = {name: column for column, name in enumerate(names)}
    used = np.unique(source.targets)
    _refuse_unknown(source, "class", [theirs[number] for number in used], names)
    renumbered = np.array([place.get(name, -1) for name in theirs], dtype=np.int64)
    return np.asarray(renumbered[source.targets], np.int64)


def _labels(source: Source, names: tuple[str, ...]) -> npt.NDArray[np.float32]:
    """Return labels (N, K); a label that no sample has needn't be known."""
    theirs = source.answer.names
    used = np.flatnonzero(source.targets.any(axis=0))
    _refuse_unknown(source, "label", [theirs[column] for column in used], names)
    targets_NK = np.zeros((len(source.targets), len(names)), dtype=np.float32)
    for column, name in enumerate(names):
        if name in theirs:
            targets_NK[:, column] = source.targets[:, theirs.index(name)]
    return targets_NK


def _numbers(source: Source, names: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Return numbers (N, T); other targets of the source are left out."""
    theirs = source.answer.names
    for name in names:
        if name not in theirs:
            raise SourceError(
                f"{source.name}: the model answers '{name}', but the source has no target of that "
                f"name.{nearest(name, theirs)} Its targets: {listed(theirs)}."
            )
    return source.targets[:, [theirs.index(name) for name in names]].astype(np.float64)


_BY_TASK: dict[str, Callable[[Source, tuple[str, ...]], npt.NDArray[Any]]] = {
    "classification": _classes,
    "multi-label": _labels,
    "regression": _numbers,
}


def _refuse_unknown(source: Source, what: str, used: list[str], names: tuple[str, ...]) -> None:
    for name in used:
        if name not in names:
            raise SourceError(
                f"{source.name}: the source has the {what} '{name}', which the model doesn't know."
                f"{nearest(name, names)} The model knows: {listed(names)}. Rename or leave out "
                "those pictures, or train on this source."
            )


def listed(names: Sequence[str]) -> str:
    """Return names for a message, the first ten of many."""
    rest = len(names) - _NAMED
    first = ", ".join(names[:_NAMED])
    return f"{first} and {rest} more" if rest > 0 else first
