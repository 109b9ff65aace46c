"""CIFAR-10 and CIFAR-100 from their binary archives, read in memory; nothing is unpacked to disk.

A record is one byte per label (CIFAR-100: superclass, then class), then 3 × 32 × 32 bytes, channel
by channel.
"""

import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

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


def _records(data: bytes, layout: Layout) -> npt.NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8).reshape(-1, layout.labels + _PIXELS)


def _pictures(planes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(planes.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1))


def _members(archive: Path, layout: Layout) -> dict[str, bytes]:
    """Return the needed members: regular files of the right size; all others are passed over."""
    found: dict[str, bytes] = {}
    wanted = {f"{layout.folder}/{name}": name for name in (*layout.records, layout.names)}
    try:
        with tarfile.open(archive, "r|gz") as tar:
            for member in tar:
                name = wanted.get(member.name.removeprefix("./"))
                file = tar.extractfile(member) if name and member.isreg() else None
                if name and file:
                    found[name] = file.read(_checked_size(archive, name, member.size, layout))
                    if len(found) == len(wanted):
                        break
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise SourceError(f"{archive} is not a whole .tar.gz archive: {error}.") from None
    missing = [name for name in wanted.values() if name not in found]
    if missing:
        raise SourceError(
            f"{archive} holds no {layout.folder}/{missing[0]}. Expected CIFAR's binary version; "
            "the Python version holds pickles, which are never read."
        )
    return found


def _checked_size(archive: Path, name: str, size: int, layout: Layout) -> int:
    if name == layout.names:
        if size > _MOST_NAMES:
            raise SourceError(f"{archive}: {name} has {size:,} bytes, too many for class names.")
        return size
    expected = layout.records[name] * (layout.labels + _PIXELS)
    if size != expected:
        raise SourceError(f"{archive}: {name} has {size:,} bytes. Expected {expected:,}.")
    return size
