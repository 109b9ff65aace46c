"""Reading the headers of many pictures on several threads."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.data._source import Pictures, Progress, Unreadable
from striate.errors import PictureError
from striate.image import MAX_SHRUNK, actual_format, wrong_suffix

_BLOCK = 256


@dataclass(frozen=True, kw_only=True)
class _Header:
    """One picture's height, width and channels, and the format that its suffix hides."""

    size: tuple[int, int, int]
    hidden: str | None


def read_headers(
    pictures: Pictures,
    *,
    strict: bool,
    max_pixels: int,
    threads: int,
    progress: Progress | None,
) -> tuple[npt.NDArray[np.int32], list[Unreadable], list[tuple[int, str]]]:
    """Return sizes, unreadable pictures, and pictures whose suffix promises another format.

    Sizes are int32 (N, 3), zeros where unreadable. The last are positions with the true format.
    Where `strict`, reading ends soon after the first unreadable picture, and the rest are zeros too.
    """
    total = len(pictures)
    sizes = np.zeros((total, 3), np.int32)
    unreadable: list[Unreadable] = []
    hidden: list[tuple[int, str]] = []
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, total, _BLOCK):
            positions = range(start, min(start + _BLOCK, total))
            found = pool.map(partial(_read, pictures, max_pixels), positions)
            for position, header in zip(positions, found, strict=True):
                if isinstance(header, Unreadable):
                    unreadable.append(header)
                    continue
                sizes[position] = header.size
                if header.hidden:
                    hidden.append((position, header.hidden))
            if progress:
                progress(positions[-1] + 1, total)
            if strict and unreadable:
                break
    return sizes, unreadable, hidden


def _refuse_large(
    size: tuple[int, int, int], file: Path | None, name: str, max_pixels: int
) -> None:
    """Raise what decoding would raise, before its size decides on anything.

    A JPEG may be larger where it is decoded smaller; that is known only when it is loaded.
    """
    height, width, _ = size
    limit = max_pixels
    if height * width > limit and file and actual_format(file) == "JPEG":
        limit = max(limit, MAX_SHRUNK)
    if file and height * width > limit:
        raise PictureError(
            name, f"{width} × {height} pixels, more than the limit of {limit:,} pixels"
        )


def _read(pictures: Pictures, max_pixels: int, position: int) -> _Header | Unreadable:
    try:
        size = pictures.size(position)
        _refuse_large(size, pictures.file(position), pictures.name(position), max_pixels)
    except PictureError as error:
        name = pictures.name(position)
        return Unreadable(position=position, name=name, reason=error.reason)
    file = pictures.file(position)
    return _Header(size=size, hidden=wrong_suffix(file) if file else None)
