"""A CSV file with a column of picture names and columns of targets."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data._csv import Table, read_table
from striate.data._files import FilePictures
from striate.data._given import parts_from_lists, parts_from_words, unlisted
from striate.data._order import hash_ids, hash_names
from striate.data._source import UNDECIDED, Source, SourceOptions
from striate.data._table_columns import choose_columns
from striate.data._table_images import image_column, locate
from striate.data._table_targets import mixed, read_targets
from striate.data._words import are_characters, count
from striate.errors import SourceError, UsageError


def open_table(path: Path, options: SourceOptions) -> Source:
    """Return the pictures and targets of a CSV file.

    Pictures are looked for beside the file (see `locate`); the target columns and the task are
    chosen by `choose_columns` and `read_targets`. Files that aren't there stay in the source and
    count as unreadable in `check`. A row that repeats an earlier one is left out.

    Raises SourceError for a table that can't be used, UsageError for a column that isn't there.
    """
    table = read_table(path)
    column = image_column(table)
    names = table.columns[column]
    files = locate(names, table, options.images)
    used = {column, options.group, options.split if isinstance(options.split, str) else None}
    groups = _groups(table, options.group)
    parts = np.full(len(table), UNDECIDED, np.int8)
    if isinstance(options.split, str):
        words = table.column(options.split, "--split")
        parts = parts_from_words(words, options.split, path, table.lines)
    columns, notes = list(options.target), []
    _check_given(table, columns, column)
    if not columns:
        chosen = choose_columns(table, [c for c in table.columns if c not in used], options.task)
        columns, notes = chosen.names, chosen.notes
    targets = read_targets(table, columns, options.task)
    notes += mixed(table, columns)
    rows = _Rows(table=table, files=files, targets=targets.targets, parts=parts, groups=groups)
    kept = rows.without_repeats(notes)
    if isinstance(options.split, dict):
        parts[kept] = parts_from_lists(options.split, [names[i] for i in kept], path.parent)
        listed = kept[parts[kept] != UNDECIDED]
        notes += unlisted(len(kept) - len(listed))
        kept = listed
    return Source(
        name=path.stem,
        kind="table",
        pictures=FilePictures([names[i] for i in kept], [files[i] for i in kept]),
        ids=hash_ids(ids=kept.astype(np.uint64)),
        answer=targets.answer,
        targets=targets.targets[kept],
        parts=parts[kept],
        groups=None if groups is None else groups[kept],
        reason=targets.reason,
        notes=tuple(notes),
        orientation_matters=are_characters(targets.answer.names),
    )


def _check_given(table: Table, targets: list[str], pictures: str) -> None:
    """Raise UsageError where a column of --target isn't there, is there twice, or can't be one."""
    for place, name in enumerate(targets):
        table.column(name, "--target")
        if name in targets[:place]:
            raise UsageError(f"--target {name} was given twice. Give it once.")
        if name == pictures:
            raise UsageError(
                f"--target {name}: this column of {table.path.name} names the pictures. Choose "
                "another one."
            )


def _groups(table: Table, column: str | None) -> npt.NDArray[np.int64] | None:
    """Return each row's group (N,) as the hash of its value, so that no other row changes it."""
    if column is None:
        return None
    cells = table.column(column, "--group")
    if "" in cells:
        raise SourceError(
            f"{table.path.name}: the column '{column}' of --group is empty on line "
            f"{table.lines[cells.index('')]}. Every row needs a group."
        )
    return hash_names(cells).view(np.int64)


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """What a row says about its picture."""

    table: Table
    files: list[str]
    targets: npt.NDArray[Any]
    parts: npt.NDArray[np.int8]
    groups: npt.NDArray[np.int64] | None

    def without_repeats(self, notes: list[str]) -> npt.NDArray[np.int64]:
        """Return the rows that repeat no earlier one; raise SourceError where one contradicts."""
        first: dict[str, int] = {}
        repeats = []
        for row, file in enumerate(self.files):
            earlier = first.setdefault(file, row)
            if earlier != row:
                self._refuse_contradiction(earlier, row)
                repeats.append(row)
        if repeats:
            notes.append(
                f"Left out, because they repeat an earlier row: {count(len(repeats), 'row')}, the "
                f"first on line {self.table.lines[repeats[0]]}."
            )
        return np.delete(np.arange(len(self.files)), repeats)

    def _refuse_contradiction(self, earlier: int, row: int) -> None:
        lines = self.table.lines
        if not np.array_equal(self.targets[earlier], self.targets[row]):
            differs = "targets"
        elif self.parts[earlier] != self.parts[row]:
            differs = "parts"
        elif self.groups is not None and self.groups[earlier] != self.groups[row]:
            differs = "groups"
        else:
            return
        raise SourceError(
            f"{self.table.path.name}: the same picture has different {differs} on line "
            f"{lines[earlier]} and line {lines[row]}: {Path(self.files[row]).name}. Keep one of "
            "the rows; several labels of one picture go into one row, separated by ';'."
        )
