"""Printing: results go to stdout, everything else to stderr."""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any


def out(text: str = "") -> None:
    """Print a line of the result to stdout."""
    print(text)


def note(text: str) -> None:
    """Print lines that aren't the result to stderr; names in them can't command the terminal."""
    print(shown(text, lines=True), file=sys.stderr, flush=True)


def print_json(document: Any) -> None:
    """Print the one JSON document of a `--json` command; NaN and infinity are refused."""
    print(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2))


def shown(text: str, *, lines: bool = False) -> str:
    """Return text that is safe on a terminal: what isn't printable is escaped.

    With `lines`, ends of lines stay as they are.

    >>> shown("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    if lines:
        return "\n".join(map(shown, text.split("\n")))
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return aligned columns; a column whose cells are all numbers stands right.

    >>> print(table(["name", "count"], [["ants", "7"], ["bees", "12"]]))
    name  count
    ants      7
    bees     12
    """
    columns = list(zip(header, *rows, strict=True))
    widths = [max(len(cell) for cell in column) for column in columns]
    right = [all(_numeric(cell) for cell in column[1:]) and bool(rows) for column in columns]
    lines = []
    for row in [header, *rows]:
        cells = [
            cell.rjust(width) if at_right else cell.ljust(width)
            for cell, width, at_right in zip(row, widths, right, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _numeric(cell: str) -> bool:
    stripped = cell.strip().replace(",", "").replace("%", "").replace(" ", "").replace("−", "-")
    try:
        float(stripped or "0")
    except ValueError:
        return False
    return True


def close_quietly() -> None:
    """Point stdout at nothing, so that leaving doesn't complain about a reader that has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
