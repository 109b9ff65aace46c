"""What is wrong with a source, before any training: headers and targets, nothing decoded."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from striate.data._cache_headers import recall_headers
from striate.data._check_names import telling_findings
from striate.data._check_sizes import size_findings
from striate.data._check_targets import target_findings
from striate.data._filling import Block
from striate.data._headers import read_headers
from striate.data._room import cache_folder
from striate.data._source import Audit, Finding, Progress, Source, Unreadable
from striate.data._words import count, some
from striate.errors import CheckError, SourceError
from striate.image import MAX_PIXELS

MOST_UNREADABLE = 0.2
"""Share of unreadable pictures up to which a run goes on without being told to."""


def check(
    source: Source,
    *,
    strict: bool = False,
    allow_unreadable: bool = False,
    max_pixels: int = MAX_PIXELS,
    threads: int = 2,
    progress: Progress | None = None,
    keep: bool = False,
    cache: Path | None = None,
) -> Audit:
    """Read the header of every picture and look over the targets.

    Args:
        source: the source; its pictures are not decoded.
        strict: stop at the first picture that can't be read, and at any other fault
            (`Finding.fault`).
        allow_unreadable: go on where more than a fifth of the pictures can't be read.
        max_pixels: pictures that declare more can't be read.
        threads: number of threads that read headers.
        progress: called with (pictures done, all pictures).
        keep: whether to take from the cache what is known of files that haven't changed, and to
            return what a store can keep (`Audit.headers`).
        cache: folder of the cache; None: STRIATE_CACHE, else the user's cache folder.

    Returns:
        Sizes, unreadable pictures by position, and findings.

    Raises:
        SourceError: no pictures, one class only, or parts with different classes.
        CheckError: too many unreadable pictures (`unreadable_limit`), or `strict` and a fault.
    """
    if not len(source):
        raise SourceError(f"The source {source.name} holds no pictures.")
    pictures, kept = source.pictures, None
    if isinstance(pictures, Block):
        sizes = np.tile(np.array(pictures.array.shape[1:], np.int32), (len(source), 1))
        unreadable: list[Unreadable] = []
        wrong: list[tuple[int, str]] = []
    else:
        if keep:
            kept = recall_headers(pictures, max_pixels, cache or cache_folder())
        sizes, unreadable, wrong = read_headers(
            pictures,
            strict=strict,
            max_pixels=max_pixels,
            threads=max(1, threads),
            progress=progress,
            kept=kept,
        )
    unreadable_limit(unreadable, len(source), strict=strict, allow=allow_unreadable)
    readable = np.ones(len(source), np.bool_)
    readable[[each.position for each in unreadable]] = False
    findings = (
        *unreadable_findings(unreadable),
        *_suffix_finding(source, wrong),
        *size_findings(source, sizes, readable),
        *target_findings(source, readable),
        *telling_findings(source, sizes, readable),
    )
    if strict:
        stop_at_faults(findings)
    return Audit(sizes=sizes, unreadable=tuple(unreadable), findings=findings, headers=kept)


def stop_at_faults(findings: Iterable[Finding]) -> None:
    """Raise CheckError where any finding is a fault; the first one's sentence is the letter."""
    faults = [finding.sentence for finding in findings if finding.fault]
    if not faults:
        return
    more = f" {count(len(faults) - 1, 'further fault')} beside it." if len(faults) > 1 else ""
    raise CheckError(
        f"{faults[0]}{more} --strict stops here; put it right (striate check lists all), leave "
        "pictures out by --exclude, or run without --strict."
    )


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


def unreadable_findings(unreadable: Sequence[Unreadable]) -> tuple[Finding, ...]:
    """Return one finding on all unreadable pictures, or none."""
    if not unreadable:
        return ()
    what = count(len(unreadable), "picture")
    sentence = f"{what} can't be read and will be left out: {_named(unreadable)}."
    positions = tuple(one.position for one in unreadable)
    return (Finding(kind="unreadable", sentence=sentence, positions=positions),)


def _named(unreadable: Iterable[Unreadable]) -> str:
    """Return names by reason, some of each, so that a common reason doesn't hide a rare one."""
    names: dict[str, list[str]] = {}
    for each in unreadable:
        names.setdefault(each.reason, []).append(each.name)
    return some((f"{some(same)} ({reason})" for reason, same in names.items()), 12)


def _suffix_finding(source: Source, wrong: Sequence[tuple[int, str]]) -> tuple[Finding, ...]:
    if not wrong:
        return ()
    named = some(f"{source.pictures.name(position)} ({form})" for position, form in wrong)
    return (
        Finding(
            kind="suffix",
            sentence=f"Read by content, because the suffix is wrong: {named}.",
            fault=False,
            positions=tuple(position for position, _ in wrong),
        ),
    )
