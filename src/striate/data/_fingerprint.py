"""What is compared of stored pictures: digests of their pixels and fingerprints of their looks.

The fingerprint is the perceptual hash pHash (Zauner, "Implementation and benchmarking of perceptual
image hash functions", 2010) without its last step: the low frequencies of the cosine transform of a
grey thumbnail, kept as numbers instead of one bit each. Two fingerprints' inner product is their
likeness. Cosines of even frequency don't change when a picture is mirrored, those of odd frequency
change their sign: kept apart, they give the likeness of a picture and of its mirror image at once.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from striate.data._cache_key import DIGEST, Digests, array_digests
from striate.data._geometry import opencv
from striate.data._source import Progress
from striate.image import Shape

THUMBNAIL = 16
"""Side of the grey thumbnail that is transformed, in pixels."""

FREQUENCIES = 8
"""Frequencies along each axis; the lowest is the mean, which doesn't count."""

_FLATTEST = 2.0  # standard deviation in grey levels; below, a picture has nothing to compare
_BYTES_AT_ONCE = 2 << 20

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]


class Stored(Protocol):
    """What is needed of a `Store`."""

    @property
    def shape(self) -> Shape: ...

    def take_wide(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]: ...


@dataclass(frozen=True, kw_only=True)
class Fingerprints:
    """Fingerprints of M pictures.

    Attributes:
        thumbnails: (M, 16, 16) uint8, grey.
        spectra: (M, 8, 8) float32, cosines by vertical, then horizontal frequency, weighted; of
            length 1, or 0 where the picture is almost of one colour.
    """

    thumbnails: Pixels
    spectra: Floats

    def __len__(self) -> int:
        return len(self.thumbnails)


def pixel_digests(
    stored: Stored,
    positions: npt.NDArray[np.int64],
    *,
    threads: int = 2,
    progress: Progress | None = None,
) -> Digests:
    """Return (M, 16) uint8 for the pictures at `positions`, the same for the same stored pixels."""
    digests = np.zeros((len(positions), DIGEST), np.uint8)

    def read(chunk: slice) -> None:
        digests[chunk] = array_digests(stored.take_wide(positions[chunk]))

    _read_all(stored, len(positions), read, threads, progress)
    return digests


def fingerprints(
    stored: Stored,
    positions: npt.NDArray[np.int64],
    *,
    threads: int = 2,
    progress: Progress | None = None,
) -> Fingerprints:
    """Return the fingerprints of the pictures at `positions`, int64 (M,)."""
    total = len(positions)
    prints = Fingerprints(
        thumbnails=np.zeros((total, THUMBNAIL, THUMBNAIL), np.uint8),
        spectra=np.zeros((total, FREQUENCIES, FREQUENCIES), np.float32),
    )

    def read(chunk: slice) -> None:
        prints.thumbnails[chunk] = thumbnails(stored.take_wide(positions[chunk]))
        prints.spectra[chunk] = spectra(prints.thumbnails[chunk])

    _read_all(stored, total, read, threads, progress)
    return prints


def _read_all(
    stored: Stored,
    total: int,
    read: Callable[[slice], None],
    threads: int,
    progress: Progress | None,
) -> None:
    """Call `read` for the rows 0 to total in pieces of a few megabytes, in threads."""
    wide = stored.shape.wide
    count = max(1, _BYTES_AT_ONCE // (wide.height * wide.width * wide.channels))
    pieces = [slice(start, min(start + count, total)) for start in range(0, total, count)]
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for piece, _ in zip(pieces, pool.map(read, pieces), strict=True):
            if progress is not None:
                progress(piece.stop, total)


def thumbnails(pictures_BHWC: Pixels) -> Pixels:
    """Return grey thumbnails of uint8 pictures with 1 or 3 channels: uint8 (B, 16, 16)."""
    cv2 = opencv()
    small = np.zeros((len(pictures_BHWC), THUMBNAIL, THUMBNAIL), np.uint8)
    for picture, place in zip(pictures_BHWC, small, strict=True):
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.shape[2] == 3 else picture
        cv2.resize(grey, place.shape, dst=place, interpolation=cv2.INTER_AREA)
    return small


def spectra(thumbnails_BHW: Pixels) -> Floats:
    """Return the weighted cosines of grey thumbnails, of length 1 or 0: float32 (B, 8, 8)."""
    cosines = window(0, 1)
    found = unit(cosines @ thumbnails_BHW.astype(np.float32) @ cosines.T)
    found[thumbnails_BHW.std(axis=(1, 2)) < _FLATTEST] = 0
    return found


def unit(spectra: Floats) -> Floats:
    """Weight spectra, (..., 8, 8), and bring each to length 1.

    Natural pictures have the more energy the lower the frequency; the weight, the square root of
    the frequency, gives fine shapes their part without drowning in what a slight crop changes.
    """
    frequencies = np.arange(FREQUENCIES)
    weight = np.sqrt(np.hypot(frequencies[:, None], frequencies)).astype(np.float32)
    weighted: Floats = spectra * weight
    length = np.linalg.norm(weighted, axis=(-2, -1), keepdims=True)
    weighted /= np.maximum(length, 1e-6)
    return weighted


def window(low: float, high: float) -> Floats:
    """Return the cosine transform (DCT-II) of a part of a thumbnail's row or column: (8, 16).

    Args:
        low, high: where the part begins and ends, as shares of the whole, from 0 to 1.

    Returns:
        One row per frequency, of length 1; but for frequency 0 each sums to 0, so that brightness
        doesn't count. Pixels that the part covers in part count in part.
    """
    edges = np.arange(THUMBNAIL + 1) / THUMBNAIL
    cover = np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0, None)
    place = np.clip(((edges[1:] + edges[:-1]) / 2 - low) / (high - low), 0, 1)
    rows = np.cos(np.pi * place * np.arange(FREQUENCIES)[:, None]) * cover
    rows[1:] -= cover * rows[1:].sum(axis=1, keepdims=True) / cover.sum()
    unit_rows: Floats = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit_rows
