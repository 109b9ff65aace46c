"""The folder of kept stores: what lies there, and what is removed when it grows too large."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from striate.data._cache_index import read_index
from striate.data._cache_lock import Lock, hold
from striate.data._room import LOCK, cache_folder, sweep
from striate.data._words import readable

LIMIT = 20 << 30
"""Bytes that kept stores take together, but for those in use."""

INDEX = "index"
LOOKS = "looks"
HEADERS = "headers-"
FEATURES = "features-"
"""Files of a store beside its pixels; the last two begin a name."""

BACKBONES = "backbones"
"""Folder beside the stores: pretrained backbones that were made ready to run."""

_PREFIX = "pictures-"


@dataclass(frozen=True, kw_only=True)
class KeptStore:
    """One kept store.

    Attributes:
        path: its own folder in the cache.
        source: the folder of the picture files; "" where the index can't be read.
        pictures: how many files it knows.
        size: bytes it takes on the disk.
        used: seconds since 1970 at its last use.
    """

    path: Path
    source: str
    pictures: int
    size: int
    used: float


def store_path(below: Path, name: str) -> Path:
    """Return the folder of a kept store."""
    return below / f"{_PREFIX}{name}"


def use(path: Path) -> Lock | None:
    """Say that a store is used now and until the lock is released; None where it is being removed."""
    lock = hold(_lock_path(path), shared=True)
    if lock is not None:
        os.utime(lock.path)
    return lock


def kept_stores(cache: Path | None = None) -> list[KeptStore]:
    """Return all kept stores, the last used first; `cache` as in `striate.data.store`."""
    found = [_kept(path) for path in _folders(cache or cache_folder())]
    return sorted(found, key=lambda one: (-one.used, one.path.name))


def remove(path: Path) -> bool:
    """Remove a kept store; False where it is in use, or the system refuses."""
    try:
        lock = hold(_lock_path(path))
        if lock is None:
            return False
        # The index first: without it the rest counts for nothing.
        (path / INDEX).unlink(missing_ok=True)
    except OSError:
        return False
    shutil.rmtree(path, ignore_errors=True)
    lock.remove()
    return not path.exists()


def remove_all(cache: Path | None = None) -> tuple[list[KeptStore], list[KeptStore]]:
    """Remove every kept store, and what killed processes left; return (removed, still in use).

    Backbones go too.
    """
    below = cache or cache_folder()
    sweep(below)
    shutil.rmtree(below / BACKBONES, ignore_errors=True)
    removed: list[KeptStore] = []
    left: list[KeptStore] = []
    for one in kept_stores(below):
        (removed if remove(one.path) else left).append(one)
    return removed, left


def make_space(below: Path, size: int) -> None:
    """Make room for `size` bytes: remove what killed processes left, then whole stores.

    Stores go, the longest unused first, until all together stay within LIMIT and the disk has the
    space; those in use stay.
    """
    kept = {path: size_of(path) for path in _folders(below)}
    for path in list(kept):
        if not (path / INDEX).exists() and remove(path):
            del kept[path]
    total = sum(kept.values())
    for path in sorted(kept, key=_used):
        if total + size <= LIMIT and shutil.disk_usage(below).free >= size:
            break
        if remove(path):
            total -= kept[path]


def size_of(path: Path) -> int:
    """Return the bytes that the files of a folder take on the disk."""
    total = 0
    with suppress(FileNotFoundError):
        for file in path.iterdir():
            with suppress(FileNotFoundError):
                found = file.stat()
                # Blocks, where the system tells: claimed ones count, holes don't.
                total += getattr(found, "st_blocks", -(-found.st_size // 512)) * 512
    return total


def _kept(path: Path) -> KeptStore:
    index = read_index(path / INDEX)
    return KeptStore(
        path=path,
        source=readable(index.folder) if index else "",
        pictures=len(index.paths) if index else 0,
        size=size_of(path),
        used=_used(path),
    )


def _folders(below: Path) -> list[Path]:
    return [path for path in below.glob(f"{_PREFIX}*") if path.is_dir()]


def _used(path: Path) -> float:
    for one in (_lock_path(path), path):
        with suppress(FileNotFoundError):
            return one.stat().st_mtime
    return 0.0


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name + LOCK)
