"""Dividing a source into parts."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.data import (
    TEST,
    TRAIN,
    UNDECIDED,
    VALIDATION,
    Source,
    Split,
    hash_ids,
    hash_names,
    open_source,
    split,
)
from striate.data._duplicate import DuplicateGroup
from striate.errors import SourceError, UsageError

Ints = npt.NDArray[np.int64]
QUICK = settings(deadline=None, max_examples=60)


def source_of(
    targets: list[int],
    *,
    parts: list[int] | None = None,
    groups: list[int] | None = None,
    rows: list[int] | None = None,
) -> Source:
    """Return a source with one tiny picture per target; `rows` give the ids."""
    number = len(targets)
    opened = open_source((np.zeros((number, 1, 1), np.uint8), np.array(targets, np.int64)))
    ids = hash_ids(ids=np.array(range(number) if rows is None else rows, np.uint64))
    words = None if groups is None else hash_names([f"group {g}" for g in groups]).view(np.int64)
    given_parts = np.array(parts if parts is not None else [UNDECIDED] * number, np.int8)
    return replace(opened, name="set", ids=ids, groups=words, parts=given_parts)


def sorted_everywhere(divided: Split, number: int) -> None:
    """Every position is in exactly one part, ascending."""
    every = [divided.train, divided.validation, divided.test]
    for part in every:
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()
    assert sorted(np.concatenate(every).tolist()) == list(range(number))


CLASSES = st.lists(st.integers(0, 3), min_size=2, max_size=60).filter(
    lambda targets: max(map(targets.count, targets)) > 1
)


@QUICK
@given(targets=CLASSES, share=st.floats(0.05, 0.9), seed=st.integers(0, 9))
def test_every_class_is_divided_by_the_share(targets: list[int], share: float, seed: int) -> None:
    divided = split(source_of(targets), validation=share, seed=seed)
    sorted_everywhere(divided, len(targets))
    for kind in set(targets):
        total = targets.count(kind)
        held = sum(targets[i] == kind for i in divided.validation)
        if total == 1:
            assert held == 0
        else:
            assert 1 <= held <= total - 1
            assert (
                abs(held - share * total)
                <= max(0.5, 1 - share * total, share * total + 1 - total) + 1e-9
            )


@QUICK
@given(targets=CLASSES, seed=st.integers(0, 9), left_out=st.integers(0, 59))
def test_one_sample_less_moves_at_most_one_other(
    targets: list[int], seed: int, left_out: int
) -> None:
    left_out %= len(targets)
    kept = [row for row in range(len(targets)) if row != left_out]
    fewer = [targets[row] for row in kept]
    if max(map(fewer.count, fewer)) < 2:
        return
    before = {int(i) for i in split(source_of(targets), seed=seed).validation} - {left_out}
    after_split = split(source_of(fewer, rows=kept), seed=seed)
    after = {kept[i] for i in after_split.validation}
    moved = before ^ after
    assert len(moved) <= 1
    assert all(targets[row] == targets[left_out] for row in moved)


@QUICK
@given(data=st.data(), seed=st.integers(0, 9))
def test_the_order_of_samples_means_nothing(data: st.DataObject, seed: int) -> None:
    targets = data.draw(CLASSES)
    order = data.draw(st.permutations(range(len(targets))))
    straight = split(source_of(targets), seed=seed)
    mixed = split(source_of([targets[i] for i in order], rows=list(order)), seed=seed)
    assert {order[i] for i in mixed.validation} == set(straight.validation.tolist())


@QUICK
@given(
    data=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12)), min_size=12, max_size=60),
    seed=st.integers(0, 9),
)
def test_groups_stay_whole(data: list[tuple[int, int]], seed: int) -> None:
    targets, groups = [t for t, _ in data], [g for _, g in data]
    source = source_of(targets, groups=groups)
    try:
        divided = split(source, seed=seed)
    except SourceError:
        assert len(set(groups)) <= len(set(targets))
        return
    sorted_everywhere(divided, len(targets))
    held = {groups[i] for i in divided.validation}
    assert held
    assert held.isdisjoint(groups[i] for i in divided.train)


def test_groups_come_near_the_share() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 80, 1000).tolist()
    targets = [group % 2 for group in groups]
    divided = split(source_of(targets, groups=groups))
    assert 0.18 < len(divided.validation) / 1000 < 0.22
    held = np.bincount(np.array(targets)[divided.validation])
    assert abs(held[0] - held[1]) < 30


def test_a_group_belongs_to_the_class_that_most_of_it_has() -> None:
    # Groups 0 to 4 are mostly class 0, groups 5 to 9 mostly class 1: one of each is held.
    groups = [group for group in range(10) for _ in range(5)]
    targets = [
        int(group >= 5) if member else int(group < 5) for group in range(10) for member in range(5)
    ]
    for seed in range(5):
        divided = split(source_of(targets, groups=groups), seed=seed)
        held = sorted({groups[i] for i in divided.validation})
        assert len(held) == 2
        assert held[0] < 5 <= held[1]


def test_the_samples_with_the_smallest_hashes_are_held() -> None:
    source = source_of([0] * 20 + [1] * 10)
    divided = split(source, seed=3)
    rank = hash_ids(0x53504C49, 3, ids=source.ids)
    expected = [*np.argsort(rank[:20])[:4], *(20 + np.argsort(rank[20:])[:2])]
    assert divided.validation.tolist() == sorted(expected)
    assert divided.reason == (
        "6 of 30 training pictures (20%) are kept for validation, stratified, seed 3; no test part"
    )


def test_seeds_differ_and_repeat() -> None:
    source = source_of([0, 1] * 50)
    first = split(source, seed=1).validation.tolist()
    assert split(source, seed=1).validation.tolist() == first
    assert split(source, seed=2).validation.tolist() != first


def test_given_parts_do_not_move() -> None:
    parts = [TRAIN, TRAIN, VALIDATION, TEST, UNDECIDED, VALIDATION]
    divided = split(source_of([0, 1, 0, 1, 1, 1], parts=parts))
    assert divided.train.tolist() == [0, 1, 4]
    assert divided.validation.tolist() == [2, 5]
    assert divided.test.tolist() == [3]
    assert divided.reason == "the parts are as given"
    without = split(source_of([0, 1, 0], parts=[TRAIN, TRAIN, VALIDATION]))
    assert without.reason == "the parts are as given; there is no test part"


@pytest.mark.parametrize("kind", [TRAIN, UNDECIDED])
def test_validation_comes_from_training_and_the_test_part_is_untouched(kind: int) -> None:
    divided = split(source_of([0, 1] * 20, parts=[kind] * 30 + [TEST] * 10))
    assert divided.test.tolist() == list(range(30, 40))
    assert len(divided.validation) == 6
    assert divided.validation.max() < 30
    assert divided.reason == (
        "6 of 30 training pictures (20%) are kept for validation, stratified, seed 0; the 10 of the "
        "test part are as given"
    )


def test_excluded_positions_are_in_no_part() -> None:
    parts = [UNDECIDED] * 20 + [TEST] * 2
    divided = split(source_of([0, 1] * 11, parts=parts), exclude=[0, 7, 21])
    every = np.concatenate([divided.train, divided.validation, divided.test])
    assert sorted(every.tolist()) == [i for i in range(22) if i not in (0, 7, 21)]


def test_an_excluded_sample_moves_at_most_one_other() -> None:
    source = source_of([0] * 50)
    before = set(split(source).validation.tolist())
    for left_out in range(50):
        after = set(split(source, exclude=[left_out]).validation.tolist())
        assert len((before - {left_out}) ^ after) <= 1


def test_validation_may_be_none() -> None:
    divided = split(source_of([0, 1]), validation=0)
    assert divided.train.tolist() == [0, 1]
    assert len(divided.validation) == 0


def test_regression_is_stratified_by_its_numbers() -> None:
    numbers = np.random.default_rng(0).normal(size=200)
    source = open_source((np.zeros((200, 1, 1), np.uint8), numbers))
    held = numbers[split(source).validation]
    assert len(held) == 40
    quarters = np.searchsorted(np.quantile(numbers, [0.25, 0.5, 0.75]), held)
    assert np.bincount(quarters).tolist() == pytest.approx([10] * 4, abs=2)


@pytest.mark.parametrize("share", [-0.1, 1, float("nan")])
def test_a_share_out_of_range(share: float) -> None:
    with pytest.raises(UsageError) as caught:
        split(source_of([0, 1]), validation=share)
    assert str(caught.value) == (
        f"validation is {share:g}. Expected the share of the training pictures that is kept for "
        "validation, from 0 to below 1."
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"targets": [0, 1], "parts": [TEST, VALIDATION]},
            "set has no training pictures, only 1 of the validation part and 1 of the test part. "
            "Add a train part, or name pictures that belong to no part.",
        ),
        (
            {"targets": [0, 1]},
            "set has too little to keep any for validation: every class has a single picture. Add "
            "more, or give a validation part.",
        ),
        (
            {"targets": [0, 0, 1, 1], "groups": [5, 5, 6, 6]},
            "set has too little to keep any for validation: every class has a single group. Add "
            "more, or give a validation part.",
        ),
    ],
)
def test_too_little_to_divide(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError) as caught:
        split(source_of(**arguments))
    assert str(caught.value) == message


def same(*positions: int) -> DuplicateGroup:
    """Return a group of duplicates."""
    names = tuple(map(str, positions))
    return DuplicateGroup(kind="near", positions=np.array(positions, np.int64), names=names)


def side(divided: Split) -> dict[int, str]:
    """Return the part of each position."""
    return {p: name for name, part in divided.parts().items() for p in part.tolist()}


DUPLICATES = st.lists(st.sets(st.integers(0, 59), min_size=2, max_size=4), max_size=5)


@QUICK
@given(
    kinds=st.lists(st.integers(0, 2), min_size=60, max_size=60),
    sets=DUPLICATES,
    grouped=st.booleans(),
    seed=st.integers(0, 9),
)
def test_duplicates_stay_on_one_side(
    kinds: list[int], sets: list[set[int]], grouped: bool, seed: int
) -> None:
    groups = [row // 2 for row in range(60)] if grouped else None
    divided = split(
        source_of(kinds, groups=groups), seed=seed, together=[same(*sorted(one)) for one in sets]
    )
    sorted_everywhere(divided, 60)
    parts = side(divided)
    for one in sets:
        assert len({parts[position] for position in one}) == 1
    if groups is not None:
        assert all(parts[row] == parts[row + 1] for row in range(0, 60, 2))


@QUICK
@given(members=st.sets(st.integers(0, 59), min_size=2, max_size=4), seed=st.integers(0, 9))
def test_a_group_of_duplicates_moves_few_others(members: set[int], seed: int) -> None:
    source = source_of([0] * 40 + [1] * 20)
    before = split(source, seed=seed)
    after = split(source, seed=seed, together=[same(*sorted(members))])
    held, still = set(before.validation.tolist()), set(after.validation.tolist())
    moved = (held ^ still) - members
    for positions in (range(40), range(40, 60)):
        of_class = moved.intersection(positions)
        # At most as many as were joined, and all in one direction: to keep the share.
        assert len(of_class) <= len(members)
        assert not (of_class & held and of_class & still)
        # The others are held by their rank, which the duplicates don't change.
        others = [p for p in positions if p not in members]
        rank = hash_ids(0x53504C49, seed, ids=source.ids[others])
        in_order = [others[at] in still for at in np.argsort(rank)]
        assert in_order == sorted(in_order, reverse=True)


@QUICK
@given(original=st.integers(0, 49), seed=st.integers(0, 9))
def test_a_new_copy_moves_at_most_its_original_and_two_others(original: int, seed: int) -> None:
    before = set(split(source_of([0] * 50), seed=seed).validation.tolist())
    after = split(source_of([0] * 51), seed=seed, together=[same(original, 50)])
    moved = (before ^ set(after.validation.tolist())) - {original, 50}
    assert len(moved) <= 2


def test_joined_samples_have_the_rank_of_the_smallest_id() -> None:
    source = source_of([0] * 30)
    rank = hash_ids(0x53504C49, 0, ids=source.ids)
    first, last = int(rank.argmin()), int(rank.argmax())
    divided = split(source, validation=0.1, together=[same(first, last)])
    expected = "validation" if source.ids[first] < source.ids[last] else "train"
    assert {side(divided)[first], side(divided)[last]} == {expected}


def test_chains_are_joined_for_the_split_only() -> None:
    source = source_of([0, 1] * 20)
    for seed in range(5):
        parts = side(split(source, seed=seed, together=[same(0, 7), same(9, 30), same(7, 9)]))
        assert len({parts[position] for position in (0, 7, 9, 30)}) == 1


def test_duplicates_move_nothing_out_of_a_given_part() -> None:
    parts = [UNDECIDED] * 20 + [TEST] * 4
    source = source_of([0, 1] * 12, parts=parts)
    plain = split(source)
    across = split(source, together=[same(3, 21), same(20, 22)])
    assert side(across) == side(plain)
    assert across.reason == plain.reason
    given_parts = source_of([0, 1] * 3, parts=[TRAIN, TRAIN, VALIDATION, VALIDATION, TEST, TRAIN])
    assert side(split(given_parts, together=[same(0, 2, 4)])) == side(split(given_parts))


def test_the_reason_names_duplicates() -> None:
    divided = split(source_of([0, 1] * 20, groups=[*range(40)]), together=[same(0, 1)])
    assert "stratified, groups kept whole, duplicates kept on one side, seed 0" in divided.reason


def test_a_class_of_copies_only() -> None:
    with pytest.raises(SourceError) as caught:
        split(source_of([0, 0, 1]), together=[same(0, 1)])
    assert str(caught.value) == (
        "set has too little to keep any for validation: every class has a single group. Add more, "
        "or give a validation part."
    )
