"""Groups of duplicates: stars instead of chains, leaks, conflicting labels."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.data import Split
from striate.data._duplicate import DuplicateGroup, Duplicates
from striate.data._duplicate_groups import equal, numbered, stars

PAIRS = st.sets(
    st.tuples(st.integers(0, 12), st.integers(0, 12)).filter(lambda pair: pair[0] < pair[1]),
    max_size=30,
)


@pytest.mark.parametrize(
    ("pairs", "groups"),
    [
        ([], []),
        ([(0, 1), (1, 2)], [[1, 0, 2]]),
        ([(0, 1), (1, 2), (0, 2)], [[0, 1, 2]]),
        ([(0, 1), (1, 2), (2, 3)], [[1, 0, 2], [2, 1, 3]]),
        ([(4, 9), (2, 3)], [[2, 3], [4, 9]]),
    ],
)
def test_groups_are_stars(pairs: list[tuple[int, int]], groups: list[list[int]]) -> None:
    assert [group.tolist() for group in stars(pairs)] == groups


@settings(deadline=None)
@given(pairs=PAIRS)
def test_members_match_the_first_and_no_pair_is_lost(pairs: set[tuple[int, int]]) -> None:
    groups = [group.tolist() for group in stars(sorted(pairs))]
    both_ways = pairs | {(other, one) for one, other in pairs}
    for first, *others in groups:
        assert others
        assert all((first, other) in both_ways for other in others)
    for one, other in pairs:
        assert any({one, other} <= set(group) for group in groups)


@settings(deadline=None)
@given(rows=st.lists(st.sampled_from([0, 1, 255, 256, 1 << 120]), max_size=12))
def test_equal_digests(rows: list[int]) -> None:
    digests = np.array([list(row.to_bytes(16, "big")) for row in rows], np.uint8).reshape(-1, 16)
    groups = [group.tolist() for group in equal(numbered(digests))]
    expected = [[i for i, other in enumerate(rows) if other == row] for row in dict.fromkeys(rows)]
    assert groups == [group for group in expected if len(group) > 1]


def group_of(*positions: int, kind: str = "near") -> DuplicateGroup:
    names = tuple(f"{position}.png" for position in positions)
    return DuplicateGroup(kind=kind, positions=np.array(positions, np.int64), names=names)


DUPLICATES = Duplicates(groups=(group_of(0, 1, kind="bytes"), group_of(2, 5, 6), group_of(3, 9)))


def test_pairs_are_those_with_the_first() -> None:
    assert DUPLICATES.pairs.tolist() == [[0, 1], [2, 5], [2, 6], [3, 9]]
    assert Duplicates().pairs.shape == (0, 2)


def test_leaks_are_groups_in_more_than_one_part() -> None:
    # 9 was left out: it can't leak.
    parts = Split(
        train=np.array([0, 1, 2, 3]), validation=np.array([4, 5]), test=np.array([6, 7, 8])
    )
    assert [group.positions.tolist() for group in DUPLICATES.across_parts(parts)] == [[2, 5, 6]]


@pytest.mark.parametrize(
    ("targets", "conflicts"),
    [
        (np.array([0, 1, 0, 2, 0, 0, 0, 0, 0, 2]), [[0, 1]]),
        (np.eye(10, 3, dtype=np.float32), [[0, 1], [2, 5, 6]]),
        (np.full((10, 2), 0.5), []),
    ],
)
def test_conflicting_labels(targets: npt.NDArray[Any], conflicts: list[list[int]]) -> None:
    found = DUPLICATES.across_classes(targets)
    assert [group.positions.tolist() for group in found] == conflicts
