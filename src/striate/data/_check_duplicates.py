"""What duplicates mean for a training: leaks, contradictions, pictures that count twice."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from striate.answer import Classification, Regression
from striate.data._duplicate import DuplicateGroup, Duplicates
from striate.data._source import Finding, Source, Split
from striate.data._words import some

Positions = npt.NDArray[np.int64]


def duplicate_findings(
    source: Source, duplicates: Duplicates, divided: Split
) -> tuple[Finding, ...]:
    """Return leaks between parts, pictures with two labels, and pictures that count twice."""
    leaks = duplicates.across_parts(divided)
    torn = _conflicts(source, duplicates)
    told = {id(group) for group in (*leaks, *torn)}
    rest = [group for group in duplicates.groups if id(group) not in told]
    return (*_leaks(leaks, divided), *_contradictions(source, torn), *_repeats(rest))


def parts_of(group: DuplicateGroup, divided: Split) -> list[str]:
    """Return the part of each picture of a group; "" for one that is in none."""
    parts = divided.parts()
    return [
        next((name for name, part in parts.items() if _holds(part, position)), "")
        for position in group.positions.tolist()
    ]


def _conflicts(source: Source, duplicates: Duplicates) -> tuple[DuplicateGroup, ...]:
    """Return groups whose targets differ; numbers differ where they are a tenth apart."""
    if not isinstance(source.answer, Regression):
        return duplicates.across_classes(source.targets)
    spread = np.ptp(source.targets, axis=0)
    return tuple(
        group
        for group in duplicates.groups
        if (np.ptp(source.targets[group.positions], axis=0) > 0.1 * spread).any()
    )


def _leaks(groups: Sequence[DuplicateGroup], divided: Split) -> Iterable[Finding]:
    if not groups:
        return
    named = (
        " = ".join(
            f"{name} ({part})" if part else name
            for name, part in zip(group.names, parts_of(group, divided), strict=True)
        )
        for group in groups
    )
    yield Finding(
        kind="leak",
        sentence=f"The same picture in more than one part, {_times(groups)}: {some(named)}. "
        "Figures of those parts will look better than they are.",
        positions=_all(groups),
    )


def _contradictions(source: Source, groups: Sequence[DuplicateGroup]) -> Iterable[Finding]:
    if not groups:
        return
    answer = source.answer
    named = (
        " = ".join(
            f"{name} ({answer.describe_target(source.targets[position])})"
            for name, position in zip(group.names, group.positions.tolist(), strict=True)
        )
        for group in groups
    )
    what = "two classes" if isinstance(answer, Classification) else "two targets"
    yield Finding(
        kind="contradiction",
        sentence=f"The same picture with {what}, {_times(groups)}: {some(named)}. At least one of "
        "each is wrong.",
        positions=_all(groups),
    )


def _repeats(groups: Sequence[DuplicateGroup]) -> Iterable[Finding]:
    if not groups:
        return
    named = (" = ".join(group.names) for group in groups)
    yield Finding(
        kind="repeat",
        sentence=f"The same picture more than once, {_times(groups)}: {some(named)}. It counts "
        "as often as it is there.",
        fault=False,
        positions=_all(groups),
    )


def _times(groups: Sequence[DuplicateGroup]) -> str:
    """Return how many groups there are, and of which kinds."""
    words = {"bytes": "equal files", "pixels": "equal pixels", "near": "nearly equal"}
    kinds = Counter(words[group.kind] for group in groups)
    total = "once" if len(groups) == 1 else f"{len(groups):,} times"
    return f"{total} ({', '.join(f'{number:,} {kind}' for kind, number in kinds.items())})"


def _all(groups: Iterable[DuplicateGroup]) -> tuple[int, ...]:
    return tuple(position for group in groups for position in group.positions.tolist())


def _holds(part: Positions, position: int) -> bool:
    place = int(np.searchsorted(part, position))
    return place < len(part) and int(part[place]) == position
