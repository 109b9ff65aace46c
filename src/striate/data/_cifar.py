"""CIFAR-10 and CIFAR-100 from their binary archives, read in memory; nothing is unpacked to disk.

A record is one byte per label (CIFAR-100: superclass, then class), then 3 × 32 × 32 bytes, channel
by channel.
"""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.data._tar import TarReader
from striate.errors import SourceError

_SIDE = 32
_PIXELS = 3 * _SIDE * _SIDE


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What an archive holds.

    Attributes:
        folder: the folder in which all members lie.
        train, test: members with records, in order.
        names: the member with a class name a line.
        labels: label bytes of a record; the last is the class.
        records: records of each member.
    """

    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    names: str
    labels: int
    records: dict[str, int]


_BATCHES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))

CIFAR10 = Layout(
    folder="cifar-10-batches-bin",
    train=_BATCHES,
    test=("test_batch.bin",),
    names="batches.meta.txt",
    labels=1,
    records=dict.fromkeys((*_BATCHES, "test_batch.bin"), 10_000),
)
CIFAR100 = Layout(
    folder="cifar-100-binary",
    train=("train.bin",),
    test=("test.bin",),
    names="fine_label_names.txt",
    labels=2,
    records={"train.bin": 50_000, "test.bin": 10_000},
)

_MOST_NAMES = 64 * 1024
_MOST_BESIDE = 16 * 2**20
"""Bytes that an archive may unpack to beside its records."""


@dataclass(frozen=True, kw_only=True)
class Cifar:
    """Pictures uint8 (N, 32, 32, 3) and class numbers int64 (N,) by part, and class names."""

    pictures: dict[str, npt.NDArray[np.uint8]]
    targets: dict[str, npt.NDArray[np.int64]]
    classes: tuple[str, ...]


def read_cifar(archive: Path, layout: Layout) -> Cifar:
    """Return what a binary archive of CIFAR holds; raise SourceError where it isn't one."""
    members = _members(archive, layout)
    classes = tuple(members[layout.names].decode("ascii", "replace").split())
    parts = {"train": layout.train, "test": layout.test}
    records = {
        part: np.concatenate([_records(members[name], layout) for name in names])
        for part, names in parts.items()
    }
    targets = {part: rows[:, layout.labels - 1].astype(np.int64) for part, rows in records.items()}
    if max(int(numbers.max()) for numbers in targets.values()) >= len(classes):
        raise SourceError(
            f"{archive} has labels beyond its {len(classes)} class names. It is damaged: download "
            "it again."
        )
    pictures = {part: _pictures(rows[:, layout.labels :]) for part, rows in records.items()}
    return Cifar(pictures=pictures, targets=targets, classes=classes)


def _records(data: bytearray, layout: Layout) -> npt.NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8).reshape(-1, layout.labels + _PIXELS)


def _pictures(planes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(planes.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1))


def _members(archive: Path, layout: Layout) -> dict[str, bytearray]:
    """Return the needed members, of the right size; other files are passed over."""
    sizes = {name: _expected(name, layout) for name in layout.records}
    found: dict[str, bytearray] = {}
    wanted = {f"{layout.folder}/{name}": name for name in (*sizes, layout.names)}
    try:
        with closing(TarReader(archive, sum(sizes.values()) + _MOST_BESIDE)) as tar:
            for member in tar.members():
                if name := wanted.get(member.name):
                    _check_size(archive, name, member.size, layout)
                    found[name] = tar.read(member)
    except OSError as error:
        raise SourceError(f"{archive} can't be read: {error.strerror or error}.") from None
    missing = [name for name in wanted.values() if name not in found]
    if missing:
        raise SourceError(
            f"{archive} holds no {layout.folder}/{missing[0]}. Expected CIFAR's binary version; "
            "the Python version holds pickles, which are never read."
        )
    return found


def _check_size(archive: Path, name: str, size: int, layout: Layout) -> None:
    if name == layout.names:
        if size > _MOST_NAMES:
            raise SourceError(f"{archive}: {name} has {size:,} bytes, too many for class names.")
    elif size != (expected := _expected(name, layout)):
        raise SourceError(f"{archive}: {name} has {size:,} bytes. Expected {expected:,}.")


def _expected(name: str, layout: Layout) -> int:
    return layout.records[name] * (layout.labels + _PIXELS)
