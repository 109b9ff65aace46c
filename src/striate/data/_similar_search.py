"""The search for near duplicates: fingerprints propose pairs, pixels decide."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from striate.data._fingerprint import Fingerprints, Stored
from striate.data._similar import Candidates, candidates
from striate.data._similar_crops import refined
from striate.data._similar_pixels import compare

MOST = 0.02
"""Share of all pictures that may have near duplicates, for these to act."""

FEW = 20
"""Pictures with near duplicates that are never too many, however small the source is."""

_PAIRS_AT_ONCE = 64

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the search found.

    Attributes:
        pairs: (P, 2) int64 rows of the fingerprints that show the same.
        matched: number of pictures in these pairs.
        too_many: whether the search ended because more than `MOST` of all pictures matched.
    """

    pairs: Ints
    matched: int
    too_many: bool


def search(
    stored: Stored,
    positions: Ints,
    prints: Fingerprints,
    *,
    total: int,
    threads: int = 2,
) -> Found:
    """Compare the pictures at `positions`, int64 (M,), the most alike first.

    Args:
        stored: the pictures.
        positions: where the M pictures of `prints` are in it.
        prints: their fingerprints.
        total: number of pictures that `MOST` is a share of.
        threads: that compare at once.
    """
    proposed = refined(candidates(prints), prints)
    most = max(FEW, MOST * total)
    pairs: list[tuple[int, int]] = []
    matched: set[int] = set()
    for start in range(0, len(proposed), _PAIRS_AT_ONCE):
        part = proposed[start : start + _PAIRS_AT_ONCE]
        same = _same(stored, positions, part, threads)
        pairs += [(int(one), int(other)) for one, other in part.pairs[same]]
        matched.update(int(row) for row in part.pairs[same].ravel())
        if len(matched) > most:
            break
    return Found(
        pairs=np.array(pairs, np.int64).reshape(-1, 2),
        matched=len(matched),
        too_many=len(matched) > most,
    )


def _same(stored: Stored, positions: Ints, part: Candidates, threads: int) -> npt.NDArray[np.bool_]:
    rows, places = np.unique(part.pairs, return_inverse=True)
    pictures_BHWC = stored.take_wide(positions[rows])
    places = places.reshape(-1, 2)

    def same(index: int) -> bool:
        one, other = places[index]
        mirrored = bool(part.mirrored[index])
        return compare(pictures_BHWC[one], pictures_BHWC[other], mirrored=mirrored).same

    with ThreadPoolExecutor(max(1, threads)) as pool:
        return np.fromiter(pool.map(same, range(len(part.pairs))), np.bool_, len(part.pairs))
