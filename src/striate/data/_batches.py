"""Batches of one part of a source, in an order that depends on seed and epoch alone."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data._augment import augment_into, slices
from striate.data._augmentation import Augmentation
from striate.data._deferred import defer
from striate.data._draws import Draws, Floats
from striate.data._filling import Positions
from striate.data._geometry import compose, draw_matrices
from striate.data._order import Ids, order
from striate.data._source import Batch
from striate.data._store import Store

# Batches prepared before they are asked for.
_AHEAD = 2
# Pixels of a picture from which on several threads are faster than one: below, they spend their
# time handing Python's lock to each other.
_SHARED = 64 * 64


class Batches:
    """The batches of one part, epoch by epoch; any batch can be made without those before it.

    Attributes:
        waited: seconds that the latest epoch's consumer waited for batches, so far.
    """

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
        on_device: bool = False,
        share: Callable[[int], slice] | None = None,
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
            threads: that prepare batches at once, beside the one that asks for them; one where
                pictures are smaller than 64x64. The pictures don't depend on it.
            on_device: leave to an accelerator what it can do (`Batch.deferred`): everything where
                pictures are warped and neither blurred nor made noisy, else nothing.
            share: the part of a batch's pictures that is made here, by their number, where several
                processes divide every batch; None: all of it.
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
        self.threads = max(1, threads) if _area(store) >= _SHARED else 1
        self.waited = 0.0
        self._share = share
        self._defers = on_device and self.augmentation is not None and self.augmentation.on_device
        self._known: tuple[int, Positions] | None = None

    def __len__(self) -> int:
        """Return the batches of one epoch."""
        full, rest = divmod(len(self.positions), self.batch_size)
        return full + bool(rest and not self.drop_last)

    def count(self, index: int) -> int:
        """Return the pictures of an epoch's batch, those of other processes included."""
        return min(self.batch_size, len(self.positions) - index * self.batch_size)

    def batch(self, epoch: int, index: int) -> Batch:
        """Return one batch of an epoch; IndexError where `index` isn't in 0 to len - 1."""
        if not 0 <= index < len(self):
            raise IndexError(f"There is no batch {index}: an epoch has {len(self)}.")
        batch = self._empty(epoch, index)
        self._fill(batch, epoch, slice(None))
        return batch

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield an epoch's batches from number `start` on, prepared by threads where that pays.

        The threads work at most two batches ahead. What fails in them is raised here, and they
        have ended when the iterator is exhausted or closed.
        """
        self.waited = 0.0
        indices = range(start, len(self))
        if self.augmentation is None and self.store.in_memory:
            # A copy of rows takes less time than handing it to a thread.
            for index in indices:
                yield self._waiting(partial(self.batch, epoch, index))
            return
        with ThreadPoolExecutor(self.threads, "striate-batches") as pool:
            yield from self._ahead(pool, epoch, indices)

    def _ahead(self, pool: ThreadPoolExecutor, epoch: int, indices: range) -> Iterator[Batch]:
        coming: deque[tuple[Batch, list[Future[None]]]] = deque()
        try:
            for index in indices:
                coming.append(self._begin(pool, epoch, index))
                if len(coming) > _AHEAD:
                    yield self._waiting(partial(_done, *coming.popleft()))
            while coming:
                yield self._waiting(partial(_done, *coming.popleft()))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _begin(
        self, pool: ThreadPoolExecutor, epoch: int, index: int
    ) -> tuple[Batch, list[Future[None]]]:
        batch = self._empty(epoch, index)
        parts = slices(len(batch.positions), self.threads)
        return batch, [pool.submit(self._fill, batch, epoch, part) for part in parts]

    def _waiting(self, get: Callable[[], Batch]) -> Batch:
        asked = perf_counter()
        batch = get()
        self.waited += perf_counter() - asked
        return batch

    def _empty(self, epoch: int, index: int) -> Batch:
        """Return a batch whose pictures are still to be written."""
        start = index * self.batch_size
        positions = self._order(epoch)[start : start + self.batch_size]
        if self._share is not None:
            positions = positions[self._share(len(positions))]
        shape, deferred = self.store.shape, None
        if self.augmentation is not None and self._defers:
            size = (shape.height, shape.width, shape.channels)
            draws = self._draws(epoch, positions)
            deferred = defer(self.augmentation, draws, size, shape.margin)
            shape = shape.wide
        sides = (shape.height, shape.width, shape.channels)
        return Batch(
            pictures_BHWC=np.empty((len(positions), *sides), np.uint8),
            targets=self.targets[positions],
            positions=positions,
            deferred=deferred,
            find_matrices=partial(self._matrices, epoch, positions),
        )

    def _fill(self, batch: Batch, epoch: int, part: slice) -> None:
        positions, out_BHWC = batch.positions[part], batch.pictures_BHWC[part]
        if batch.deferred is not None:
            out_BHWC[...] = self.store.take_wide(positions)
        elif self.augmentation is None:
            out_BHWC[...] = self.store.take(positions)
        else:
            views, draws = self.store.views(positions), self._draws(epoch, positions)
            augment_into(out_BHWC, views, self.augmentation, draws, self.store.shape.margin)

    def _draws(self, epoch: int, positions: Positions) -> Draws:
        return Draws(seed=self.seed, epoch=epoch, ids=self.ids[positions])

    def _matrices(self, epoch: int, positions: Positions) -> Floats:
        fitted = self.store.matrices[positions].astype(np.float64)
        if self.augmentation is None or not self.augmentation.moves:
            return fitted
        shape, draws = self.store.shape, self._draws(epoch, positions)
        moved = draw_matrices(self.augmentation, draws, shape.height, shape.width, shape.margin)
        return compose(moved, fitted)

    def _order(self, epoch: int) -> Positions:
        if not self.shuffle:
            return self.positions
        known = self._known
        if known is None or known[0] != epoch:
            known = (epoch, self.positions[order(self.seed, epoch, self.ids[self.positions])])
            self._known = known
        return known[1]


def _done(batch: Batch, parts: list[Future[None]]) -> Batch:
    for part in parts:
        part.result()
    return batch


def _area(store: Store) -> int:
    return store.shape.height * store.shape.width
