"""Bringing names, answers and targets into standard form, or saying what is wrong with them."""

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.answer._base import Floats
from striate.errors import NotFiniteError, SourceError


def names_fault(names: tuple[Any, ...]) -> str | None:
    """Return why `names` can't name the columns of an answer, or None: different, not empty."""
    if not names:
        return "there are none"
    if not all(isinstance(name, str) and name for name in names):
        return "a name is empty or isn't text"
    name, times = Counter(names).most_common(1)[0]
    return f"'{name}' is there {times} times" if times > 1 else None


def require_names(what: str, names: tuple[str, ...]) -> None:
    """Raise SourceError unless `names` are different and not empty; `what` is their plural."""
    fault = names_fault(names)
    if fault:
        raise SourceError(
            f"The {what} need different names that aren't empty, but {fault}. Rename them."
        )


def require_pairs(
    answer_NK: Floats, targets: npt.NDArray[Any], names: tuple[str, ...], width: int | None
) -> None:
    """Raise where answers can't be measured against targets.

    Args:
        answer_NK: (N, K), K = number of `names`.
        targets: (N,) when `width` is None, else (N, width).

    Raises:
        ValueError: shapes that don't belong together (a caller's mistake).
        SourceError: no samples.
        NotFiniteError: an answer that is NaN or infinite, with its row.
    """
    require_columns(answer_NK, names)
    count = len(answer_NK)
    shape = (count,) if width is None else (count, width)
    if targets.shape != shape:
        raise ValueError(f"Expected targets of shape {shape}, but got {targets.shape}.")
    if count == 0:
        raise SourceError("There are no samples to measure: the part is empty.")
    finite = np.isfinite(answer_NK).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise NotFiniteError(
            f"The network's answer to sample {row} of {count} isn't a finite number."
            " The weights have probably grown without bound; lower the learning rate."
        )


def require_columns(answer_NK: Floats, names: tuple[str, ...]) -> None:
    """Raise ValueError unless the answers have one column for each name."""
    if answer_NK.ndim != 2 or answer_NK.shape[1] != len(names):
        raise ValueError(f"Expected answers of shape (N, {len(names)}), but got {answer_NK.shape}.")


def first_bad(bad: npt.NDArray[np.bool_]) -> int:
    """Return the first sample (axis 0) at which anything is marked."""
    return int(np.argwhere(bad)[0][0])
