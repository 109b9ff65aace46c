"""The same picture twice: exact duplicates, and near ones where pictures are large enough."""

import numpy as np
import numpy.typing as npt

from striate.data._duplicate import DuplicateGroup, Duplicates
from striate.data._duplicate_groups import Ints, equal, numbered, stars
from striate.data._fingerprint import fingerprints, pixel_digests
from striate.data._similar_search import MOST, Found, search
from striate.data._source import Pictures, Progress, Source
from striate.data._store import Store
from striate.data._words import count

SMALLEST = 48
"""Shortest side in pixels, of the file and as stored, for which near duplicates are looked for."""


def find_duplicates(
    stored: Store,
    source: Source,
    positions: Ints,
    *,
    threads: int = 2,
    largest: int | None = None,
    progress: Progress | None = None,
) -> Duplicates:
    """Find the pictures that are the same: by bytes, by stored pixels, and by their looks.

    Near duplicates are re-encoded, resized, slightly cropped, lighter, darker or mirrored copies.
    Fingerprints propose pairs, and a pair counts only after its pixels were laid over each other
    and compared. They act only where that can be relied on: among pictures of at least `SMALLEST`
    pixels, where not more than `MOST` of all match (or 20).

    Args:
        stored: the pictures, already decoded.
        source: for the pictures' names and files.
        positions: int64 (M,), the pictures to compare, ascending; all of them readable.
        threads: that read and compare at once.
        largest: among more pictures than these, near duplicates aren't looked for: every two are
            compared. A limit in seconds would let the machine's load decide on the split. None:
            no limit.
        progress: called with (pictures read, M).
    """
    looks = numbered(pixel_digests(stored, positions, threads=threads, progress=progress))
    exact = _exact(looks, stored, source.pictures, positions)
    # One stands for all that have its pixels.
    different = np.sort(np.unique(looks, return_index=True)[1])
    large = different[shortest_sides(stored, positions[different]) >= SMALLEST]
    too_long = largest is not None and len(large) > largest
    compared = positions[large[:0] if too_long else large]
    prints = fingerprints(stored, compared, threads=threads)
    found = search(stored, compared, prints, total=len(positions), threads=threads)
    near = tuple(
        _group("near", compared[star], source.pictures)
        for star in stars(map(tuple, found.pairs.tolist()))
    )
    acts = len(compared) > 1 and not found.too_many
    return Duplicates(
        groups=(*exact, *near) if acts else exact,
        near_acted=acts,
        reason=_too_long(len(large))
        if too_long
        else _reason(found, len(large), len(different), len(positions)),
        proposals=() if acts else near,
    )


def shortest_sides(stored: Store, positions: Ints) -> npt.NDArray[np.float64]:
    """Return the shortest side in pixels of each picture, of its file or as stored: (M,).

    The file's size follows from the matrix from file to store: both have the same centre.
    """
    wide = stored.shape.wide
    matrices = stored.matrices[positions].astype(np.float64)
    sides = [np.full(len(positions), float(min(wide.height, wide.width)))]
    for axis, size in ((0, wide.width), (1, wide.height)):
        scale = matrices[:, axis, axis]
        corner = matrices[:, axis, 2] + stored.shape.margin + (1 - scale) / 2
        sides.append((size - 2 * corner) / scale)
    shortest: npt.NDArray[np.float64] = np.round(np.min(sides, axis=0), 3)
    return shortest


def _exact(
    looks: Ints, stored: Store, pictures: Pictures, positions: Ints
) -> tuple[DuplicateGroup, ...]:
    """Return the groups of the same pixels, and which of them have the same files."""
    groups = []
    for rows in equal(looks):
        digests = stored.digests[positions[rows]]
        from_files = all(pictures.file(p) is not None for p in positions[rows].tolist())
        same = from_files and bool(digests.any()) and bool((digests == digests[0]).all())
        groups.append(_group("bytes" if same else "pixels", positions[rows], pictures))
    return tuple(groups)


def _group(kind: str, positions: Ints, pictures: Pictures) -> DuplicateGroup:
    names = tuple(pictures.name(position) for position in positions.tolist())
    return DuplicateGroup(kind=kind, positions=positions, names=names)


def _too_long(large: int) -> str:
    return (
        f"Near duplicates were not looked for: to compare every two of {large:,} pictures takes "
        "long; striate check does it. Exact duplicates count."
    )


def _reason(found: Found, large: int, different: int, total: int) -> str:
    """Return why near duplicates don't act, or which pictures weren't looked at."""
    small = different - large
    if large < 2 and small:
        return (
            f"Near duplicates were not looked for: {_small(small)}, and different pictures of that "
            "size look too much alike. Exact duplicates count."
        )
    if found.too_many:
        return (
            f"Near duplicates don't count: {found.matched:,} of {count(total, 'picture')} "
            f"({found.matched / total:.1%}) or more match another, and over {MOST:.0%} the match "
            "says little. Exact duplicates count."
        )
    if small:
        return f"Near duplicates were not looked for everywhere: {_small(small)}."
    return ""


def _small(number: int) -> str:
    has = "has" if number == 1 else "have"
    return f"{count(number, 'picture')} {has} a side under {SMALLEST} px, in the file or as stored"
