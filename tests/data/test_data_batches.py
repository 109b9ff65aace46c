"""Batches: every sample once, any batch by itself, the look-ahead thread."""

import threading
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from striate.data._augment import augment
from striate.data._augmentation import Augmentation
from striate.data._batches import Batches
from striate.data._order import hash_ids
from striate.data._room import Room
from striate.data._source import Batch
from striate.data._store import Store
from striate.image import Shape

N = 40
PIXELS = np.random.default_rng(0).integers(0, 256, (N, 6, 5, 3), dtype=np.uint8)
IDS = hash_ids(9, ids=np.arange(N, dtype=np.uint64))
TARGETS = np.arange(N) * 10
POSITIONS = np.arange(1, N, 2)
TURNED = Augmentation(rotation=20, brightness=0.3)


def store_of(pixels: npt.NDArray[np.uint8] = PIXELS, missing: int | None = None) -> Store:
    shape = Shape(height=6, width=5, channels=3)
    matrices = np.zeros((len(pixels), 2, 3), np.float32)
    lost = None if missing is None else np.array([missing])
    return Store(Room(pixels), shape=shape, matrices=matrices, missing=lost)


def batches(
    *,
    augmentation: Augmentation | None = None,
    shuffle: bool = True,
    drop_last: bool = False,
    seed: int = 0,
    threads: int = 1,
    missing: int | None = None,
) -> Batches:
    return Batches(
        store_of(missing=missing),
        targets=TARGETS,
        ids=IDS,
        positions=POSITIONS,
        batch_size=6,
        seed=seed,
        augmentation=augmentation,
        shuffle=shuffle,
        drop_last=drop_last,
        threads=threads,
    )


def joined(epoch: Iterator[Batch]) -> tuple[npt.NDArray[np.uint8], list[int], list[int]]:
    got = list(epoch)
    pictures = np.concatenate([one.pictures_BHWC for one in got])
    return (
        pictures,
        np.concatenate([one.positions for one in got]).tolist(),
        [len(one.positions) for one in got],
    )


def no_thread_left() -> bool:
    return not [one for one in threading.enumerate() if one.name.startswith("striate-batches")]


@pytest.mark.parametrize("augmentation", [None, TURNED])
def test_every_sample_once_in_an_order_of_the_epoch(augmentation: Augmentation | None) -> None:
    made = batches(augmentation=augmentation)
    orders = []
    for epoch in range(3):
        pictures, positions, sizes = joined(made.epoch(epoch))
        assert sizes == [6, 6, 6, 2] and len(made) == 4
        assert sorted(positions) == POSITIONS.tolist()
        expected = PIXELS[positions]
        if augmentation:
            expected = augment(expected, augmentation, seed=0, epoch=epoch, ids=IDS[positions])
        assert np.array_equal(pictures, expected)
        orders.append(tuple(positions))
    assert len({*orders, tuple(POSITIONS)}) == 4
    assert tuple(joined(batches(seed=1).epoch(0))[1]) not in orders
    assert no_thread_left()


def test_targets_belong_to_their_pictures() -> None:
    batch = batches().batch(2, 1)
    assert np.array_equal(batch.targets, TARGETS[batch.positions])
    assert batch.positions.dtype == np.int64 and batch.pictures_BHWC.dtype == np.uint8


@pytest.mark.parametrize("augmentation", [None, TURNED])
def test_any_batch_by_itself_and_any_start(augmentation: Augmentation | None) -> None:
    made = batches(augmentation=augmentation)
    whole = list(made.epoch(5))
    for index in (3, 0, 2):
        alone = batches(augmentation=augmentation, threads=2).batch(5, index)
        assert np.array_equal(alone.pictures_BHWC, whole[index].pictures_BHWC)
        assert np.array_equal(alone.positions, whole[index].positions)
    late = list(made.epoch(5, start=2))
    assert [one.positions.tolist() for one in late] == [one.positions.tolist() for one in whole[2:]]
    assert list(made.epoch(5, start=4)) == []
    for index in (-1, 4):
        with pytest.raises(IndexError) as caught:
            made.batch(0, index)
        assert str(caught.value) == f"There is no batch {index}: an epoch has 4."


def test_without_shuffling_the_order_is_the_part_s() -> None:
    assert joined(batches(shuffle=False).epoch(7))[1] == POSITIONS.tolist()


def test_drop_last() -> None:
    made = batches(drop_last=True)
    assert len(made) == 3 and joined(made.epoch(0))[2] == [6, 6, 6]


def test_an_inactive_augmentation_changes_nothing() -> None:
    batch = batches(augmentation=Augmentation(), shuffle=False).batch(0, 0)
    assert np.array_equal(batch.pictures_BHWC, PIXELS[POSITIONS[:6]])


def test_a_batch_needs_a_size() -> None:
    with pytest.raises(ValueError) as caught:
        Batches(
            store_of(), targets=TARGETS, ids=IDS, positions=POSITIONS, batch_size=0, shuffle=False
        )
    assert str(caught.value) == "batch_size is 0; expected 1 or more."


@pytest.mark.parametrize("augmentation", [None, TURNED])
def test_errors_of_the_thread_are_raised_here(augmentation: Augmentation | None) -> None:
    made = batches(augmentation=augmentation, shuffle=False, missing=19)
    epoch = made.epoch(0)
    assert next(epoch).positions.tolist() == [1, 3, 5, 7, 9, 11]
    with pytest.raises(ValueError, match="at position 19 could not be read"):
        next(epoch)
    assert no_thread_left()


def test_the_thread_works_two_batches_ahead_and_ends_with_the_iterator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Batches(
        store_of(),
        targets=TARGETS,
        ids=IDS,
        positions=POSITIONS,
        batch_size=1,
        augmentation=TURNED,
        shuffle=True,
    )
    asked: list[int] = []
    original = made.batch

    def batch(epoch: int, index: int) -> Batch:
        assert threading.current_thread().name.startswith("striate-batches")
        asked.append(index)
        return original(epoch, index)

    monkeypatch.setattr(made, "batch", batch)
    epoch = made.epoch(0)
    assert asked == []
    for index in range(4):
        next(epoch)
        assert set(asked) <= set(range(index + 3)) and asked == sorted(asked)
    epoch.close()  # type: ignore[attr-defined]
    assert no_thread_left() and len(asked) <= 6
