"""Where a page may be written: in place of an older one of its kind, of nothing else."""

from pathlib import Path

from striate._files import refuse_foreign, write_file
from striate.errors import DiskError


def check_place(path: Path, kind: str) -> None:
    """Raise UsageError where something else than a page of this kind would be replaced.

    Args:
        path: the page to be.
        kind: the word that pages of `striate.report._page.page` carry as their generator.
    """
    mark = f'<meta name="generator" content="striate {kind}">'
    refuse_foreign(path, mark=mark, option="--out", what=f"page of striate {kind}")


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
