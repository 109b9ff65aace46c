"""What a kept store depends on: settings, the folder of the pictures, and each file's stamp."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from striate.data._source import Pictures
from striate.image import Shape

FORMAT = 1
"""Version of the files that are kept, and of the rules from a picture file to pixels.

It must grow whenever the same file may give other pixels than before.
"""

DIGEST = 16
"""Bytes of a picture's digest."""

Digests = npt.NDArray[np.uint8]
Stamps = npt.NDArray[np.int64]

_RACY = 2_000_000_000  # nanoseconds: the coarsest clock of a file system in use, FAT's
_STAMP = 4
_LARGEST = (1 << 63) - 1


def settings_text(shape: Shape, max_pixels: int) -> str:
    """Return everything but the files that the stored pixels depend on, as JSON."""
    from PIL import __version__

    known = {"format": FORMAT, "pillow": __version__, "max_pixels": max_pixels}
    return json.dumps(known | {"shape": asdict(shape)}, sort_keys=True)


def store_name(settings: str, folder: Path) -> str:
    """Return the name of the kept store for these settings and this folder of pictures."""
    whole = f"{settings}\n{folder}".encode("utf-8", "surrogateescape")
    return sha256(whole).hexdigest()[: 2 * DIGEST]


def digest(data: bytes) -> bytes:
    """Return the first 16 bytes of the SHA-256 of a file's bytes."""
    return sha256(data).digest()[:DIGEST]


def array_digests(pictures_NHWC: npt.NDArray[np.uint8]) -> Digests:
    """Return the digest of each picture's pixels, row by row: uint8 (N, 16)."""
    joined = b"".join(digest(picture.tobytes()) for picture in pictures_NHWC)
    return np.frombuffer(joined, np.uint8).reshape(-1, DIGEST)


@runtime_checkable
class InFiles(Protocol):
    """Pictures that all lie in files."""

    def path(self, position: int) -> str: ...


def paths_of(pictures: Pictures, positions: npt.NDArray[np.int64]) -> list[str] | None:
    """Return the absolute paths of the pictures' files; None where not all lie in files."""
    here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118
    if isinstance(pictures, InFiles):
        # Path would make up most of the time that opening a kept store takes.
        found = [pictures.path(position) for position in positions.tolist()]
    else:
        files = [pictures.file(position) for position in positions.tolist()]
        found = [str(file) for file in files if file is not None]
        if len(found) < len(files):
            return None
    return [one if one[:1] == "/" else os.path.join(here, one) for one in found]  # noqa: PTH118


def common_folder(files: Sequence[str]) -> Path:
    """Return the deepest folder that all files, by absolute paths, are below."""
    return Path(os.path.commonpath({os.path.dirname(one) for one in files}))  # noqa: PTH120


def stamps(files: Sequence[str]) -> Stamps:
    """Return what tells a changed file without reading it: int64 (N, 4).

    Size, times of the last change of content and of inode in nanoseconds, and inode. Zeros where
    there is no file to look at, and where the file is so fresh that a change after this moment
    could leave all four as they are (git calls such files "racily clean").
    """
    found = np.zeros((len(files), _STAMP), np.int64)
    fresh = time.time_ns() - _RACY
    for row, file in enumerate(files):
        try:
            at = os.stat(file)  # noqa: PTH116 - twice as fast as Path.stat
        except OSError:
            continue
        if at.st_mtime_ns < fresh and at.st_ctime_ns < fresh:
            found[row] = (at.st_size, at.st_mtime_ns, at.st_ctime_ns, at.st_ino & _LARGEST)
    return found
