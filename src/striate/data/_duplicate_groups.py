"""From equal digests and matching pairs to groups, without chaining one pair to the next."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Digests = npt.NDArray[np.uint8]


def numbered(digests: Digests) -> Ints:
    """Return a number for each row of (M, 16) bytes, the same for the same bytes: int64 (M,)."""
    rows = np.ascontiguousarray(digests).view("S16").reshape(-1)
    return np.unique(rows, return_inverse=True)[1].astype(np.int64)


def equal(numbers: Ints) -> list[Ints]:
    """Return the rows of each number that occurs twice or more, ascending, by their first row."""
    order = np.argsort(numbers, kind="stable")
    bounds = np.flatnonzero(np.diff(numbers[order], prepend=-1, append=-1))
    several = np.flatnonzero(np.diff(bounds) > 1)
    groups = [order[bounds[at] : bounds[at + 1]] for at in several.tolist()]
    return sorted(groups, key=lambda group: int(group[0]))


def stars(pairs: Iterable[tuple[int, int]]) -> list[Ints]:
    """Return groups that together hold every pair, all members paired with the first directly.

    The picture with the most pairs that no group holds yet is the first of the next group, the
    smallest one of equals; a group has all its partners. A picture may be in several groups: that a
    matches b and b matches c doesn't put a and c together.
    """
    partners: dict[int, set[int]] = {}
    for one, other in pairs:
        partners.setdefault(one, set()).add(other)
        partners.setdefault(other, set()).add(one)
    open_ = {one: set(others) for one, others in partners.items()}
    groups = []
    while open_:
        first = min(open_, key=lambda one: (-len(open_[one]), one))
        members = {first, *partners[first]}
        groups.append(np.array([first, *sorted(partners[first])], np.int64))
        for one in members & open_.keys():
            open_[one] -= members
            if not open_[one]:
                del open_[one]
    return groups
