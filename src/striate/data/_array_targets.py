"""An array of targets to a task."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.answer import Classification
from striate.data._targets import (
    LARGEST,
    Targets,
    from_labels,
    from_numbers,
    from_one_hot,
    from_words,
    one_hot,
    only_0_and_1,
    texts,
)
from striate.data._words import count, some
from striate.errors import SourceError

RowName = Callable[[int], str]
"""A row's number to what it is called."""


def array_targets(
    values: npt.NDArray[Any],
    classes: tuple[str, ...] | None,
    task: str | None,
    row_name: RowName = "row {}".format,
) -> Targets:
    """Return the task of an array of targets, (N,) or (N, K), and the targets in its form.

    Whole numbers (N,) or (N, 1), and text, are classes. (N, K) with only 0 and 1 are labels, or
    classes where each row has exactly one 1. All else are numbers: regression. `task` overrules
    that where the values allow it. `classes` names class numbers 0, 1, ... or the columns. `row_name`
    says what a row is called in messages.

    Raises SourceError for targets that aren't finite numbers, and for a task that doesn't fit.
    """
    flat = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if flat.ndim > 2 or flat.dtype.kind not in "buifUS" or flat.size == 0:
        raise SourceError(
            f"The targets are of type {values.dtype} and shape {values.shape}. Expected numbers "
            "or text, (N,) or (N, K)."
        )
    if flat.dtype.kind in "US":
        return _text(flat, task)
    if flat.dtype.kind == "b":
        flat = flat.astype(np.uint8)
    _refuse_not_finite(flat, row_name)
    if flat.ndim == 2:
        return _columns(flat, classes, task)
    return _row(flat, classes, task, row_name)


def _refuse_not_finite(values: npt.NDArray[Any], row_name: RowName) -> None:
    wrong = np.argwhere(~(np.abs(values.astype(np.float64)) <= LARGEST))
    if len(wrong):
        row = int(wrong[0][0])
        raise SourceError(
            f"The target of {row_name(row)} is {values[row]}. Expected finite numbers from "
            f"-{LARGEST:g} to {LARGEST:g}: correct it, or remove the row and its picture."
        )


def _text(values: npt.NDArray[Any], task: str | None) -> Targets:
    if values.ndim != 1 or task in ("regression", "multi-label"):
        raise SourceError(
            f"The targets hold text of shape {values.shape}, which gives one class per picture "
            "where it is (N,). For other tasks use numbers."
        )
    return from_words(texts(values), "the targets hold text → classification")


def _row(
    values: npt.NDArray[Any],
    classes: tuple[str, ...] | None,
    task: str | None,
    row_name: RowName,
) -> Targets:
    whole = values.dtype.kind in "ui" or bool((values == np.rint(values)).all())
    if task == "multi-label":
        raise SourceError(
            "--task multi-label needs targets (N, K) of 0 and 1, but there is one number per "
            f"picture: the shape is {values.shape}."
        )
    if task == "regression" or (task is None and values.dtype.kind == "f"):
        reason = "the targets hold floating-point numbers → regression" + (
            "; use `--task classification` to treat them as classes" if whole else ""
        )
        return from_numbers(values[:, None], ["target"], _given(task) or reason)
    if not whole:
        row = int(np.flatnonzero(values != np.rint(values))[0])
        raise SourceError(
            f"--task classification needs whole numbers, but the target of {row_name(row)} is "
            f"{values[row]:g}."
        )
    reason = (
        "the targets hold whole numbers → classification; use `--task regression` to treat them "
        "as numbers"
    )
    return _class_numbers(values.astype(np.int64), classes, _given(task) or reason, row_name)


def _class_numbers(
    values: npt.NDArray[np.int64],
    classes: tuple[str, ...] | None,
    reason: str,
    row_name: RowName,
) -> Targets:
    if classes is None:
        present, targets = np.unique(values, return_inverse=True)
        names = tuple(str(number) for number in present)
        return Targets(
            answer=Classification(names), targets=targets.astype(np.int64), reason=reason
        )
    outside = np.flatnonzero((values < 0) | (values >= len(classes)))
    if len(outside):
        raise SourceError(
            f"The target of {row_name(int(outside[0]))} is {values[outside[0]]}, but `classes` "
            f"names {count(len(classes), 'class')}. Expected numbers from 0 to {len(classes) - 1}."
        )
    return Targets(answer=Classification(classes), targets=values, reason=reason)


def _columns(
    values_NK: npt.NDArray[Any], classes: tuple[str, ...] | None, task: str | None
) -> Targets:
    names = list(classes or map(str, range(values_NK.shape[1])))
    if len(names) != values_NK.shape[1]:
        raise SourceError(
            f"The targets have {values_NK.shape[1]} columns, but `classes` names {len(names)}: "
            f"{some(names)}."
        )
    binary = only_0_and_1(values_NK)
    if task == "regression" or (task is None and not binary):
        numbers = names if classes else [f"target_{name}" for name in names]
        reason = f"the targets hold {len(names)} columns of numbers → regression"
        return from_numbers(values_NK, numbers, _given(task) or reason)
    if not binary:
        raise SourceError(
            f"--task {task} needs targets of only 0 and 1 where they have several columns, but "
            f"these run from {values_NK.min():g} to {values_NK.max():g}."
        )
    hot = one_hot(values_NK)
    if task == "classification" and not hot:
        raise SourceError(
            "--task classification needs one class per picture, but the targets' rows hold "
            "none or several 1s. Use --task multi-label."
        )
    if hot and task != "multi-label":
        reason = (
            "the targets hold exactly one 1 in every row → classification; use `--task "
            "multi-label` to treat them as labels"
        )
        return from_one_hot(values_NK, names, _given(task) or reason)
    reason = (
        "the targets hold columns of only 0 and 1 → multi-label; use `--task regression` for "
        "numbers"
    )
    return from_labels(values_NK, names, _given(task) or reason)


def _given(task: str | None) -> str:
    return f"`--task {task}` was given" if task else ""
