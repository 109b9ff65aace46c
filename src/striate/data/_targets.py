"""Words and columns of numbers to a task: what tables and arrays have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.answer import Answer, Classification, MultiLabel, Regression
from striate.data._words import natural_key
from striate.errors import SourceError

LARGEST = 1e30
"""Largest size of a number to predict: its square and its answer in float32 stay finite."""


@dataclass(frozen=True, kw_only=True)
class Targets:
    """A task and its targets (first axis N, see `Source.targets`), and why it was chosen."""

    answer: Answer
    targets: npt.NDArray[Any]
    reason: str


def from_words(words: Sequence[str], reason: str) -> Targets:
    """Return a classification: the different words, in natural order, are the classes."""
    names = tuple(sorted(set(words), key=natural_key))
    number = {name: position for position, name in enumerate(names)}
    targets = np.array([number[word] for word in words], np.int64)
    return Targets(answer=Classification(names), targets=targets, reason=reason)


def from_label_lists(rows: Sequence[Sequence[str]], reason: str) -> Targets:
    """Return a multi-label task: the different words of all rows, in natural order, are labels."""
    names = tuple(sorted({label for row in rows for label in row}, key=natural_key))
    number = {name: position for position, name in enumerate(names)}
    targets = np.zeros((len(rows), len(names)), np.float32)
    for row, labels in enumerate(rows):
        targets[row, [number[label] for label in labels]] = 1
    return Targets(answer=MultiLabel(names), targets=targets, reason=reason)


def from_one_hot(values_NK: npt.NDArray[Any], names: Sequence[str], reason: str) -> Targets:
    """Return a classification: the column of each row's only 1 is its class."""
    targets = values_NK.argmax(axis=1).astype(np.int64)
    return Targets(answer=Classification(tuple(names)), targets=targets, reason=reason)


def from_labels(values_NK: npt.NDArray[Any], names: Sequence[str], reason: str) -> Targets:
    """Return a multi-label task: each column of 0 and 1 is a label."""
    targets = values_NK.astype(np.float32)
    return Targets(answer=MultiLabel(tuple(names)), targets=targets, reason=reason)


def from_numbers(values_NT: npt.NDArray[Any], names: Sequence[str], reason: str) -> Targets:
    """Return a regression: each column of numbers is a target."""
    targets = values_NT.astype(np.float64)
    return Targets(answer=Regression(tuple(names)), targets=targets, reason=reason)


def texts(array: npt.NDArray[Any]) -> list[str]:
    """Return an array of text (N,) as strings; bytes are read as UTF-8, else SourceError."""
    try:
        decoded = np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array
    except UnicodeDecodeError:
        raise SourceError(
            "The text in an array of bytes isn't UTF-8. Save it as text: an array of type str."
        ) from None
    return [str(text) for text in decoded]


def only_0_and_1(values: npt.NDArray[Any]) -> bool:
    """Return True where an array holds nothing but 0 and 1."""
    return bool(np.isin(values, (0, 1)).all())


def one_hot(values_NK: npt.NDArray[Any]) -> bool:
    """Return True where every row holds exactly one 1 beside 0s."""
    return only_0_and_1(values_NK) and bool((np.count_nonzero(values_NK, axis=1) == 1).all())
