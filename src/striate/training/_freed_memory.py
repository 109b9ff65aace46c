"""What one step frees is kept for the next, instead of going back to the system and coming anew.

The C library of Linux gives a large block back as soon as it is freed. Every step then gets its tensors
as new pages, which the system has to find, clear and map one by one: with EfficientNet-Lite0 at 256 px
this was more than half of a step's time (docs/training.md).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LARGE_PAGES = "THP_MEM_ALLOC_ENABLE"
"""PyTorch's variable: blocks of 2 MiB or more ask the system for large pages (Linux)."""

ROOM = 3
"""Memory is kept only where there is so many times what a training needs.

Blocks of many sizes leave gaps where they are kept: the peak rose by up to 45 %."""

# From malloc.h: parameters of mallopt, each with what keeps memory and what the library begins with.
_PARAMETERS = {"M_MMAP_MAX": (-4, 0, 65_536), "M_TRIM_THRESHOLD": (-1, -1, 128 << 10)}


def ask_for_large_pages() -> None:
    """Let PyTorch ask for large pages, unless the variable is set; before its first large tensor."""
    os.environ.setdefault(LARGE_PAGES, "1")


@contextmanager
def freed_memory_kept(needed: int) -> Iterator[bool]:
    """Keep what is freed in this process meanwhile, and give it back at the end.

    Yields whether it is: it takes glibc, and `ROOM` times the bytes that are `needed`.
    """
    library = ctypes.CDLL(None) if os.name == "posix" else None
    kept = hasattr(library, "gnu_get_libc_version") and free_memory() >= ROOM * needed
    if library is None or not kept:
        yield False
        return
    for parameter, value, _ in _PARAMETERS.values():
        library.mallopt(parameter, value)
    try:
        yield True
    finally:
        for parameter, _, value in _PARAMETERS.values():
            library.mallopt(parameter, value)
        library.malloc_trim(0)


def free_memory(root: Path = Path("/")) -> int:
    """Return the bytes that this process may still take: of the machine, and of its container.

    0 where it isn't known. `root` is the folder that has proc/ and sys/.
    """
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    available = found.get("MemAvailable")
    if available is None:
        return 0
    free = int(available.split()[0]) * 1024
    groups = root / "sys/fs/cgroup"
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        most = _number(groups / limit)
        if most is not None:
            free = min(free, most - (_number(groups / used) or 0))
    return max(0, free)


def _number(path: Path) -> int | None:
    """Return the number in a file; None where there is none, as in "max"."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
