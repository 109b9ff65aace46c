"""What a split moves as a whole: samples, groups, and duplicates joined with both."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from striate.data._duplicate import DuplicateGroup
from striate.data._order import Ids
from striate.data._source import Source

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Units:
    """What is moved as a whole: U groups, or each sample for itself.

    Attributes:
        ids: (U,) hashed with the seed to rank the units.
        sizes: (U,) number of samples.
        strata: (U,) stratum that most of the unit's samples have.
        of_sample: (N,) unit of each sample.
        whole: what is kept whole, a phrase each; () where each sample is a unit.
    """

    ids: Ids
    sizes: Ints
    strata: Ints
    of_sample: Ints
    whole: tuple[str, ...]


def units_of(source: Source, train: Ints, together: Iterable[DuplicateGroup] = ()) -> Units:
    """Return the units of the samples at `train`, positions in the source, ascending."""
    whole = ["groups kept whole"] if source.groups is not None else []
    if source.groups is None:
        ids, of_sample = source.ids[train], np.arange(len(train))
    else:
        groups, of_sample = np.unique(source.groups[train], return_inverse=True)
        ids = groups.view(np.uint64)
    links = [link for link in _links(len(source), train, of_sample, together) if len(link) > 1]
    if links:
        whole.append("duplicates kept on one side")
        ids, of_sample = _joined(ids, of_sample, links)
    strata = source.answer.strata(source.targets[train])
    return Units(
        ids=ids,
        sizes=np.bincount(of_sample, minlength=len(ids)),
        strata=_majority(of_sample, strata) if whole else strata,
        of_sample=of_sample,
        whole=tuple(whole),
    )


def _links(
    total: int, train: Ints, of_sample: Ints, together: Iterable[DuplicateGroup]
) -> Iterable[Ints]:
    """Yield the units of each group of duplicates, each once; samples elsewhere don't count."""
    unit = np.full(total, -1)
    unit[train] = of_sample
    for group in together:
        units = np.unique(unit[group.positions])
        yield units[units >= 0]


def _joined(ids: Ids, of_sample: Ints, links: Iterable[Ints]) -> tuple[Ids, Ints]:
    """Join the units that are linked, also by others between them; the smallest id stays."""
    first = np.arange(len(ids))

    def find(unit: int) -> int:
        while first[unit] != unit:
            first[unit] = unit = int(first[first[unit]])
        return unit

    for link in links:
        roots = {find(unit) for unit in link.tolist()}
        smallest = min(roots, key=lambda unit: (ids[unit], unit))
        first[list(roots)] = smallest
    roots_U = np.array([find(unit) for unit in range(len(ids))], np.int64)
    kept, of_unit = np.unique(roots_U, return_inverse=True)
    return ids[kept], of_unit[of_sample]


def _majority(of_sample: Ints, strata: Ints) -> Ints:
    """Return the stratum that most samples of each unit have, the smallest of equals."""
    pairs, times = np.unique(np.stack([of_sample, strata]), axis=1, return_counts=True)
    # By unit, then rarest stratum first: the last of each unit is its majority.
    order = np.lexsort((-pairs[1], times, pairs[0]))
    units = np.arange(pairs[0].max() + 1)
    last = np.searchsorted(pairs[0][order], units, side="right") - 1
    majority: Ints = pairs[1][order][last]
    return majority
