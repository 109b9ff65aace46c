"""What is odd about targets: classes with few pictures, parts that differ, torn groups."""

import numpy as np
import numpy.typing as npt

from striate.answer import Classification, MultiLabel, Regression
from striate.data._source import PARTS, TEST, TRAIN, UNDECIDED, VALIDATION, Source
from striate.data._words import count, some
from striate.errors import SourceError

_UNEVEN = 10


def target_warnings(source: Source, readable: npt.NDArray[np.bool_]) -> list[str]:
    """Return warnings about the targets of readable pictures (N,).

    Raises SourceError where there is only one class, or where classes differ between parts.
    """
    warnings = []
    answer = source.answer
    if isinstance(answer, Classification):
        warnings += _classes(source, answer.classes, readable)
    elif isinstance(answer, MultiLabel):
        warnings += _labels(source, answer.labels, readable)
    elif isinstance(answer, Regression):
        warnings += _numbers(source, answer.targets, readable)
    return warnings + _torn_groups(source, readable)


def _classes(
    source: Source, classes: tuple[str, ...], readable: npt.NDArray[np.bool_]
) -> list[str]:
    counts = np.bincount(source.targets[readable], minlength=len(classes))
    present = np.flatnonzero(counts)
    if len(present) == 1:
        lost = [name for name, number in zip(classes, counts, strict=True) if number == 0]
        if lost:
            raise SourceError(
                f"All pictures of {source.name} that can be read have the same class, "
                f"'{classes[present[0]]}'; none can be read of: {some(lost)}. Repair some of those."
            )
        raise SourceError(
            f"All pictures of {source.name} have the same class, '{classes[present[0]]}'. Expected "
            "two classes or more."
        )
    warnings = _different_classes(source, classes, readable)
    gone = [name for name, number in zip(classes, counts, strict=True) if number == 0]
    if gone:
        warnings.append(f"There is no readable picture of: {some(gone)}.")
    single = [name for name, number in zip(classes, counts, strict=True) if number == 1]
    if single:
        warnings.append(
            f"There is a single picture of: {some(single)}. It can't be both trained on and "
            "validated on; add pictures or remove the class."
        )
    largest, smallest = counts.argmax(), present[counts[present].argmin()]
    if counts[largest] >= _UNEVEN * counts[smallest]:
        warnings.append(
            f"The classes are uneven: {count(int(counts[largest]), 'picture')} of "
            f"'{classes[largest]}', {counts[smallest]:,} of '{classes[smallest]}'. Accuracy alone "
            "says little then; look at each class."
        )
    return warnings


def _different_classes(
    source: Source, classes: tuple[str, ...], readable: npt.NDArray[np.bool_]
) -> list[str]:
    """Return warnings on classes that are not in every given part; raise where that can't go on."""
    trained = readable & ((source.parts == TRAIN) | (source.parts == UNDECIDED))
    known = set(np.unique(source.targets[trained]).tolist())
    warnings = []
    for part in (VALIDATION, TEST):
        inside = set(np.unique(source.targets[readable & (source.parts == part)]).tolist())
        if not inside or not known:
            continue
        extra = [classes[number] for number in sorted(inside - known)]
        lacking = [classes[number] for number in sorted(known - inside)]
        if extra or (lacking and part == VALIDATION and source.kind == "folder"):
            raise SourceError(_difference(PARTS[part], extra, lacking))
        if lacking:
            warnings.append(f"The {PARTS[part]} part has no picture of: {some(lacking)}.")
    return warnings


def _difference(part: str, extra: list[str], lacking: list[str]) -> str:
    found = [f"only in {part}: {some(extra)}"] if extra else []
    found += [f"only in train: {some(lacking)}"] if lacking else []
    return (
        f"The classes of the train and {part} parts differ ({'; '.join(found)}). Expected the same "
        "classes in both; look for a name that is spelt in two ways."
    )


def _labels(source: Source, labels: tuple[str, ...], readable: npt.NDArray[np.bool_]) -> list[str]:
    share_K = source.targets[readable].mean(axis=0)
    never = [name for name, share in zip(labels, share_K, strict=True) if share == 0]
    always = [name for name, share in zip(labels, share_K, strict=True) if share == 1]
    warnings = [f"No picture has the label: {some(never)}."] if never else []
    return warnings + ([f"Every picture has the label: {some(always)}."] if always else [])


def _numbers(source: Source, names: tuple[str, ...], readable: npt.NDArray[np.bool_]) -> list[str]:
    numbers_NT = source.targets[readable]
    same = np.ptp(numbers_NT, axis=0) == 0
    constant = [
        f"{name} ({value:g})"
        for name, value, is_same in zip(names, numbers_NT[0], same, strict=True)
        if is_same
    ]
    return [f"The target is the same for every picture: {some(constant)}."] if constant else []


def _torn_groups(source: Source, readable: npt.NDArray[np.bool_]) -> list[str]:
    if source.groups is None:
        return []
    given = readable & (source.parts != UNDECIDED)
    pairs = np.unique(np.stack([source.groups[given], source.parts[given]]), axis=1)
    torn = len(pairs[0]) - len(np.unique(pairs[0]))
    if not torn:
        return []
    return [
        f"Groups that lie in more than one given part: {torn:,}. The figures of those parts will "
        "look better than they are."
    ]
