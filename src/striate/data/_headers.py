"""Reading the headers of many pictures on several threads."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from striate.data._cache_headers import KeptHeaders
from striate.data._source import Pictures, Progress, Unreadable
from striate.errors import PictureError
from striate.image import FORMATS, MAX_SHRUNK, actual_format, wrong_suffix

_BLOCK = 256
_AT_ONCE = 32
"""Headers that a thread reads in one go: one by one, handing them over took longer than reading them."""


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
    kept: KeptHeaders | None = None,
) -> tuple[npt.NDArray[np.int32], list[Unreadable], list[tuple[int, str]]]:
    """Return sizes, unreadable pictures, and pictures whose suffix promises another format.

    Sizes are int32 (N, 3), zeros where unreadable. The last are positions with the true format.
    Where `strict`, reading ends soon after the first unreadable picture, and the rest are zeros too.
    What `kept` knows isn't read, and what is read is added to it.
    """
    total = len(pictures)
    sizes = np.zeros((total, 3), np.int32) if kept is None else kept.sizes
    formats = np.zeros(total, np.uint8) if kept is None else kept.hidden
    unread = np.flatnonzero(sizes[:, 0] == 0)
    unreadable: list[Unreadable] = []
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(unread), _BLOCK):
            positions = unread[start : start + _BLOCK].tolist()
            some = [positions[at : at + _AT_ONCE] for at in range(0, len(positions), _AT_ONCE)]
            found = pool.map(partial(_read_some, pictures, max_pixels), some)
            for position, header in zip(positions, chain.from_iterable(found), strict=True):
                if isinstance(header, Unreadable):
                    unreadable.append(header)
                    continue
                sizes[position] = header.size
                formats[position] = 1 + FORMATS.index(header.hidden) if header.hidden else 0
            if progress:
                progress(total - len(unread) + start + len(positions), total)
            if strict and unreadable:
                break
    hidden = [(at, FORMATS[formats[at] - 1]) for at in np.flatnonzero(formats).tolist()]
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


def _read_some(
    pictures: Pictures, max_pixels: int, positions: list[int]
) -> list[_Header | Unreadable]:
    return [_read(pictures, max_pixels, position) for position in positions]


def _read(pictures: Pictures, max_pixels: int, position: int) -> _Header | Unreadable:
    try:
        size = pictures.size(position)
        file = pictures.file(position)
        _refuse_large(size, file, pictures.name(position), max_pixels)
    except PictureError as error:
        name = pictures.name(position)
        return Unreadable(position=position, name=name, reason=error.reason)
    return _Header(size=size, hidden=wrong_suffix(file) if file else None)
