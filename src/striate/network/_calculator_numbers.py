"""Numbers as users type them: matrices in writing, exact arithmetic, and writing them back.

A matrix is written row by row, '1 2 3; 4 5 6'; several channels stand apart by '|'. Whole numbers
stay whole, and decimals are fractions (0.1 + 0.2 is 0.3), so a result is only rounded where it is
printed.
"""

import re
from collections.abc import Sequence
from fractions import Fraction

from striate.errors import UsageError
from striate.network._arithmetic import times

Number = int | Fraction

Matrix = tuple[tuple[Number, ...], ...]
"""Numbers (H, W)."""

Maps = tuple[Matrix, ...]
"""Numbers (C, H, W): one matrix for each channel."""

_WRITTEN = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]{0,15})?|\.[0-9]{1,15})(e[+-]?[0-9]{1,2})?", re.I)

_HOW = "Numbers stand apart by spaces, rows by ';' and channels by '|', as in '1 2; 3 4'."


def read_number(text: str, option: str) -> Number:
    """Return the number in `text`; raise UsageError, naming `option`, where it is none."""
    number = _number(text.strip())
    if number is None:
        raise UsageError(f"{option} takes a number, as 1 or -0.5, got '{text}'.")
    return number


def read_maps(texts: Sequence[str], option: str) -> Maps:
    """Return the channels written in `texts`, each of which may hold several.

    Raises UsageError, with the row and the word, for what isn't a number, for rows of unequal
    length and for channels of unequal size.
    """
    written = [channel for text in texts for channel in text.split("|")]
    several = len(written) > 1
    maps = tuple(
        _matrix(text, f"{option}, channel {number}" if several else option)
        for number, text in enumerate(written)
    )
    for number, matrix in enumerate(maps):
        if size(matrix) != size(maps[0]):
            raise UsageError(
                f"{option}: channel {number} is {times(size(matrix))}, channel 0 is "
                f"{times(size(maps[0]))}. All channels need one size."
            )
    return maps


def size(matrix: Matrix) -> tuple[int, int]:
    """Return (height, width)."""
    return len(matrix), len(matrix[0])


def simple(number: Number) -> Number:
    """Return a whole number as int."""
    return int(number) if number.denominator == 1 else number


def shown(number: Number) -> str:
    """Return a number for people: exact where 12 digits do, else rounded to 9.

    >>> shown(Fraction(7, 2)), shown(Fraction(1, 3))
    ('3.5', '0.333333333')
    """
    if isinstance(number, int):
        return str(number)
    exact = f"{float(number):.12g}"
    return exact if Fraction(exact) == number else f"{float(number):.9g}"


def plain(number: Number) -> int | float:
    """Return a number for JSON."""
    return number if isinstance(number, int) else float(number)


def _matrix(text: str, where: str) -> Matrix:
    lines = re.split(r"[;\n]", text.strip().removesuffix(";"))
    rows = tuple(_row(line, f"{where}, {_place(index)}") for index, line in enumerate(lines))
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise UsageError(
                f"{where}: row {index} has length {len(row)}, row 0 has {len(rows[0])}. "
                "All rows need one length."
            )
    return rows


def _row(line: str, where: str) -> tuple[Number, ...]:
    words = line.split()
    if not words:
        raise UsageError(f"{where}: there is no number. {_HOW}")
    return tuple(_expect(word, where) for word in words)


def _expect(word: str, where: str) -> Number:
    number = _number(word)
    if number is None:
        raise UsageError(f"{where}: '{word}' isn't a number. {_HOW}")
    return number


def _number(word: str) -> Number | None:
    # Copied from a page, a minus sign may be the real one.
    ascii_word = word.replace("−", "-")
    return simple(Fraction(ascii_word)) if _WRITTEN.fullmatch(ascii_word) else None


def _place(index: int) -> str:
    return f"row {index}" if index == 0 else f"row {index} (the first is row 0)"
