"""Do two runs of one network agree? The same file run again, or a network and its export."""

import numpy as np
import numpy.typing as npt

from striate.answer._base import Floats

TOLERANCE = 1e-4
"""Largest difference of a probability that still counts as agreement."""

MARGIN = 1e-4
"""Answers nearer than this to another label may change it."""

_ROWS_NAMED = 5


def shapes_fault(expected_NK: Floats, got_NK: Floats) -> str | None:
    """Return the sentence for answers of different shapes, or None."""
    if expected_NK.shape == got_NK.shape:
        return None
    return f"Expected answers of shape {expected_NK.shape}, but got {got_NK.shape}."


def numbers_fault(
    expected_NK: Floats,
    got_NK: Floats,
    names: tuple[str, ...],
    allowed_K: npt.NDArray[np.float64],
) -> str | None:
    """Return the sentence for numbers that differ by over `allowed_K`, or None.

    It counts the rows, and names the row and column that goes furthest beyond what is allowed. A
    number that isn't finite never agrees.
    """
    difference_NK = np.abs(got_NK.astype(np.float64) - expected_NK)
    bad_NK = ~(difference_NK <= allowed_K)
    rows = np.flatnonzero(bad_NK.any(axis=1))
    if not len(rows):
        return None
    beyond_NK = np.where(np.isnan(difference_NK), np.inf, difference_NK / allowed_K)
    row, column = np.unravel_index(beyond_NK.argmax(), beyond_NK.shape)
    return (
        f"{len(rows)} of {len(got_NK)} answers differ ({_rows(rows)}); furthest off is row {row}, "
        f"'{names[column]}': expected {expected_NK[row, column]:.7g}, got "
        f"{got_NK[row, column]:.7g}, allowed is a difference of {allowed_K[column]:.3g}."
    )


def labels_fault(other_N: npt.NDArray[np.bool_]) -> str | None:
    """Return the sentence for rows whose label is another one, or None."""
    rows = np.flatnonzero(other_N)
    if not len(rows):
        return None
    return f"{len(rows)} of {len(other_N)} answers name another label ({_rows(rows)})."


def joined(*faults: str | None) -> str | None:
    """Return the sentences that are there, one after the other, or None."""
    return " ".join(fault for fault in faults if fault) or None


def _rows(rows: npt.NDArray[np.int64]) -> str:
    shown = ", ".join(map(str, rows[:_ROWS_NAMED]))
    word = "row" if len(rows) == 1 else "rows"
    return f"{word} {shown}, …" if len(rows) > _ROWS_NAMED else f"{word} {shown}"
