"""Batches of one part of a source, in an order that depends on seed and epoch alone."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy.typing as npt

from striate.data._augment import augment
from striate.data._augmentation import Augmentation
from striate.data._filling import Positions
from striate.data._order import Ids, order
from striate.data._source import Batch
from striate.data._store import Store

# Batches prepared before they are asked for.
_AHEAD = 2


class Batches:
    """The batches of one part, epoch by epoch; any batch can be made without those before it."""

    def __init__(
        self,
        store: Store,
        *,
        targets: npt.NDArray[Any],
        ids: Ids,
        positions: Positions,
        batch_size: int,
        seed: int = 0,
        augmentation: Augmentation | None = None,
        shuffle: bool,
        drop_last: bool = False,
        threads: int = 1,
    ) -> None:
        """Describe the batches; nothing is read yet.

        Args:
            store: pictures of the whole source.
            targets, ids: of the whole source; first axis N.
            positions: (P,) int64, the part's samples.
            batch_size: pictures in a batch, 1 or more; the last one may have fewer.
            seed: of order and augmentation.
            augmentation: changes of the pictures; None or an inactive one: none.
            shuffle: whether every epoch has an order of its own, else that of `positions`.
            drop_last: leave out a last batch that isn't full.
            threads: that augment at once.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; expected 1 or more.")
        self.store = store
        self.targets = targets
        self.ids = ids
        self.positions = positions
        self.batch_size = batch_size
        self.seed = seed
        self.augmentation = augmentation if augmentation and augmentation.active else None
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.threads = threads
        self._known: tuple[int, Positions] | None = None

    def __len__(self) -> int:
        """Return the batches of one epoch."""
        full, rest = divmod(len(self.positions), self.batch_size)
        return full + bool(rest and not self.drop_last)

    def batch(self, epoch: int, index: int) -> Batch:
        """Return one batch of an epoch; IndexError where `index` isn't in 0 to len - 1."""
        if not 0 <= index < len(self):
            raise IndexError(f"There is no batch {index}: an epoch has {len(self)}.")
        start = index * self.batch_size
        positions = self._order(epoch)[start : start + self.batch_size]
        pictures = self.store.take(positions)
        if self.augmentation is not None:
            pictures = augment(
                pictures,
                self.augmentation,
                seed=self.seed,
                epoch=epoch,
                ids=self.ids[positions],
                threads=self.threads,
            )
        return Batch(pictures_BHWC=pictures, targets=self.targets[positions], positions=positions)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield an epoch's batches from number `start` on, prepared in a thread where that pays.

        The thread works at most two batches ahead. What fails in it is raised here, and it has
        ended when the iterator is exhausted or closed.
        """
        indices = range(start, len(self))
        if self.augmentation is None and self.store.in_memory:
            # A copy of rows takes less time than handing it to a thread.
            for index in indices:
                yield self.batch(epoch, index)
            return
        with ThreadPoolExecutor(1, "striate-batches") as pool:
            yield from self._ahead(pool, epoch, indices)

    def _ahead(self, pool: ThreadPoolExecutor, epoch: int, indices: range) -> Iterator[Batch]:
        waiting: deque[Future[Batch]] = deque()
        try:
            for index in indices:
                waiting.append(pool.submit(self.batch, epoch, index))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _order(self, epoch: int) -> Positions:
        if not self.shuffle:
            return self.positions
        known = self._known
        if known is None or known[0] != epoch:
            known = (epoch, self.positions[order(self.seed, epoch, self.ids[self.positions])])
            self._known = known
        return known[1]
