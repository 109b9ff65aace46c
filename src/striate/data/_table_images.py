"""Which column of a table names the pictures, and where their files are."""

import os
from collections.abc import Sequence
from pathlib import Path

from striate.data._csv import Table
from striate.data._walk import is_picture, look_below
from striate.data._words import some
from striate.errors import SourceError

# fmt: off
_IMAGE_COLUMNS = (
    "image", "images", "image_path", "image_file", "image_name", "img", "picture", "pictures",
    "photo", "file", "filename", "file_name", "file_path", "filepath", "path", "name", "image_id",
    "id",
)
# fmt: on


def image_column(table: Table) -> str:
    """Return the column whose cells are mostly picture names, else one with a usual name.

    Raises SourceError where there is no such column, several that can't be told apart, or no line
    with the columns' names.
    """
    rows = [name for name in table.columns if is_picture(name)]
    if rows:
        raise SourceError(
            f"The first line of {table.path.name} is a row ('{rows[0]}'), not the columns' names. "
            "Add a first line such as image,label."
        )
    holding = [name for name, cells in table.columns.items() if _mostly_pictures(cells)]
    named = [
        name
        for usual in _IMAGE_COLUMNS
        for name in holding or table.columns
        if name.casefold().replace(" ", "_") == usual
    ]
    if named or len(holding) == 1:
        return named[0] if named else holding[0]
    if holding:
        raise SourceError(
            f"{table.path.name}: several columns hold names of pictures: {some(holding)}. Call "
            "the one to use 'image'."
        )
    raise SourceError(
        f"{table.path.name} has no column of pictures. Its columns are {some(table.columns, 8)}. "
        "Expected one with names of picture files, called 'image'."
    )


def _mostly_pictures(cells: Sequence[str]) -> bool:
    return sum(map(is_picture, cells)) * 2 > len(cells)


def locate(cells: Sequence[str], table: Table, images: Path | None) -> list[str]:
    """Return the file of each cell; where there is none, the path at which it was expected.

    A file is looked for beside the table (in `images`, where that is given), then as a unique
    name anywhere below that folder, with or without its suffix.

    Raises SourceError where a cell is empty, fits several files, or where no file is found.
    """
    folder = images or table.path.parent
    if not os.path.isdir(folder):  # noqa: PTH112
        raise SourceError(
            f"--images: there is no folder {folder}. Name the one that holds the pictures."
        )
    _refuse_empty(cells, table)
    direct = [os.path.join(folder, cell.replace("\\", "/")) for cell in cells]  # noqa: PTH118
    found = [path if os.path.isfile(path) else None for path in direct]  # noqa: PTH113
    if None in found:
        below = _Below(folder, table)
        for row, cell in enumerate(cells):
            if found[row] is None:
                found[row] = below.find(cell.replace("\\", "/"), table.lines[row])
    if not any(found):
        raise SourceError(
            f"None of the pictures that {table.path.name} names ({len(cells):,}) was found in "
            f"{folder} or below it. The first is '{cells[0]}'. Name their folder with --images."
        )
    return [os.path.normpath(path or missing) for path, missing in zip(found, direct, strict=True)]


def _refuse_empty(cells: Sequence[str], table: Table) -> None:
    empty = [line for line, cell in zip(table.lines, cells, strict=True) if not cell]
    if empty:
        raise SourceError(
            f"{table.path.name} names no picture on line {empty[0]}. Fill in the name or remove "
            "the row."
        )


class _Below:
    """The pictures below a folder by their names, with and without suffix."""

    def __init__(self, folder: Path, table: Table) -> None:
        self._folder = folder
        self._table = table.path.name
        self._paths: dict[str, list[str]] = {}
        for path in look_below(folder).pictures:
            base = path.rsplit("/", 1)[-1]
            for key in {base, os.path.splitext(base)[0]}:  # noqa: PTH122
                self._paths.setdefault(key, []).append(path)

    def find(self, name: str, line: int) -> str | None:
        """Return the one file called `name`, or None where there is none."""
        fitting = self._paths.get(name.rsplit("/", 1)[-1], [])
        # Of several files of one name, folders in the cell may choose.
        end = "/" + name.removeprefix("./")
        nearer = [path for path in fitting if _ends(path, end)]
        fitting = nearer or fitting
        if len(fitting) > 1:
            raise SourceError(
                f"{self._table}: '{name}' on line {line} fits {len(fitting)} files below "
                f"{self._folder}: {some(fitting)}. Write the path, or name a folder with --images."
            )
        return os.path.join(self._folder, fitting[0]) if fitting else None  # noqa: PTH118


def _ends(path: str, end: str) -> bool:
    """Return True where a path ends so, with or without its suffix."""
    return f"/{path}".endswith(end) or os.path.splitext(f"/{path}")[0].endswith(end)  # noqa: PTH122
