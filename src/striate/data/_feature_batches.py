"""Batches of features that a frozen backbone has computed once, in place of pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data._augmentation import Augmentation
from striate.data._batches import Batches
from striate.data._draws import Draws
from striate.data._filling import Positions
from striate.data._geometry import flips
from striate.data._order import Ids, order
from striate.data._source import Batch

Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class FeatureBatch:
    """One batch of features, in place of the pictures that they were computed of.

    Attributes:
        features_BF: float32.
        targets: first axis B.
        positions: (B,) int64 positions in the source.
    """

    features_BF: Floats32
    targets: npt.NDArray[Any]
    positions: Positions


class KeptFeatures:
    """Features of a source's pictures, as they are and mirrored.

    Args:
        rows_NF: as they are.
        mirrored_NF: mirrored, in the same order; None where pictures aren't.
        row_of: position in the source → row; -1 for pictures in no part.
    """

    def __init__(self, rows_NF: Floats32, mirrored_NF: Floats32 | None, row_of: Positions) -> None:
        self._rows_NF, self._mirrored_NF, self._row_of = rows_NF, mirrored_NF, row_of

    def take(
        self, positions: Positions, mirrored_B: npt.NDArray[np.bool_] | None = None
    ) -> Floats32:
        """Return features (B, F); those that `mirrored_B` says of the mirror images."""
        rows = self._row_of[positions]
        found = self._rows_NF[rows]
        if mirrored_B is not None and self._mirrored_NF is not None:
            found[mirrored_B] = self._mirrored_NF[rows[mirrored_B]]
        return found


class FeatureBatches:
    """Batches of features in the order, and mirrored in the epochs, that `Batches` has pictures in.

    Attributes:
        batch_size: of all but the last.
        mirrors: whether pictures are mirrored in every other epoch.
        waited: 0: features lie in memory.
    """

    def __init__(
        self,
        features: KeptFeatures,
        *,
        targets: npt.NDArray[Any],
        ids: Ids,
        positions: Positions,
        batch_size: int,
        seed: int,
        augmentation: Augmentation | None,
    ) -> None:
        self.batch_size, self.waited = batch_size, 0.0
        self._features, self._targets, self._ids = features, targets, ids
        self.mirrors = augmentation is not None and augmentation.horizontal_flip
        self._positions, self._seed, self._augmentation = positions, seed, augmentation

    def __len__(self) -> int:
        """Return the batches of one epoch."""
        return -(-len(self._positions) // self.batch_size)

    def count(self, index: int) -> int:
        """Return the pictures of an epoch's batch."""
        return min(self.batch_size, len(self._positions) - index * self.batch_size)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[FeatureBatch]:
        """Yield an epoch's batches from number `start` on."""
        shuffled = self._positions[order(self._seed, epoch, self._ids[self._positions])]
        for first in range(start * self.batch_size, len(shuffled), self.batch_size):
            positions = shuffled[first : first + self.batch_size]
            mirrored_B = None
            if self._augmentation is not None:
                draws = Draws(seed=self._seed, epoch=epoch, ids=self._ids[positions])
                mirrored_B = flips(self._augmentation, draws)[:, 0] < 0
            yield FeatureBatch(
                features_BF=self._features.take(positions, mirrored_B),
                targets=self._targets[positions],
                positions=positions,
            )


AnyBatch = Batch | FeatureBatch
AnyBatches = Batches | FeatureBatches
"""What a step is given, and what gives it."""
