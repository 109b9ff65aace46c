"""A second look at candidates: whether a part of the one is like the whole of the other.

Cutting off 5 % changes a fingerprint much. So those of 25 parts of each picture are made from its
thumbnail, all of them multiplications of small matrices, and the best of them counts.
"""

from functools import cache

import numpy as np

from striate.data._fingerprint import (
    FREQUENCIES,
    THUMBNAIL,
    Fingerprints,
    Floats,
    Pixels,
    unit,
    window,
)
from striate.data._similar import Candidates

ALIKE = 0.9
"""Least likeness of one picture and the best part of the other for a pair to stay a candidate.

All of 5,000 planted copies had it, and 1 in 100 candidates that were no copies (CIFAR-10).
"""

WINDOWS = ((0, 1), (0, 0.95), (0.05, 1), (0.025, 0.975), (0.05, 0.95))
"""Parts along each axis, as shares of it."""

_PAIRS_AT_ONCE = 512


def refined(proposed: Candidates, prints: Fingerprints) -> Candidates:
    """Return the candidates that stay, the most alike first, with the best part's likeness."""
    likeness = np.zeros(len(proposed), np.float32)
    for start in range(0, len(proposed), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        likeness[part] = _likeness(proposed[part], prints)
    order = np.lexsort((proposed.pairs[:, 1], proposed.pairs[:, 0], -likeness))
    better = Candidates(pairs=proposed.pairs, likeness=likeness, mirrored=proposed.mirrored)
    return better[order[likeness[order] >= ALIKE]]


def _likeness(proposed: Candidates, prints: Fingerprints) -> Floats:
    """Return the likeness of one's whole and the other's best part, or the other way: (P,)."""
    rows, places = np.unique(proposed.pairs, return_inverse=True)
    wholes = prints.spectra[rows].reshape(len(rows), -1)
    parts = part_spectra(prints.thumbnails[rows])
    one, other = places.reshape(-1, 2).T
    signs = np.where(np.arange(FREQUENCIES) % 2, -1, 1)
    mirror = np.tile(signs, FREQUENCIES).astype(np.float32)
    turned = np.where(proposed.mirrored[:, None], mirror, np.float32(1))
    first = np.matmul(parts[one], (wholes[other] * turned)[..., None])
    second = np.matmul(parts[other], (wholes[one] * turned)[..., None])
    best: Floats = np.maximum(first, second).max(axis=(1, 2))
    return best


def part_spectra(thumbnails_BHW: Pixels) -> Floats:
    """Return the fingerprints of 25 parts of each thumbnail: float32 (B, 25, 64)."""
    count = len(WINDOWS)
    cosines = _cosines()
    across = thumbnails_BHW.reshape(-1, THUMBNAIL).astype(np.float32) @ cosines.T
    both = cosines @ across.reshape(-1, THUMBNAIL, len(cosines))
    split = both.reshape(-1, count, FREQUENCIES, count, FREQUENCIES).swapaxes(2, 3)
    return unit(split).reshape(-1, count * count, FREQUENCIES * FREQUENCIES)


@cache
def _cosines() -> Floats:
    """Return the transforms of all parts, one below the other: (5 x 8, 16)."""
    return np.concatenate([window(low, high) for low, high in WINDOWS])
