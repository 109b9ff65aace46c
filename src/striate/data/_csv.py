"""A CSV file as columns of text."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.data._words import count, some
from striate.errors import SourceError, UsageError, unknown

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOTHING = frozenset(["", "na", "n/a", "nan", "null", "none"])


@dataclass(frozen=True, kw_only=True)
class Table:
    """The columns of a CSV file; cells are stripped text.

    Attributes:
        path: the file.
        columns: cells by column name, all of the same length, in the file's order.
        lines: each row's line in the file, for messages.
        delimiter: "," or ";" or a tab.
    """

    path: Path
    columns: dict[str, list[str]]
    lines: list[int]
    delimiter: str

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, name: str, option: str) -> list[str]:
        """Return a column's cells; where there is none, raise UsageError naming the nearest."""
        if name not in self.columns:
            raise UsageError(
                f"{option}: {unknown('column', name, self.columns)} The file is {self.path}."
            )
        return self.columns[name]

    def numbers(self, name: str) -> tuple[npt.NDArray[np.float64], list[int]]:
        """Return a column's numbers (rows,), NaN where there is none, and the rows that hold text.

        Empty cells, `NA`, `NaN`, `null` and `none` are missing, not text. Where the delimiter
        isn't a comma, a comma may stand for the decimal point.
        """
        values = np.full(len(self), np.nan)
        text = []
        for row, cell in enumerate(self.columns[name]):
            plain = cell if self.delimiter == "," or "." in cell else cell.replace(",", ".")
            if _NUMBER.fullmatch(plain):
                values[row] = float(plain)
            elif cell.casefold() not in _NOTHING:
                text.append(row)
        return values, text


def read_table(path: Path) -> Table:
    """Return the columns of a CSV file in UTF-8 whose first line names them.

    Cells stand between commas, semicolons or tabs, whichever gives the first line most cells.
    Raises SourceError for a file that isn't such a table.
    """
    text = _text(path)
    first = next(iter(text.splitlines()), "")
    delimiter = max(",;\t", key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
                lines.append(reader.line_num)
    except csv.Error as error:
        raise SourceError(
            f"{path.name} can't be read as CSV: line {reader.line_num}: {error}."
        ) from None
    if len(rows) < 2:
        raise SourceError(
            f"{path.name} holds no rows. Expected a first line with the columns' names, then one "
            "line per picture."
        )
    return _columns(path, rows, lines, delimiter)


def _text(path: Path) -> str:
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise SourceError(f"{path} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{path.name} isn't text in UTF-8 (byte {error.start:,}). Save it as CSV in UTF-8."
        ) from None
    if "\0" in text:
        raise SourceError(
            f"{path.name} isn't text: it holds a zero byte on line "
            f"{text.count(chr(10), 0, text.index(chr(0))) + 1:,}. Save it as CSV in UTF-8."
        )
    return text


def _columns(path: Path, rows: list[list[str]], lines: list[int], delimiter: str) -> Table:
    header = rows[0]
    twice = [name for name, times in Counter(header).items() if times > 1 and name]
    if twice:
        raise SourceError(f"{path.name} has more than one column called {some(twice)}.")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(header):
            raise SourceError(
                f"{path.name}: line {line} has {count(len(row), 'cell')}, but the first line names "
                f"{count(len(header), 'column')}. Put quotes around text that holds the delimiter."
            )
    columns = {name: [row[i] for row in rows[1:]] for i, name in enumerate(header) if name}
    return Table(path=path, columns=columns, lines=lines[1:], delimiter=delimiter)
