"""What is wrong with a source, before any training."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from striate.data._array_pictures import ArrayPictures
from striate.data._check_targets import target_warnings
from striate.data._headers import read_headers
from striate.data._source import Audit, Progress, Source, Unreadable
from striate.data._words import count, some
from striate.errors import CheckError, SourceError

MOST_UNREADABLE = 0.2
"""Share of unreadable pictures up to which a run goes on without being told to."""

_SMALL = 8


def check(
    source: Source,
    *,
    strict: bool = False,
    allow_unreadable: bool = False,
    threads: int = 2,
    progress: Progress | None = None,
) -> Audit:
    """Read the header of every picture and look over the targets.

    Args:
        source: the source; its pictures are not decoded.
        strict: stop at the first picture that can't be read.
        allow_unreadable: go on where more than a fifth of the pictures can't be read.
        threads: number of threads that read headers.
        progress: called with (pictures done, all pictures).

    Returns:
        Sizes, unreadable pictures by position, and warnings.

    Raises:
        SourceError: no pictures, one class only, or parts with different classes.
        CheckError: too many unreadable pictures; see `unreadable_limit`.
    """
    if not len(source):
        raise SourceError(f"The source {source.name} holds no pictures.")
    pictures = source.pictures
    if isinstance(pictures, ArrayPictures):
        sizes = np.tile(np.array(pictures.array.shape[1:], np.int32), (len(source), 1))
        unreadable: list[Unreadable] = []
        wrong: list[str] = []
    else:
        sizes, unreadable, wrong = read_headers(
            pictures, strict=strict, threads=max(1, threads), progress=progress
        )
    unreadable_limit(unreadable, len(source), strict=strict, allow=allow_unreadable)
    readable = np.ones(len(source), np.bool_)
    readable[[each.position for each in unreadable]] = False
    warnings = [
        *_unreadable_warning(unreadable),
        *_suffix_warning(wrong),
        *_small_warning(source, sizes, readable),
        *target_warnings(source, readable),
    ]
    return Audit(sizes=sizes, unreadable=tuple(unreadable), warnings=tuple(warnings))


def unreadable_limit(
    unreadable: Sequence[Unreadable], total: int, *, strict: bool, allow: bool
) -> None:
    """Raise CheckError where unreadable pictures should stop the run.

    That is the first one where `strict`; more than a fifth of `total`, unless `allow`; and all.
    """
    if not unreadable:
        return
    if strict:
        first = unreadable[0]
        raise CheckError(
            f"{first.name} can't be read: {first.reason}. Repair or remove it; without --strict "
            "it would be left out."
        )
    if len(unreadable) == total:
        raise CheckError(f"None of the {total:,} pictures can be read: {_named(unreadable)}.")
    share = len(unreadable) / total
    if share > MOST_UNREADABLE and not allow:
        raise CheckError(
            f"{len(unreadable):,} of {total:,} pictures can't be read ({share:.0%}, more than "
            f"{MOST_UNREADABLE:.0%}): {_named(unreadable)}. Repair or remove them, or go on "
            "without them by --allow-unreadable."
        )


def _named(unreadable: Iterable[Unreadable]) -> str:
    """Return names by reason, some of each, so that a common reason doesn't hide a rare one."""
    names: dict[str, list[str]] = {}
    for each in unreadable:
        names.setdefault(each.reason, []).append(each.name)
    return some((f"{some(same)} ({reason})" for reason, same in names.items()), 12)


def _unreadable_warning(unreadable: Sequence[Unreadable]) -> list[str]:
    if not unreadable:
        return []
    what = count(len(unreadable), "picture")
    return [f"{what} can't be read and will be left out: {_named(unreadable)}."]


def _suffix_warning(wrong: Sequence[str]) -> list[str]:
    if not wrong:
        return []
    return [f"Read by content, because the suffix is wrong: {some(wrong)}."]


def _small_warning(
    source: Source, sizes: npt.NDArray[np.int32], readable: npt.NDArray[np.bool_]
) -> list[str]:
    small = np.flatnonzero(readable & (sizes[:, :2].min(axis=1) < _SMALL))
    if not len(small):
        return []
    height, width, _ = sizes[small[0]]
    return [
        f"{count(len(small), 'picture')} with a side under {_SMALL} pixels: the first is "
        f"{source.pictures.name(int(small[0]))}, {height} × {width}."
    ]
