"""A store for trying things out: a few pictures decoded, every position answered by one of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import numpy.typing as npt

from striate.data import Source, Store, find_duplicates, order, pixel_findings
from striate.data._cache_folder import INDEX, store_path
from striate.data._cache_key import DIGEST, common_folder, paths_of, settings_text, store_name
from striate.data._filling import Block
from striate.data._room import Room, cache_folder
from striate.errors import PictureError, SourceError
from striate.flow._check import BEFORE_TRAINING
from striate.image import Fitted, Shape
from striate.training import Settings

SAMPLE = 64
"""Pictures decoded for each size."""

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A few decoded pictures that stand for all, and what decoding took.

    Attributes:
        store: has a picture for every position of the source: one of the few.
        pictures: how many were decoded.
        decoding: seconds for one picture on `threads` threads; 0.0 where nothing is decoded.
        loading: seconds for one picture on one thread.
        comparing: seconds in which one picture is looked at for faults and duplicates.
        kept: whether an earlier run has left decoded pictures, so that nothing is decoded.
    """

    store: Store
    pictures: int
    decoding: float
    loading: float
    comparing: float
    kept: bool


def take_sample(
    source: Source, readable: Positions, shape: Shape, settings: Settings, *, seed: int
) -> Sample:
    """Decode `SAMPLE` pictures, chosen by hash of the seed, and time it.

    Raises SourceError where none of them can be decoded.
    """
    threads = settings.training.threads or 1
    some = readable[order(seed, 0, source.ids[readable])[:SAMPLE]]
    fitted, alone, together = _loaded(source, some, shape, settings, threads)
    there = np.array(sorted(fitted), np.int64)
    stored = _stretched(len(source), [fitted[at] for at in there.tolist()], there, shape)
    begun = perf_counter()
    find_duplicates(stored, source, there, threads=threads, largest=BEFORE_TRAINING)
    pixel_findings(source, stored, there)
    compared = perf_counter() - begun
    kept = settings.data.cache and _is_kept(source, readable, shape, settings)
    nothing = kept or _as_it_is(source, shape)
    return Sample(
        store=stored,
        pictures=len(there),
        decoding=0.0 if nothing else together / len(some),
        loading=alone,
        comparing=compared / len(there),
        kept=kept,
    )


def _loaded(
    source: Source, some: Positions, shape: Shape, settings: Settings, threads: int
) -> tuple[dict[int, Fitted], float, float]:
    """Return pictures by position, seconds for one by itself, and seconds for all on the threads."""
    fitted: dict[int, Fitted] = {}

    def load(position: int) -> bool:
        try:
            fitted[position] = source.pictures.load(position, shape.wide, settings.data.max_pixels)
        except PictureError:
            # Training leaves it out as well; `striate check` says why.
            return False
        return True

    load(int(some[0]))  # imports what reads this format
    alone = _seconds(lambda: [load(at) for at in some[: 1 + SAMPLE // 8].tolist()])
    with ThreadPoolExecutor(threads, "striate-plan") as pool:
        together = _seconds(lambda: list(pool.map(load, some.tolist())))
    if not fitted:
        raise SourceError(
            f"{source.name}: none of {len(some)} pictures tried can be decoded. striate check tells "
            "why."
        )
    return fitted, alone / len(some[: 1 + SAMPLE // 8]), together


def _seconds(work: Callable[[], object]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun


def _stretched(count: int, fitted: list[Fitted], there: Positions, shape: Shape) -> Store:
    """Return a store of `count` positions; those that were decoded have their own picture."""
    rows = np.resize(np.arange(len(fitted), dtype=np.int32), count)
    rows[there] = np.arange(len(fitted), dtype=np.int32)
    matrices = np.stack([one.matrix for one in fitted]).astype(np.float32)
    # A digest of its own for every position: repeated pictures aren't to count as duplicates.
    digests = np.zeros((count, DIGEST // 8), np.uint64)
    digests[:, 0] = np.arange(count)
    return Store(
        Room(np.stack([one.picture_HWC for one in fitted])),
        shape=shape,
        matrices=matrices[rows],
        rows=rows,
        digests=digests.view(np.uint8),
    )


def _as_it_is(source: Source, shape: Shape) -> bool:
    """Whether the pictures already lie in an array of the right shape."""
    pictures = source.pictures
    return isinstance(pictures, Block) and pictures.array.shape[1:] == (
        shape.wide.height,
        shape.wide.width,
        shape.channels,
    )


def _is_kept(source: Source, readable: Positions, shape: Shape, settings: Settings) -> bool:
    """Whether the cache holds these pictures; what changed since is not looked for."""
    files = paths_of(source.pictures, readable)
    if not files:
        return False
    text = settings_text(shape, settings.data.max_pixels)
    return (store_path(cache_folder(), store_name(text, common_folder(files))) / INDEX).exists()
