"""What duplicates mean: leaks, contradictions, and a split that keeps them on one side."""

from dataclasses import replace

import numpy as np

from striate.data import (
    TEST,
    DuplicateGroup,
    Duplicates,
    Source,
    duplicate_findings,
    open_source,
    parts_of,
    split,
)


def source_of(targets: list[int], *, groups: list[int] | None = None) -> Source:
    pictures = np.zeros((len(targets), 9, 9), np.uint8)
    opened = open_source((pictures, np.array(targets)))
    return replace(opened, groups=None if groups is None else np.array(groups))


def same(*positions: int, kind: str = "bytes") -> DuplicateGroup:
    names = tuple(f"row {position}" for position in positions)
    return DuplicateGroup(kind=kind, positions=np.array(positions), names=names)


def test_a_leak_names_the_parts() -> None:
    source = source_of([0, 1] * 10)
    source.parts[16:] = TEST
    divided = split(source)
    torn = same(int(divided.train[0]), int(divided.test[0]))
    (found,) = duplicate_findings(
        replace(source, targets=source.targets * 0), Duplicates(groups=(torn,)), divided
    )
    assert (found.kind, found.fault) == ("leak", True)
    assert found.sentence == (
        f"The same picture in more than one part, once (1 equal files): row {divided.train[0]} "
        f"(train) = row {divided.test[0]} (test). Figures of those parts will look better than "
        "they are."
    )
    assert parts_of(torn, divided) == ["train", "test"]
    assert parts_of(same(int(divided.train[1]), 99), divided) == ["train", ""]


def test_one_picture_with_two_classes_is_a_contradiction_and_with_one_a_repeat() -> None:
    source = source_of([0, 1] * 10)
    divided = split(source, validation=0)
    groups = (same(0, 1), same(2, 4, kind="near"), same(3, 5, 7, kind="pixels"))
    contradiction, repeat = duplicate_findings(source, Duplicates(groups=groups), divided)
    assert (contradiction.kind, contradiction.fault, contradiction.positions) == (
        "contradiction",
        True,
        (0, 1),
    )
    assert contradiction.sentence == (
        "The same picture with two classes, once (1 equal files): row 0 (0) = row 1 (1). At least "
        "one of each is wrong."
    )
    assert (repeat.kind, repeat.fault) == ("repeat", False)
    assert repeat.sentence == (
        "The same picture more than once, 2 times (1 nearly equal, 1 equal pixels): row 2 = row 4, "
        "row 3 = row 5 = row 7. It counts as often as it is there."
    )


def test_numbers_contradict_where_they_are_a_tenth_of_the_range_apart() -> None:
    pictures = np.zeros((5, 9, 9), np.uint8)
    source = open_source((pictures, np.array([0.0, 1.0, 5.0, 9.5, 10.0])))
    divided = split(source, validation=0)
    groups = (same(0, 1), same(1, 2), same(3, 4))
    found = duplicate_findings(source, Duplicates(groups=groups), divided)
    assert {one.kind: one.positions for one in found} == {
        "contradiction": (1, 2),
        "repeat": (0, 1, 3, 4),
    }
