"""Finding picture files below a folder, in an order that no listing decides."""

import os
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from striate.errors import SourceError

_SYSTEM_FILES = frozenset(["__MACOSX", "Thumbs.db", "desktop.ini"])


@dataclass(frozen=True, kw_only=True)
class Found:
    """What lies below a folder.

    Attributes:
        pictures: paths relative to the folder, with "/", sorted by code point.
        others: how many files of each other suffix there are; hidden files aren't counted.
    """

    pictures: tuple[str, ...]
    others: Counter[str]


def suffix(name: str) -> str:
    """Return a file name's suffix in lower case, with its dot, or ""."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122


def is_picture(name: str) -> bool:
    """Return True where the suffix is one of a picture, HEIC and AVIF included.

    Those two can't be read; taken for pictures, they get a letter that says what would help.
    """
    from striate.image import SUFFIXES

    return suffix(name) in SUFFIXES or suffix(name) in (".heic", ".heif", ".hif", ".avif")


def entries(folder: Path | str) -> list[os.DirEntry[str]]:
    """Return what stands in a folder, sorted by name, without hidden and system files."""
    try:
        with os.scandir(folder) as listing:
            found = [
                entry
                for entry in listing
                if not entry.name.startswith(".") and entry.name not in _SYSTEM_FILES
            ]
    except OSError as error:
        raise SourceError(
            f"The folder {folder} can't be listed: {error.strerror}. Check its permissions."
        ) from None
    return sorted(found, key=lambda entry: entry.name)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return True for a folder or a link to one; a link in a circle is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def look_below(folder: Path) -> Found:
    """Return every picture below `folder`, however deep; links to folders are followed once."""
    pictures: list[str] = []
    folders: list[str] = []
    others: Counter[str] = Counter()
    for inside, entry in _files(folder):
        if is_folder(entry):
            folders.append(inside + entry.name)
        # A broken link that looks like a picture is reported as unreadable, not passed over.
        elif is_picture(entry.name) and (entry.is_symlink() or entry.is_file()):
            pictures.append(inside + entry.name)
        else:
            others[suffix(entry.name)] += 1
    return Found(pictures=tuple(sorted([*pictures, *_empty(folders, pictures)])), others=others)


def _empty(folders: list[str], pictures: list[str]) -> list[str]:
    """Return the folders without a picture below them."""
    return [one for one in folders if not any(each.startswith(f"{one}/") for each in pictures)]


def _files(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield (folder relative to the start with a trailing "/", or "", entry) of all files.

    Folders named like a picture ("x.png") are yielded too.

    Each real folder is visited once, and those above the start never: that ends loops of links,
    and no link upwards brings the pictures of other classes in. Real folders come before links,
    so that a picture reachable both ways keeps the path without the link.
    """
    waiting = deque([(str(folder), "")])
    links: deque[tuple[str, str]] = deque()
    visited = {_identity(above) for above in Path(os.path.abspath(folder)).parents}  # noqa: PTH100
    while waiting or links:
        path, inside = waiting.popleft() if waiting else links.popleft()
        if _identity(path) in visited:
            continue
        visited.add(_identity(path))
        for entry in entries(path):
            if is_folder(entry):
                queue = links if entry.is_symlink() else waiting
                queue.append((entry.path, f"{inside}{entry.name}/"))
                # A folder with a picture's name is one that can't be read, unless some lie in it.
                if is_picture(entry.name):
                    yield inside, entry
            else:
                yield inside, entry


def _identity(folder: Path | str) -> tuple[int, int]:
    status = os.stat(folder)  # noqa: PTH116
    return status.st_dev, status.st_ino
