"""Augmentation is a pure function of (seed, epoch, sample id)."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.data._augment import augment, matrices, slices
from striate.data._augmentation import FILLS, Augmentation
from striate.data._draws import Draws, Parameter
from striate.data._order import AUGMENTATION, hash_ids, uniform

B, H, W, M = 7, 10, 12, 2
WIDE = np.random.default_rng(0).integers(0, 256, (B, H + 2 * M, W + 2 * M, 3), dtype=np.uint8)

augmentations = st.builds(
    Augmentation,
    rotation=st.sampled_from([0.0, 30.0]),
    zoom=st.sampled_from([0.0, 0.2]),
    horizontal_flip=st.booleans(),
    crop=st.integers(0, 5),
    contrast=st.sampled_from([0.0, 0.3]),
    hue=st.sampled_from([0.0, 0.3]),
    erase=st.sampled_from([0.0, 0.3]),
    resized_crop=st.sampled_from([0.0, 0.3]),
    blur=st.sampled_from([0.0, 1.5]),
    noise=st.sampled_from([0.0, 0.2]),
    fill=st.sampled_from(FILLS),
)
numbers = st.integers(0, 2**63 - 1)


@settings(deadline=None, max_examples=40)
@given(augmentations, numbers, st.integers(0, 1000), numbers, st.permutations(range(B)))
def test_a_sample_depends_on_seed_epoch_and_id_alone(
    augmentation: Augmentation, seed: int, epoch: int, first: int, order: list[int]
) -> None:
    ids = hash_ids(first, ids=np.arange(B, dtype=np.uint64))
    options: dict[str, Any] = {"seed": seed, "epoch": epoch, "margin": M}
    whole = augment(WIDE, augmentation, ids=ids, **options)
    for threads in (2, 3, 5):
        again = augment(WIDE, augmentation, ids=ids, threads=threads, **options)
        assert np.array_equal(again, whole)
    some = order[:3]
    assert np.array_equal(augment(WIDE[some], augmentation, ids=ids[some], **options), whole[some])
    sides: dict[str, Any] = {"height": H, "width": W, **options}
    moved = matrices(augmentation, ids=ids, **sides)
    assert np.array_equal(matrices(augmentation, ids=ids[some], **sides), moved[some])


EVERYTHING = Augmentation(rotation=20, resized_crop=0.5, hue=0.2, blur=1, noise=0.1, erase=0.3)


@settings(deadline=None, max_examples=20)
@given(numbers, st.integers(0, 1000), numbers)
def test_other_seeds_epochs_and_ids_show_something_else(seed: int, epoch: int, one: int) -> None:
    picture, ids = WIDE[:1], np.array([one], np.uint64)
    options: dict[str, Any] = {"seed": seed, "epoch": epoch, "ids": ids, "margin": M}
    shown = augment(picture, EVERYTHING, **options)
    for change in ({"seed": seed + 1}, {"epoch": epoch + 1}, {"ids": ids + np.uint64(1)}):
        assert not np.array_equal(augment(picture, EVERYTHING, **{**options, **change}), shown)


def test_the_numbers_are_those_of_the_keys() -> None:
    ids = hash_ids(3, ids=np.arange(20, dtype=np.uint64))
    draws = Draws(seed=5, epoch=6, ids=ids)
    for parameter in Parameter:
        expected = uniform(AUGMENTATION, 5, 6, int(parameter), ids=ids)
        assert np.array_equal(draws.unit(parameter), expected)
    assert sorted(Parameter) == list(range(len(Parameter)))


@settings(deadline=None)
@given(st.integers(0, 50), st.integers(0, 9))
def test_slices_cover_everything_once(count: int, parts: int) -> None:
    cut = slices(count, parts)
    assert [index for one in cut for index in range(count)[one]] == list(range(count))
    lengths = [one.stop - one.start for one in cut]
    assert max(lengths) - min(lengths) <= 1 and 1 <= len(cut) <= max(1, parts)
