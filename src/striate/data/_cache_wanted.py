"""What is asked of a store, and what it answers with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.data._cache_key import Digests
from striate.data._filling import Positions
from striate.data._room import Room
from striate.data._source import Pictures, Progress, Unreadable
from striate.image import Shape


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The pictures that are asked for.

    Attributes:
        pictures: N pictures.
        positions: (P,) those to be read, ascending.
        shape, max_pixels, threads, progress: as in `striate.data.store`.
        announce: called with the bytes that are about to be taken on the disk, and with what
            becomes of them afterwards, in words.
    """

    pictures: Pictures
    positions: Positions
    shape: Shape
    max_pixels: int
    threads: int
    progress: Progress | None
    announce: Callable[[int, str], None]


@dataclass(frozen=True, kw_only=True)
class Stored:
    """Pixels, and what is known of N positions.

    Attributes:
        room: R rows of pixels.
        rows: (N,) int32 row of each position, -1 without a picture; None: the position itself.
        matrices, digests, unreadable: as in `Store`; digests may be made on demand.
        notes: names of pictures by what is odd about them.
        folder: that of a kept store; None where nothing is kept.
    """

    room: Room
    rows: npt.NDArray[np.int32] | None
    matrices: npt.NDArray[np.float32]
    digests: Digests | Callable[[], Digests]
    unreadable: Sequence[Unreadable]
    notes: Mapping[str, Sequence[str]]
    folder: Path | None = None
