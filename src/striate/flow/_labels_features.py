"""What a quick model looks at in place of pixels: edges by direction, and a tiny picture."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from striate.data import Store
from striate.image import Shape, fit

Floats = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int64]

_BLOCK = 256
_CELL = 4
_DIRECTIONS = 8
_TINY = 8
_WAVES = 1_000
_SAMPLE = 500


def random_waves(stored: Store, positions: Positions, seed: int) -> Floats:
    """Return D ≤ 1,001 features (M, D) of pictures, float32, in which a linear model is a good one.

    Histograms of directions (Dalal and Triggs, "Histograms of oriented gradients for human
    detection", CVPR 2005; 8 directions, cells of 4×4 pixels, blocks of 2×2 cells) on pictures of
    32×32 pixels, or 16×16 where they are small, and the picture at 8×8. Then cosines of random
    directions, whose products stand for a Gaussian kernel of the features' median distance (Rahimi
    and Recht, "Random features for large-scale kernel machines", NeurIPS 2007). The last is 1.
    """
    rng = np.random.default_rng(seed)
    side = 32 if min(stored.shape.height, stored.shape.width) >= 24 else 16
    chosen = positions[rng.permutation(len(positions))[:_SAMPLE]]
    sample = np.concatenate(list(_blocks(stored, chosen, side)))
    centre = sample.mean(axis=0)
    waves = min(_WAVES, len(positions))
    directions = rng.normal(0, 1 / _median_distance(sample), (sample.shape[1], waves))
    phases = rng.uniform(0, 2 * np.pi, waves).astype(np.float32)
    directions_FD = directions.astype(np.float32)
    made = np.ones((len(positions), waves + 1), np.float32)
    begin = 0
    for block in _blocks(stored, positions, side):
        end = begin + len(block)
        made[begin:end, :-1] = np.cos((block - centre) @ directions_FD + phases)
        begin = end
    return made


def _blocks(stored: Store, positions: Positions, side: int) -> Iterator[Floats]:
    for start in range(0, len(positions), _BLOCK):
        pictures = stored.take(positions[start : start + _BLOCK])
        middle = _resized(pictures, side)
        tiny = _resized(middle, _TINY).reshape(len(pictures), -1).astype(np.float32) / 255
        yield np.concatenate([directions(middle), tiny], axis=1)


def _resized(pictures_BHWC: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    channels = pictures_BHWC.shape[3]
    shape = Shape(height=side, width=side, channels=channels, rule="squash")
    return np.stack([fit(picture, shape) for picture in pictures_BHWC])


def directions(pictures_BHWC: npt.NDArray[np.uint8]) -> Floats:
    """Return histograms of edge directions, float32 (B, F); sides are multiples of 4."""
    grey = pictures_BHWC.astype(np.float32).mean(axis=3) / 255
    padded = np.pad(grey, ((0, 0), (1, 1), (1, 1)), mode="edge")
    across = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    strength = np.hypot(across, down)
    # Opposite directions are one: light on dark counts as dark on light does.
    angle = np.arctan2(down, across) * np.float32(_DIRECTIONS / np.pi) % _DIRECTIONS
    cells = np.stack([_cells(strength * _share(angle, k)) for k in range(_DIRECTIONS)], axis=1)
    return _normalised(cells)


def _share(angle: Floats, direction: int) -> Floats:
    """Return how much of an angle falls to a direction: 1 on it, 0 one step away and further."""
    apart = np.abs(angle - direction)
    share: Floats = np.maximum(1 - np.minimum(apart, _DIRECTIONS - apart), 0)
    return share


def _cells(strength_BHW: Floats) -> Floats:
    number, height, width = strength_BHW.shape
    parts = strength_BHW.reshape(number, height // _CELL, _CELL, width // _CELL, _CELL)
    sums: Floats = parts.sum(axis=(2, 4))
    return sums


def _normalised(cells_BKhw: Floats) -> Floats:
    """Return each cell four times, each time divided by the strength of one block around it."""
    energy = (cells_BKhw**2).sum(axis=1, keepdims=True)
    rows, columns = energy.shape[2] - 1, energy.shape[3] - 1
    corners = [(top, left) for top in (0, 1) for left in (0, 1)]
    within = sum(energy[:, :, t : t + rows, s : s + columns] for t, s in corners)
    scale = 1 / np.sqrt(within + np.float32(0.01))
    parts = [
        (cells_BKhw[:, :, t : t + rows, s : s + columns] * scale).reshape(len(energy), -1)
        for t, s in corners
    ]
    return np.concatenate(parts, axis=1)


def _median_distance(sample_MF: Floats) -> float:
    """Return the median Euclidean distance between different pictures; 1 where all are alike."""
    squares = (sample_MF**2).sum(axis=1)
    apart = squares[:, None] + squares[None, :] - 2 * sample_MF @ sample_MF.T
    distances = np.sqrt(np.maximum(apart[np.triu_indices(len(apart), 1)], 0))
    return float(np.median(distances)) if len(distances) and np.median(distances) > 0 else 1.0
