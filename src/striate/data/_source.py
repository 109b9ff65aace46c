"""What a source is: samples and targets, nothing decoded. See `open_source`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from striate.answer import Answer
from striate.data._deferred import Deferred
from striate.image import MAX_PIXELS, Fitted, Shape

if TYPE_CHECKING:
    from striate.data._cache_headers import KeptHeaders

TRAIN, VALIDATION, TEST = 0, 1, 2
PARTS = ("train", "validation", "test")
UNDECIDED = -1


class Pictures(Protocol):
    """A sequence of pictures that are not decoded before they are asked for."""

    def __len__(self) -> int: ...

    def name(self, position: int) -> str:
        """Return the picture's name as the user knows it: a path relative to the source, or "row 17"."""
        ...

    def size(self, position: int) -> tuple[int, int, int]:
        """Return (height, width, channels) from the header, upright; raise PictureError."""
        ...

    def read(self, position: int, channels: int | None = None) -> npt.NDArray[np.uint8]:
        """Return the picture, uint8 (H, W, C), upright; C is `channels` (1 or 3) or the file's own.

        Raises PictureError. Safe to call from several threads.
        """
        ...

    def load(self, position: int, shape: Shape, max_pixels: int = MAX_PIXELS) -> Fitted:
        """Return the picture brought to a size, as prediction does (`striate.image.load`).

        Raises PictureError. Safe to call from several threads.
        """
        ...

    def file(self, position: int) -> Path | None:
        """Return the picture's file, or None where it comes from an array."""
        ...


@dataclass(frozen=True, kw_only=True)
class Source:
    """Samples and targets of one task; pictures are decoded only when asked for.

    Attributes:
        name: short name for the run folder and messages ("digits", the folder's name).
        kind: "folder", "table", "arrays", "idx" or "named".
        pictures: N pictures.
        ids: (N,) uint64, the sample's identity for split, order and augmentation: the hash of its
            path relative to the source (NFC, "/"), or of its row number in tables and arrays.
        answer: the task, with its class, label or target names.
        targets: first axis N; int64 (N,) class numbers, float32 (N, K) labels 0/1, or float64
            (N, T) numbers.
        parts: (N,) int8, the part each sample was given by the source: UNDECIDED, TRAIN,
            VALIDATION or TEST.
        groups: (N,) int64 group numbers that no split may tear apart, or None.
        reason: why this task was chosen, in one sentence, with how to choose another.
        notes: warnings for the user, found while opening.
        licence, citation: of named data sets, else "".
        orientation_matters: True for digits and letters, whose labels flips and large rotations change:
            where every class is called by one letter or a number, and for named data sets that are.
    """

    name: str
    kind: str
    pictures: Pictures
    ids: npt.NDArray[np.uint64]
    answer: Answer
    targets: npt.NDArray[Any]
    parts: npt.NDArray[np.int8]
    groups: npt.NDArray[np.int64] | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()
    licence: str = ""
    citation: str = ""
    orientation_matters: bool = False

    def __len__(self) -> int:
        return len(self.pictures)


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A picture that was left out, and why."""

    position: int
    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that `check` found.

    Attributes:
        kind: what it is, in one word for programs (docs/check.md lists them).
        sentence: the same for people, with figures and names.
        fault: True for what is wrong with files or labels and can be put right: `--strict` stops
            at it. False for what is odd, but may well be so.
        positions: the pictures it is about, all of them; () where it is about the whole source.
    """

    kind: str
    sentence: str
    fault: bool = True
    positions: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What `check` found, before any training.

    Attributes:
        sizes: (N, 3) int32 height, width, channels from the headers; zeros where unreadable.
        unreadable: pictures that can't be read, by position.
        findings: everything odd.
        headers: what of the headers can be kept with a store; None: nothing.
    """

    sizes: npt.NDArray[np.int32]
    unreadable: tuple[Unreadable, ...] = ()
    findings: tuple[Finding, ...] = ()
    headers: "KeptHeaders | None" = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """The sentences of all findings."""
        return tuple(finding.sentence for finding in self.findings)


@dataclass(frozen=True, kw_only=True)
class Split:
    """Positions of each part in the source, int64, ascending; unreadable pictures are in none."""

    train: npt.NDArray[np.int64]
    validation: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]
    reason: str = ""

    def parts(self) -> dict[str, npt.NDArray[np.int64]]:
        """Return the parts that hold anything, by name, in the order train, validation, test."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: positions for name, positions in named.items() if len(positions)}


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One batch as the network's input stage takes it; axis names in striate.answer._base.

    Attributes:
        pictures_BHWC: uint8, augmented where the part is trained on; with their margins and not
            augmented where `deferred` is given.
        targets: first axis B.
        positions: (B,) int64 positions in the source.
        deferred: what `striate.training._warp` must still do to the pictures; None: nothing.
        find_matrices: works `matrices` out.
    """

    pictures_BHWC: npt.NDArray[np.uint8]
    targets: npt.NDArray[Any]
    positions: npt.NDArray[np.int64]
    deferred: Deferred | None = None
    find_matrices: Callable[[], npt.NDArray[np.float64]] | None = None

    @cached_property
    def matrices(self) -> npt.NDArray[np.float64]:
        """(B, 2, 3): (x, y, 1) in the upright file → (x, y) in the batch's augmented picture.

        Whole numbers are the centres of pixels. Masks and boxes go through it. Worked out when it
        is first asked for; a batch that was made by hand has the identity.
        """
        if self.find_matrices is None:
            return np.tile(np.eye(2, 3), (len(self.positions), 1, 1))
        return self.find_matrices()


Progress = Callable[[int, int], None]
"""Called with (done, total) now and then; must be cheap."""


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """How to read a source; every field is an option of `striate train` (docs/data.md).

    Attributes:
        images: folder in which a table's pictures are looked for.
        target: columns of a table that are targets; () means all numeric columns, or the label.
        group: column whose values are kept together by the split.
        split: a column's name, or {"train": file, "validation": file, "test": file}; None: random.
        task: "classification", "multi-label" or "regression"; None: found from the data.
        data_folder: where named data sets lie; None: STRIATE_DATA, then the user's cache.
        download: whether a missing named data set may be fetched.
    """

    images: Path | None = None
    target: tuple[str, ...] = ()
    group: str | None = None
    split: str | dict[str, Path] | None = None
    task: str | None = None
    data_folder: Path | None = None
    download: bool = True
    seed: int = field(default=0)
