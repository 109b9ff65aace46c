"""Saves on a small ext4 file system that is ever fuller; needs root, mkfs.ext4 and a loop device."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import DiskError
from striate.training._checkpoints import Checkpoints, State

SIZE = 64 * 2**20
LEVELS = 50


def state(number: int) -> State:
    """Return 4 MiB that are a function of the number."""
    values = np.random.default_rng(number).integers(0, 256, 4 * 2**20, dtype=np.uint8)
    return State(tensors={"network/kernel": values}, tree={"step": number})


def number_of(found: State | None) -> int:
    assert found is not None
    number = found.tree["step"]
    expected = state(number).tensors["network/kernel"]
    assert np.array_equal(np.asarray(found.tensors["network/kernel"]), np.asarray(expected))
    return int(number)


@contextmanager
def small_disk() -> Iterator[Path]:
    """Mount a fresh ext4 of 64 MiB from a file."""
    with tempfile.TemporaryDirectory() as name:
        image, mounted = Path(name) / "image", Path(name) / "disk"
        mounted.mkdir()
        with image.open("wb") as file:
            file.truncate(SIZE)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
        subprocess.run(["mount", "-o", "loop", str(image), str(mounted)], check=True)
        try:
            yield mounted
        finally:
            subprocess.run(["umount", str(mounted)], check=True)


def fill(filler: Path, left: int) -> None:
    """Take all but `left` bytes of a disk, to the last block that it gives."""
    step = 2**20
    with filler.open("wb") as file:
        while step >= 4096:
            size = file.seek(0, os.SEEK_END)
            if shutil.disk_usage(filler.parent).free - step < left:
                step //= 2
                continue
            try:
                os.posix_fallocate(file.fileno(), size, step)
            except OSError:
                file.truncate(size)
                step //= 2


def level(disk: Path, left: int) -> dict[str, int]:
    """Fill the disk to leave `left` bytes, save, make room, save again."""
    folder = disk / "checkpoints"
    shutil.rmtree(folder, ignore_errors=True)
    checkpoints = Checkpoints(folder, tell=sys.exit)
    for number in (1, 2):
        checkpoints.save(state(number))
    filler = disk / "filler"
    fill(filler, left)
    refused = letters = 0
    try:
        checkpoints.save(state(3))
    except DiskError as error:
        refused = 1
        letters = "4,194," in str(error) and "No space left on device" in str(error)
    expected = 2 if refused else 3
    kept = number_of(Checkpoints(folder, tell=sys.exit).newest()) == expected
    left_over = len([one for one in folder.iterdir() if one.name.startswith(".")])
    filler.unlink()
    Checkpoints(folder, tell=sys.exit).save(state(4))
    again = number_of(Checkpoints(folder, tell=sys.exit).newest()) == 4
    return {
        "refused": refused,
        "with_a_letter": int(letters),
        "newest_whole": int(kept),
        "saved_after_making_room": int(again),
        "hidden_files_left": left_over,
    }


def main() -> dict[str, Any]:
    """Return how many of the fill levels went as they should."""
    with small_disk() as disk:
        # From nothing at all to enough for a whole generation.
        levels = [level(disk, left * 6 * 2**20 // LEVELS) for left in range(LEVELS)]
    return {"levels": LEVELS} | {key: sum(one[key] for one in levels) for key in levels[0]}
