"""Dividing a source into training, validation and test part."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from striate.data._duplicate import DuplicateGroup
from striate.data._order import hash_ids
from striate.data._source import TEST, TRAIN, UNDECIDED, VALIDATION, Source, Split
from striate.data._split_units import Units, units_of
from striate.data._words import count
from striate.errors import SourceError, UsageError

# First key of the hash, so that the split and the order of epochs see different numbers.
_SPLIT = 0x5350_4C49


def split(
    source: Source,
    *,
    validation: float = 0.2,
    seed: int = 0,
    exclude: Iterable[int] = (),
    together: Iterable[DuplicateGroup] = (),
) -> Split:
    """Return the positions of each part.

    Given parts stay as they are; undecided samples become training samples. Where there is no
    validation part, one is taken from the training samples: in each stratum (`Answer.strata`) the
    samples with the smallest hash of (seed, id), so that one sample more or less moves at most one
    other. A stratum of two samples or more has at least one in each part. Groups stay whole: they
    are ranked by the hash of (seed, group) within the stratum that most of their samples have.

    Duplicates that would be divided are joined, and groups that share one with them. What is joined
    has the rank that the one of its samples (or groups) with the smallest id had alone. So the rank
    of every other sample stays as it was when duplicates appear: only what is joined may change
    sides, and of the others as many as it takes to keep the share.

    Args:
        source: what to divide.
        validation: share of the training samples kept for validation, from 0 to below 1.
        seed: another seed gives another validation part.
        exclude: positions that go into no part: unreadable pictures.
        together: duplicates that are kept on one side (`Duplicates.groups`). They move no picture
            out of a part that was given.

    Raises:
        UsageError: a share outside that range.
        SourceError: no training samples, or too few to keep some for validation.
    """
    if not 0 <= validation < 1:
        raise UsageError(
            f"validation is {validation:g}. Expected the share of the training pictures that is "
            "kept for validation, from 0 to below 1."
        )
    usable = np.ones(len(source), np.bool_)
    usable[list(exclude)] = False
    train = np.flatnonzero(usable & np.isin(source.parts, (TRAIN, UNDECIDED)))
    held = np.flatnonzero(usable & (source.parts == VALIDATION))
    test = np.flatnonzero(usable & (source.parts == TEST))
    if not len(train):
        raise SourceError(
            f"{source.name} has no training pictures, only {_given(held, test)}. Add a train "
            "part, or name pictures that belong to no part."
        )
    if len(held) or not validation:
        return Split(
            train=train, validation=held, test=test, reason=f"the parts are as given{_no(test)}"
        )
    units = units_of(source, train, together)
    drawn = _draw(source.name, units, validation, seed)
    kept, held = train[~drawn], train[drawn]
    share = len(held) / len(train)
    how = ", ".join(["stratified", *units.whole])
    reason = (
        f"{len(held):,} of {count(len(train), 'training picture')} ({share:.0%}) are kept for "
        f"validation, {how}, seed {seed}; {_about(test)}"
    )
    return Split(train=kept, validation=held, test=test, reason=reason)


def _given(held: npt.NDArray[np.int64], test: npt.NDArray[np.int64]) -> str:
    parts = {"validation": len(held), "test": len(test)}
    return " and ".join(f"{size:,} of the {part} part" for part, size in parts.items() if size)


def _no(test: npt.NDArray[np.int64]) -> str:
    return "" if len(test) else "; there is no test part"


def _about(test: npt.NDArray[np.int64]) -> str:
    return f"the {len(test):,} of the test part are as given" if len(test) else "no test part"


def _draw(name: str, units: Units, validation: float, seed: int) -> npt.NDArray[np.bool_]:
    """Return True for each sample that goes to validation."""
    rank = hash_ids(_SPLIT, seed, ids=units.ids)
    drawn = np.zeros(len(units.ids), np.bool_)
    for stratum in np.unique(units.strata):
        inside = np.flatnonzero(units.strata == stratum)
        ranked = inside[np.argsort(rank[inside], kind="stable")]
        drawn[ranked[: _how_many(units.sizes[ranked], validation)]] = True
    if not drawn.any():
        what = "group" if units.whole else "picture"
        raise SourceError(
            f"{name} has too little to keep any for validation: every class has a single "
            f"{what}. Add more, or give a validation part."
        )
    return drawn[units.of_sample]


def _how_many(sizes: npt.NDArray[np.int64], share: float) -> int:
    """Return how many units, from the first on, come nearest to `share` of all samples.

    At least one and not all, where there are two units or more; none of a single one.
    """
    if len(sizes) < 2:
        return 0
    reached = np.cumsum(sizes)[:-1]
    return int(np.abs(reached - share * sizes.sum()).argmin()) + 1
