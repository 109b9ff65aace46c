"""Running a network over stored pictures, batch by batch."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from striate.answer import Answer
from striate.errors import SourceError
from striate.image import Shape

Answers = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]


class Network(Protocol):
    """What is needed of `striate.model.Predictor`."""

    @property
    def answer(self) -> Answer:
        """The task, with its names."""
        ...

    @property
    def shape(self) -> Shape:
        """The size that pictures must be brought to."""
        ...

    @property
    def max_pixels(self) -> int:
        """Pixels that a picture file may declare."""
        ...

    def run(self, pictures_NHWC: npt.NDArray[np.uint8], /) -> tuple[Answers, Answers]:
        """Return logits (N, K') and answer (N, K)."""
        ...


class Stored(Protocol):
    """Pictures that are brought to the network's size already: `striate.data.Store` is one."""

    def take(self, positions: npt.NDArray[np.int64], /) -> npt.NDArray[Any]:
        """Return the pictures at `positions`, uint8 (N, H, W, C)."""
        ...


def answers(
    predictor: Network,
    pictures: Stored,
    positions: npt.NDArray[np.int64],
    *,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> tuple[Answers, Answers]:
    """Return (logits (N, K'), answer (N, K)) of the pictures at `positions`, float32, in order.

    `progress` is told (pictures done, pictures in all) after each batch.

    Raises SourceError when there are no positions.
    """
    total = len(positions)
    if total == 0:
        raise SourceError("There are no pictures to answer: the part is empty.")
    found = []
    for start in range(0, total, batch_size):
        found.append(predictor.run(pictures.take(positions[start : start + batch_size])))
        if progress:
            progress(min(start + batch_size, total), total)
    logits, answer = zip(*found)
    return np.concatenate(logits), np.concatenate(answer)
