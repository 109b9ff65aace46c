"""Where a page may be written: in place of an older one of its kind, of nothing else."""

from pathlib import Path

from striate._files import write_file
from striate.errors import DiskError, UsageError

_HEAD = 2_000
"""Bytes at the start of a page within which its mark stands."""


def check_place(path: Path, kind: str) -> None:
    """Raise UsageError where something else than a page of this kind would be replaced.

    Args:
        path: the page to be.
        kind: the word that pages of `striate.report._page.page` carry as their generator.
    """
    mark = f'<meta name="generator" content="striate {kind}">'
    try:
        with path.open("rb") as file:
            ours = mark.encode() in file.read(_HEAD)
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(
            f"--out: expected a file for the page, but {path} can't be replaced "
            f"({error.strerror}). Choose another --out."
        ) from error
    if not ours:
        raise UsageError(
            f"--out: {path} exists and is no page of striate {kind}, so it was left as it is. "
            "Choose another --out."
        )


def write_page(path: Path, text: str, kind: str) -> None:
    """Write a page, and the folders above it.

    Raises:
        UsageError: another file would be replaced.
        DiskError: it can't be written.
    """
    check_place(path, kind)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(
            f"{path.parent}: can't be made ({error.strerror}). Choose another --out."
        ) from error
    write_file(path, text)
