"""Which samples of a source are measured."""

import numpy as np
import numpy.typing as npt

from striate.data import PARTS, TRAIN, UNDECIDED, Source
from striate.errors import SourceError, UsageError, unknown

ALL = "all"


def chosen_part(source: Source, part: str | None) -> tuple[str, npt.NDArray[np.int64]]:
    """Return a part's name and the positions of its samples, ascending.

    None takes the test part where the source has one, else its validation part, else all samples.

    Raises UsageError for an unknown part, SourceError for one that the source doesn't have.
    """
    # Samples that the source gives to no part are those that training is done on (and validated).
    parts_N = np.where(source.parts == UNDECIDED, TRAIN, source.parts)
    sizes = {name: int(np.sum(parts_N == number)) for number, name in enumerate(PARTS)}
    if part is None:
        part = next((name for name in ("test", "validation") if sizes[name]), ALL)
    if part == ALL:
        return part, np.arange(len(source))
    if part not in PARTS:
        raise UsageError(unknown("part", part, (*PARTS, ALL)))
    if not sizes[part]:
        there = ", ".join(name for name, size in sizes.items() if size)
        raise SourceError(
            f"{source.name}: the source has no {part} part; it has "
            f"{there}. Leave out the part, or ask for all."
        )
    return part, np.flatnonzero(parts_N == PARTS.index(part))
