"""Batches of features come in the order, and mirrored in the epochs, that batches of pictures do."""

import numpy as np
import pytest

from striate.data import Augmentation, Batches, FeatureBatches, KeptFeatures, open_source, store
from striate.image import Shape

COUNT = 23
TRAIN = np.arange(COUNT, dtype=np.int64)[::-1][:17].copy()


def both(batch_size: int, *, mirrored: bool) -> tuple[Batches, FeatureBatches]:
    """Return batches of pictures whose left and right pixel tell who they are, and of the same as
    features: [left, right], so that a mirrored picture is [right, left]."""
    pictures = np.zeros((COUNT, 1, 2, 1), np.uint8)
    pictures[:, 0, 0, 0], pictures[:, 0, 1, 0] = np.arange(COUNT), 100 + np.arange(COUNT)
    source = open_source((pictures, np.arange(COUNT) % 2))
    shape = Shape(height=1, width=2, channels=1)
    augmentation = Augmentation(horizontal_flip=True) if mirrored else None
    row_of = np.full(COUNT, -1)
    row_of[TRAIN] = np.arange(len(TRAIN))
    rows = pictures[TRAIN].reshape(-1, 2).astype(np.float32)
    features = KeptFeatures(rows, rows[:, ::-1] if mirrored else None, row_of)
    common = {"targets": source.targets, "ids": source.ids, "positions": TRAIN, "seed": 3}
    return (
        Batches(
            store(source, shape),
            batch_size=batch_size,
            augmentation=augmentation,
            shuffle=True,
            **common,
        ),
        FeatureBatches(features, batch_size=batch_size, augmentation=augmentation, **common),
    )


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("batch_size", [1, 4, 17, 30])
def test_they_are_those_of_the_pictures(batch_size: int, mirrored: bool) -> None:
    pictures, features = both(batch_size, mirrored=mirrored)
    assert len(features) == len(pictures)
    assert [features.count(at) for at in range(len(features))] == [
        pictures.count(at) for at in range(len(pictures))
    ]
    turned = 0
    for epoch in (1, 2, 3):
        pairs = list(zip(pictures.epoch(epoch), features.epoch(epoch), strict=True))
        for expected, got in pairs:
            np.testing.assert_array_equal(got.positions, expected.positions)
            np.testing.assert_array_equal(got.targets, expected.targets)
            np.testing.assert_array_equal(
                got.features_BF, expected.pictures_BHWC.reshape(-1, 2).astype(np.float32)
            )
            assert got.features_BF.dtype == np.float32
            turned += int((got.features_BF[:, 0] > got.features_BF[:, 1]).sum())
    # Each picture is mirrored in every other epoch: in one or two of three.
    assert (turned > 0) is mirrored
    assert turned <= 2 * len(TRAIN)


def test_an_epoch_can_begin_in_its_middle() -> None:
    _, features = both(4, mirrored=True)
    whole = [one.features_BF for one in features.epoch(2)]
    rest = [one.features_BF for one in features.epoch(2, 3)]
    assert len(rest) == len(whole) - 3
    for got, expected in zip(rest, whole[3:], strict=True):
        np.testing.assert_array_equal(got, expected)


def test_what_is_kept_is_not_changed_by_who_takes_it() -> None:
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    features = KeptFeatures(rows, None, np.array([2, 1, 0]))
    taken = features.take(np.array([0, 2]))
    np.testing.assert_array_equal(taken, [[4, 5], [0, 1]])
    taken[:] = -1
    np.testing.assert_array_equal(features.take(np.array([0])), [[4, 5]])
