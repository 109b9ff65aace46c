"""Counter-based randomness: evenness, independence, and orders that survive a missing sample."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.data._order import hash_ids, hash_name, hash_names, order, uniform

IDS = np.arange(100_000, dtype=np.uint64)
MASK = (1 << 64) - 1


def mix(value: int) -> int:
    """SplitMix64's finaliser in plain whole numbers, as published."""
    value = (value + 0x9E3779B97F4A7C15) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def test_the_mixer_is_splitmix64() -> None:
    # First outputs of the generator seeded with 1234567 (its author's test vector).
    golden, expected = 0x9E3779B97F4A7C15, [6457827717110365317, 3203168211198807973]
    assert [mix(1234567), mix(1234567 + golden)] == expected
    assert hash_ids(7, -1, ids=IDS[:3]).tolist() == [
        mix(mix(i) ^ mix(mix(mix(7) ^ MASK) ^ 0xD6E8FEB86659FD93)) for i in range(3)
    ]


@pytest.mark.parametrize("keys", [(), (0,), (1, 2, 3)])
def test_numbers_are_evenly_distributed(keys: tuple[int, ...]) -> None:
    numbers = uniform(*keys, ids=IDS)
    assert numbers.dtype == np.float64 and numbers.min() >= 0 and numbers.max() < 1
    counts, _ = np.histogram(numbers, 256, (0, 1))
    expected = len(IDS) / 256
    # Chi-square with 255 degrees of freedom: 330.5 is exceeded once in a thousand.
    assert ((counts - expected) ** 2 / expected).sum() < 330.5


def test_keys_and_neighbours_are_independent() -> None:
    base = uniform(0, 1, ids=IDS)
    others = [uniform(*keys, ids=IDS) for keys in [(1, 0), (0, 2), (1, 1), (0, 1, 0), (0,)]]
    for other in [*others, np.roll(base, 1)]:
        # Standard deviation of a correlation of 100,000 independent pairs: 0.0032.
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.013


def test_every_bit_is_even() -> None:
    hashes = hash_ids(3, ids=IDS)
    for bit in range(64):
        share = float(((hashes >> np.uint64(bit)) & np.uint64(1)).mean())
        assert abs(share - 0.5) < 0.007


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.integers(0, MASK), min_size=1, max_size=40, unique=True),
    st.integers(-5, 2**70),
    st.integers(0, 1000),
)
def test_order_is_a_permutation_that_a_missing_sample_does_not_disturb(
    ids: list[int], seed: int, epoch: int
) -> None:
    all_ids = np.array(ids, np.uint64)
    full = order(seed, epoch, all_ids)
    assert full.dtype == np.int64 and sorted(full.tolist()) == list(range(len(ids)))
    without = order(seed, epoch, all_ids[1:])
    assert all_ids[1:][without].tolist() == [i for i in all_ids[full].tolist() if i != ids[0]]
    # Nor does another listing order.
    assert all_ids[full].tolist() == all_ids[::-1][order(seed, epoch, all_ids[::-1])].tolist()


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    ids = IDS[:50]
    orders = {tuple(order(seed, epoch, ids)) for seed in range(4) for epoch in range(4)}
    assert len(orders) == 16


def test_equal_ids_keep_their_order() -> None:
    assert order(0, 0, np.zeros(5, np.uint64)).tolist() == [0, 1, 2, 3, 4]


def test_a_key_is_not_an_id() -> None:
    """Else the 3rd row of part 1 would be the same sample as the 1st row of part 3."""
    numbers = np.arange(200, dtype=np.uint64)
    hashes = np.stack([hash_ids(key, ids=numbers) for key in range(200)])
    assert len(np.unique(hashes)) == hashes.size
    assert len(np.unique(np.append(hash_ids(ids=numbers), hashes[0]))) == 400


def test_names() -> None:
    composed = "été/naïve.png"
    assert hash_name(composed) == hash_name(unicodedata.normalize("NFD", composed))
    assert hash_name("a/b.png") == hash_name("a\\b.png") != hash_name("a/B.png")
    # BLAKE2b, 8 bytes, by coreutils: printf a/b.png | b2sum -l 64
    assert hash_name("a/b.png").to_bytes(8, "little").hex() == "7ea4fc4732436554"
    assert hash_name("\udcff.png") != hash_name("\udcfe.png")
    hashes = hash_names(["a", "b", "a"])
    assert hashes.dtype == np.uint64 and hashes[0] == hashes[2] == hash_name("a") != hashes[1]
    assert hash_names([]).shape == (0,)
