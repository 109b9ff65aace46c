"""What is odd about targets: classes with few pictures, parts that differ, torn groups."""

import numpy as np
import numpy.typing as npt

from striate.answer import Classification, MultiLabel, Regression
from striate.data._source import PARTS, TEST, TRAIN, UNDECIDED, VALIDATION, Finding, Source
from striate.data._words import count, some
from striate.errors import SourceError

Mask = npt.NDArray[np.bool_]

_UNEVEN = 10
_TINY = 10


def target_findings(source: Source, readable: Mask) -> tuple[Finding, ...]:
    """Return what is odd about the targets of readable pictures (N,).

    Raises SourceError where there is only one class, or where classes differ between parts.
    """
    findings: list[Finding] = []
    answer = source.answer
    if isinstance(answer, Classification):
        findings += _classes(source, answer.classes, readable)
    elif isinstance(answer, MultiLabel):
        findings += _labels(source, answer.labels, readable)
    elif isinstance(answer, Regression):
        findings += _numbers(source, answer.targets, readable)
    return (*findings, *_torn_groups(source, readable))


def _classes(source: Source, classes: tuple[str, ...], readable: Mask) -> list[Finding]:
    counts = np.bincount(source.targets[readable], minlength=len(classes))
    _refuse_single(source, classes, counts)
    findings = _different_classes(source, classes, readable)
    named = list(zip(classes, counts.tolist(), strict=True))
    gone = [name for name, number in named if number == 0]
    if gone:
        sentence = f"There is no readable picture of: {some(gone)}."
        findings.append(Finding(kind="class-gone", sentence=sentence))
    single = [name for name, number in named if number == 1]
    if single:
        sentence = (
            f"There is a single picture of: {some(single)}. It can't be both trained on and "
            "validated on; add pictures or remove the class."
        )
        findings.append(Finding(kind="class-single", sentence=sentence))
    return findings + _tiny(named) + _uneven(classes, counts)


def _refuse_single(source: Source, classes: tuple[str, ...], counts: npt.NDArray[np.int64]) -> None:
    present = np.flatnonzero(counts)
    if len(present) > 1:
        return
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


def _tiny(named: list[tuple[str, int]]) -> list[Finding]:
    """Return a finding on classes that are small where others aren't."""
    tiny = [f"{name} ({number})" for name, number in named if 1 < number < _TINY]
    if not tiny or max(number for _, number in named) < _TINY:
        return []
    sentence = (
        f"Classes with fewer than {_TINY} pictures: {some(tiny)}. There is little to learn them "
        "from, and their figures will be uncertain."
    )
    return [Finding(kind="class-tiny", sentence=sentence, fault=False)]


def _uneven(classes: tuple[str, ...], counts: npt.NDArray[np.int64]) -> list[Finding]:
    present = np.flatnonzero(counts)
    largest, smallest = counts.argmax(), present[counts[present].argmin()]
    if counts[largest] < _UNEVEN * counts[smallest]:
        return []
    sentence = (
        f"The classes are uneven, {counts[largest] / counts[smallest]:.0f} to 1: "
        f"{count(int(counts[largest]), 'picture')} of '{classes[largest]}', "
        f"{counts[smallest]:,} of '{classes[smallest]}'. Accuracy alone says little then; look at "
        "each class."
    )
    return [Finding(kind="uneven", sentence=sentence, fault=False)]


def _different_classes(source: Source, classes: tuple[str, ...], readable: Mask) -> list[Finding]:
    """Return classes that are not in every given part; raise where that can't go on."""
    trained = readable & ((source.parts == TRAIN) | (source.parts == UNDECIDED))
    known = set(np.unique(source.targets[trained]).tolist())
    findings = []
    for part in (VALIDATION, TEST):
        inside = set(np.unique(source.targets[readable & (source.parts == part)]).tolist())
        if not inside or not known:
            continue
        extra = [classes[number] for number in sorted(inside - known)]
        lacking = [classes[number] for number in sorted(known - inside)]
        if extra or (lacking and part == VALIDATION and source.kind == "folder"):
            raise SourceError(_difference(PARTS[part], extra, lacking))
        if lacking:
            sentence = f"The {PARTS[part]} part has no picture of: {some(lacking)}."
            findings.append(Finding(kind="class-missing", sentence=sentence))
    return findings


def _difference(part: str, extra: list[str], lacking: list[str]) -> str:
    found = [f"only in {part}: {some(extra)}"] if extra else []
    found += [f"only in train: {some(lacking)}"] if lacking else []
    return (
        f"The classes of the train and {part} parts differ ({'; '.join(found)}). Expected the same "
        "classes in both; look for a name that is spelt in two ways."
    )


def _labels(source: Source, labels: tuple[str, ...], readable: Mask) -> list[Finding]:
    share_K = source.targets[readable].mean(axis=0)
    never = [name for name, share in zip(labels, share_K, strict=True) if share == 0]
    always = [name for name, share in zip(labels, share_K, strict=True) if share == 1]
    sentences = [f"No picture has the label: {some(never)}."] if never else []
    sentences += [f"Every picture has the label: {some(always)}."] if always else []
    return [Finding(kind="label-constant", sentence=sentence) for sentence in sentences]


def _numbers(source: Source, names: tuple[str, ...], readable: Mask) -> list[Finding]:
    numbers_NT = source.targets[readable]
    same = np.ptp(numbers_NT, axis=0) == 0
    constant = [
        f"{name} ({value:g})"
        for name, value, is_same in zip(names, numbers_NT[0], same, strict=True)
        if is_same
    ]
    if not constant:
        return []
    sentence = f"The target is the same for every picture: {some(constant)}."
    return [Finding(kind="target-constant", sentence=sentence)]


def _torn_groups(source: Source, readable: Mask) -> list[Finding]:
    if source.groups is None:
        return []
    given = readable & (source.parts != UNDECIDED)
    pairs = np.unique(np.stack([source.groups[given], source.parts[given]]), axis=1)
    torn = len(pairs[0]) - len(np.unique(pairs[0]))
    if not torn:
        return []
    sentence = (
        f"Groups that lie in more than one given part: {torn:,}. The figures of those parts will "
        "look better than they are."
    )
    return [Finding(kind="group-torn", sentence=sentence)]
