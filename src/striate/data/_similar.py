"""Which pairs of pictures are worth comparing: those whose fingerprints are alike."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from striate.data._fingerprint import FREQUENCIES, Fingerprints, Floats

ALIKE = 0.7
"""Least likeness of two fingerprints, 1 for the same picture, that makes a pair a candidate.

A picture and the same without 5 % of its width and height at one corner are 0.67 to 1 alike, 99 % of
such pairs over 0.7; of pairs of different photographs about 1 in 10,000 is.
"""

PER_PICTURE = 10
"""Candidates kept for each picture, on average: the most alike of all."""

_ROWS = 1024

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """P pairs of pictures.

    Attributes:
        pairs: (P, 2) int64 rows of the fingerprints, the smaller one first.
        likeness: (P,) float32.
        mirrored: (P,) whether the one is more like the other's mirror image.
    """

    pairs: Ints
    likeness: Floats
    mirrored: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, which: slice | Ints | npt.NDArray[np.bool_]) -> "Candidates":
        """Return some of them."""
        return Candidates(
            pairs=self.pairs[which],
            likeness=self.likeness[which],
            mirrored=self.mirrored[which],
        )


def candidates(prints: Fingerprints) -> Candidates:
    """Return the pairs with a likeness of `ALIKE` or more, ascending.

    Every fingerprint is compared with every other, and with its mirror image: for 10,000 pictures
    that is 3 thousand million multiplications. Where there are more than `PER_PICTURE` candidates
    for each picture, the most alike are kept.
    """
    most = round(PER_PICTURE * max(len(prints), 100))
    comparing = _Comparing(prints.spectra)
    found = [_none()]
    count = 0
    for start, low in _blocks(len(prints)):
        found.append(comparing.block(start, low))
        count += len(found[-1])
        if count > 2 * most:
            found = [_best(_joined(found), most)]
            count = len(found[0])
            comparing.threshold = float(found[0].likeness.min())
    best = _best(_joined(found), most)
    return best[np.lexsort((best.pairs[:, 1], best.pairs[:, 0]))]


def _blocks(total: int) -> Iterator[tuple[int, int]]:
    """Yield where each pair of blocks begins, the first not after the second."""
    for low in range(0, total, _ROWS):
        for start in range(0, low + 1, _ROWS):
            yield start, low


class _Comparing:
    """Compares blocks of rows, in memory that is taken once."""

    def __init__(self, spectra: Floats) -> None:
        self.threshold = ALIKE
        # Cosines of even frequency stay as they are when a picture is mirrored, those of odd
        # frequency change their sign.
        half = FREQUENCIES * FREQUENCIES // 2
        self._even = np.ascontiguousarray(spectra[:, :, 0::2]).reshape(-1, half)
        self._odd = np.ascontiguousarray(spectra[:, :, 1::2]).reshape(-1, half)
        self._memory = np.zeros((3, _ROWS * _ROWS), np.float32)

    def block(self, start: int, low: int) -> Candidates:
        """Compare the rows from `start` with those from `low`, which isn't smaller."""
        first, second = slice(start, start + _ROWS), slice(low, low + _ROWS)
        shape = len(self._even[first]), len(self._even[second])
        even, odd, likeness = (one[: shape[0] * shape[1]].reshape(shape) for one in self._memory)
        np.matmul(self._even[first], self._even[second].T, out=even)
        np.matmul(self._odd[first], self._odd[second].T, out=odd)
        np.abs(odd, out=likeness)
        np.add(likeness, even, out=likeness)
        i, j = np.unravel_index(np.flatnonzero(likeness >= self.threshold), shape)
        if start == low:
            i, j = i[i < j], j[i < j]
        return Candidates(
            pairs=np.stack([i + start, j + low], axis=1),
            likeness=likeness[i, j],
            mirrored=odd[i, j] < 0,
        )


def _none() -> Candidates:
    nothing = np.zeros(0, np.float32)
    pairs = np.zeros((0, 2), np.int64)
    return Candidates(pairs=pairs, likeness=nothing, mirrored=nothing > 0)


def _joined(found: list[Candidates]) -> Candidates:
    return Candidates(
        pairs=np.concatenate([one.pairs for one in found]),
        likeness=np.concatenate([one.likeness for one in found]),
        mirrored=np.concatenate([one.mirrored for one in found]),
    )


def _best(found: Candidates, most: int) -> Candidates:
    """Return the `most` most alike; of equals those that come first."""
    if len(found) <= most:
        return found
    pairs = found.pairs
    return found[np.lexsort((pairs[:, 1], pairs[:, 0], -found.likeness))[:most]]
