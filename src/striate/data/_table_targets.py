"""The target columns of a table to a task and its targets."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from striate.data._csv import Table
from striate.data._targets import (
    LARGEST,
    Targets,
    from_label_lists,
    from_labels,
    from_numbers,
    from_one_hot,
    from_words,
    one_hot,
    only_0_and_1,
)
from striate.data._words import count, some, ticked
from striate.errors import SourceError

_FEW = 10


def read_targets(table: Table, names: list[str], task: str | None) -> Targets:
    """Return the task of the columns `names` and their targets.

    One column of words gives classes, or labels where cells hold several between ";" or "|".
    Several columns of only 0 and 1 give labels, or classes where each row has exactly one 1. All
    other numbers mean regression. `task` overrules that where the columns allow it.

    Raises SourceError for missing or mixed targets, and for a task that doesn't fit the columns.
    """
    if len(names) == 1 and (task in ("classification", "multi-label") or _words(table, names[0])):
        return _one_of_words(table, names[0], task)
    values_NT = np.stack([_numbers(table, name, names) for name in names], axis=1)
    return _of_numbers(table, names, values_NT, task)


def _words(table: Table, name: str) -> bool:
    """Return True where a column holds text more often than numbers."""
    filled = sum(map(bool, table.columns[name]))
    return len(table.numbers(name)[1]) * 2 > filled


def _one_of_words(table: Table, name: str, task: str | None) -> Targets:
    cells = table.columns[name]
    if task == "regression":
        _refuse_text(table, name, table.numbers(name)[1][0])
    mark = next((mark for mark in ";|" if any(mark in cell for cell in cells)), "")
    if task == "multi-label" or (task is None and mark):
        # An empty cell is a picture without labels; a cell without the mark has a single one.
        rows = [[part.strip() for part in cell.split(mark or ";")] for cell in cells]
        reason = (
            f"the column `{name}` holds several labels in a cell, separated by '{mark}' → "
            "multi-label; use `--task classification` to treat each cell as one class"
        )
        lists = [[label for label in row if label] for row in rows]
        return from_label_lists(lists, _given(task) or reason)
    _refuse_missing(table, name, [row for row, cell in enumerate(cells) if not cell])
    reason = f"the column `{name}` holds words → classification; use `--target` for other columns"
    return from_words(cells, _given(task) or reason)


def mixed(table: Table, names: list[str]) -> list[str]:
    """Return a note where a target column of words holds numbers too."""
    name = names[0]
    numbers = np.flatnonzero(~np.isnan(table.numbers(name)[0]))
    if len(names) > 1 or not len(numbers) or not _words(table, name):
        return []
    return [
        f"The column `{name}` holds words, but also {count(len(numbers), 'number')}, the first on "
        f"line {table.lines[numbers[0]]}: {table.columns[name][numbers[0]]}. Each was taken for a "
        "class."
    ]


def _of_numbers(
    table: Table, names: list[str], values_NT: npt.NDArray[np.float64], task: str | None
) -> Targets:
    columns = f"the columns {ticked(names)} hold"
    several = len(names) > 1
    if task == "multi-label" or (task is None and several and only_0_and_1(values_NT)):
        if task is None and one_hot(values_NT):
            return from_one_hot(
                values_NT,
                names,
                f"{columns} only 0 and 1, exactly one 1 in every row → classification; use "
                "`--task multi-label` to treat them as labels",
            )
        if not only_0_and_1(values_NT):
            _refuse_task(table, names, "multi-label", "columns that hold only 0 and 1")
        reason = f"{columns} only 0 and 1 → multi-label; use `--task regression` for numbers"
        return from_labels(values_NT, names, _given(task) or reason)
    if task == "classification":
        if not one_hot(values_NT):
            _refuse_task(table, names, task, "one column, or columns with one 1 in every row")
        return from_one_hot(values_NT, names, _given(task))
    return from_numbers(values_NT, names, _given(task) or _why_numbers(names, values_NT))


def _why_numbers(names: list[str], values_NT: npt.NDArray[np.float64]) -> str:
    if len(names) > 1:
        return (
            f"the columns {ticked(names)} hold numbers → regression with {len(names)} targets; "
            "use `--target` to choose among them"
        )
    different = np.unique(values_NT)
    few = len(different) <= _FEW and bool((different == np.rint(different)).all())
    only = f", only {len(different)} different whole ones" if few else ""
    return (
        f"the column `{names[0]}` holds numbers{only} → regression; use `--task classification` "
        "to treat them as classes"
    )


def _given(task: str | None) -> str:
    return f"`--task {task}` was given" if task else ""


def _numbers(table: Table, name: str, names: list[str]) -> npt.NDArray[np.float64]:
    """Return a column's numbers (N,), all there; raise SourceError where one is missing or text."""
    values, text = table.numbers(name)
    if len(names) > 1 and _words(table, name):
        raise SourceError(
            f"{table.path.name}: the columns {some(names, 8)} can't be targets together, because "
            f"'{name}' holds words. Choose columns of numbers, or one of words, by --target."
        )
    if text:
        _refuse_text(table, name, text[0])
    _refuse_missing(table, name, np.flatnonzero(np.isnan(values)).tolist())
    too_large = np.flatnonzero(np.abs(values) > LARGEST)
    if len(too_large):
        raise SourceError(
            f"{table.path.name}: the column '{name}' holds {table.columns[name][too_large[0]]} on "
            f"line {table.lines[too_large[0]]}. Expected numbers from -{LARGEST:g} to {LARGEST:g}: "
            "correct it, or choose another unit."
        )
    return values


def _refuse_text(table: Table, name: str, row: int) -> None:
    raise SourceError(
        f"{table.path.name}: the column '{name}' should hold numbers, but line "
        f"{table.lines[row]} holds '{table.columns[name][row]}'. Correct it, use --task "
        "classification to treat every value as a class, or choose other columns by --target."
    )


def _refuse_missing(table: Table, name: str, rows: Sequence[int]) -> None:
    if rows:
        raise SourceError(
            f"{table.path.name}: {count(len(rows), 'row')} without a value in the column "
            f"'{name}', the first on line {table.lines[rows[0]]}. Fill in the values, remove the "
            "rows, or choose other columns by --target."
        )


def _refuse_task(table: Table, names: list[str], task: str, needed: str) -> None:
    raise SourceError(
        f"{table.path.name}: --task {task} needs {needed}, but the targets are {some(names, 8)}. "
        "Choose the columns by --target."
    )
