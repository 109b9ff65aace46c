"""Predictions as cells: of the table that people read, and of the CSV that programs read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from striate.cli._output import shown

if TYPE_CHECKING:
    from striate.answer import Answer
    from striate.model import Prediction

_WIDEST = 60


def answer_cells(described: Mapping[str, Any]) -> list[str]:
    """Return what `Answer.describe` said, for people: one cell a column of `table_columns`."""
    if "values" in described:
        return [f"{value:.6g}" for value in described["values"].values()]
    chances = described["probabilities"]
    if "label" in described:
        return [described["label"], percent(described["probability"])]
    return [", ".join(f"{name} {percent(chances[name])}" for name in described["labels"]) or "none"]


def table_columns(answer: Answer) -> list[str]:
    """Return the headings of `answer_cells`."""
    headings = {"classification": ["label", "probability"], "multi-label": ["labels"]}
    return headings.get(answer.task, list(answer.names))


def percent(chance: float) -> str:
    """Return a probability as people read it.

    >>> percent(0.98765)
    '98.8 %'
    """
    return f"{100 * chance:.1f} %"


class Lines:
    """Lines of a table whose rows come one by one: widths are known from the names alone.

    Args:
        paths: every path that will come.
        answer: the task with its names.
    """

    def __init__(self, paths: Sequence[str], answer: Answer) -> None:
        columns = table_columns(answer)
        names = answer.names if answer.task == "classification" else ()
        widest = [max(map(len, (heading, *names))) for heading in columns]
        first = max(len(shown(path)) for path in ("picture", *paths))
        self._widths = [min(width, _WIDEST) for width in (first, *widest)]
        self._columns = columns

    def header(self) -> str:
        """Return the line of headings."""
        return self._line(["picture", *self._columns])

    def row(self, prediction: Prediction) -> str:
        """Return one prediction's line."""
        path = prediction.path or ""
        if prediction.error is not None:
            return self._line([path, f"error: {prediction.error.reason}"])
        return self._line([path, *answer_cells(prediction.answer)])

    def _line(self, cells: Sequence[str]) -> str:
        padded = [shown(cell).ljust(width) for cell, width in zip(cells, self._widths)]
        return "  ".join(padded).rstrip()


def csv_columns(answer: Answer) -> list[str]:
    """Return the CSV's header: path, the answer, a probability for each class or label, error."""
    names = [shown(name) for name in answer.names]
    if answer.task == "regression":
        return ["path", *names, "error"]
    first = ["label", "probability"] if answer.task == "classification" else ["labels"]
    return ["path", *first, *(f"probability_{name}" for name in names), "error"]


def csv_row(prediction: Prediction, columns: int) -> list[str]:
    """Return one prediction's `columns` cells; those of an answer are empty where it failed."""
    path = shown(prediction.path or "")
    if prediction.error is not None:
        return [path, *[""] * (columns - 2), prediction.error.reason]
    described = prediction.answer
    numbers = described["values"] if "values" in described else described["probabilities"]
    first = (
        [shown(described["label"]), f"{described['probability']:.7g}"]
        if "label" in described
        else []
    )
    if "labels" in described:
        first = [";".join(map(shown, described["labels"]))]
    return [path, *first, *(f"{number:.7g}" for number in numbers.values()), ""]
