"""Batches: every sample once, any batch by itself, the look-ahead thread."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from striate.data import _batches
from striate.data._augment import augment, matrices
from striate.data._augmentation import Augmentation
from striate.data._batches import Batches
from striate.data._order import hash_ids
from striate.data._room import Room
from striate.data._source import Batch
from striate.data._store import Store
from striate.image import Shape
from striate.image._load import fit_array

N = 40
PIXELS = np.random.default_rng(0).integers(0, 256, (N, 6, 5, 3), dtype=np.uint8)
IDS = hash_ids(9, ids=np.arange(N, dtype=np.uint64))
TARGETS = np.arange(N) * 10
POSITIONS = np.arange(1, N, 2)
TURNED = Augmentation(rotation=20, brightness=0.3)


def store_of(pixels: npt.NDArray[np.uint8] = PIXELS, missing: int | None = None) -> Store:
    shape = Shape(height=6, width=5, channels=3)
    to_store = np.zeros((len(pixels), 2, 3), np.float32)
    lost = None if missing is None else np.array([missing])
    return Store(Room(pixels), shape=shape, matrices=to_store, missing=lost)


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


def test_the_threads_work_two_batches_ahead_and_end_with_the_iterator(
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
    order = [one.positions.tolist() for one in made.epoch(0)]
    original = made._fill

    def fill(batch: Batch, epoch: int, part: slice) -> None:
        assert threading.current_thread().name.startswith("striate-batches")
        asked.append(order.index(batch.positions.tolist()))
        original(batch, epoch, part)

    monkeypatch.setattr(made, "_fill", fill)
    epoch = made.epoch(0)
    assert asked == []
    for index in range(4):
        next(epoch)
        assert set(asked) <= set(range(index + 3)) and asked == sorted(asked)
    epoch.close()  # type: ignore[attr-defined]
    assert no_thread_left() and len(asked) <= 6


EVERYTHING = Augmentation(
    rotation=20, resized_crop=0.5, brightness=0.3, hue=0.1, blur=1, noise=0.1, erase=0.2
)
M = 2
WIDE = np.random.default_rng(1).integers(0, 256, (N, 6 + 2 * M, 5 + 2 * M, 3), dtype=np.uint8)


def wide_batches(augmentation: Augmentation | None, **options: Any) -> Batches:
    to_store = np.random.default_rng(2).uniform(-2, 2, (N, 2, 3)).astype(np.float32)
    shape = Shape(height=6, width=5, channels=3, margin=M)
    return Batches(
        Store(Room(WIDE), shape=shape, matrices=to_store),
        targets=TARGETS,
        ids=IDS,
        positions=POSITIONS,
        batch_size=6,
        augmentation=augmentation,
        shuffle=True,
        **options,
    )


@pytest.mark.parametrize("augmentation", [None, Augmentation(crop=3), EVERYTHING])
def test_the_number_of_threads_changes_nothing(
    augmentation: Augmentation | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wide_batches(augmentation, threads=5).threads == 1
    monkeypatch.setattr(_batches, "_SHARED", 0)
    expected, positions, _ = joined(wide_batches(augmentation).epoch(3))
    changes = augmentation or Augmentation()
    ids = IDS[positions]
    assert np.array_equal(
        expected, augment(WIDE[positions], changes, seed=0, epoch=3, ids=ids, margin=M)
    )
    for threads in (2, 3, 5, 40):
        made = wide_batches(augmentation, threads=threads)
        assert made.threads == threads
        assert np.array_equal(joined(made.epoch(3))[0], expected)
        alone = made.batch(3, 2).pictures_BHWC
        assert np.array_equal(alone, expected[12:18]) and alone.flags.c_contiguous


def test_nothing_writes_to_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    before = WIDE.copy()
    for augmentation in (Augmentation(horizontal_flip=True), EVERYTHING):
        made = wide_batches(augmentation, threads=2)
        # As a memory-mapped file is.
        monkeypatch.setattr(made.store, "_pixels", np.broadcast_to(WIDE, WIDE.shape))
        joined(made.epoch(0))
    assert np.array_equal(WIDE, before)


def test_matrices_go_from_the_file_to_the_augmented_picture() -> None:
    moves = Augmentation(rotation=20, resized_crop=0.5, horizontal_flip=True)
    made = wide_batches(moves)
    batch = made.batch(4, 1)
    assert batch.matrices.shape == (6, 2, 3) and batch.matrices.dtype == np.float64
    moved = matrices(moves, seed=0, epoch=4, ids=IDS[batch.positions], height=6, width=5, margin=M)
    point = np.array([3.0, 1.0, 1.0])
    for first, second, both in zip(made.store.matrices[batch.positions], moved, batch.matrices):
        assert np.allclose(both @ point, second @ [*(first @ point), 1], atol=1e-5)
    for still in (None, Augmentation(hue=0.1)):
        made = wide_batches(still)
        batch = made.batch(0, 0)
        assert np.array_equal(batch.matrices, made.store.matrices[batch.positions])
    by_hand = Batch(pictures_BHWC=PIXELS[:2], targets=TARGETS[:2], positions=POSITIONS[:2])
    assert np.array_equal(by_hand.matrices, [np.eye(2, 3)] * 2)


def test_a_dot_is_where_its_matrix_says() -> None:
    """From the file through the store and the warp: a bright square, found by its middle."""
    files = np.zeros((N, 60, 80, 1), np.uint8)
    spots = np.random.default_rng(3).integers((25, 30), (35, 50), (N, 2))
    for file, (y, x) in zip(files, spots.tolist()):
        file[y - 3 : y + 4, x - 3 : x + 4] = 255
    shape = Shape(height=30, width=30, channels=1, margin=3)
    fitted = [fit_array(file, shape.wide) for file in files]
    to_store = np.stack([fit_array(file, shape).matrix for file in files]).astype(np.float32)
    made = Batches(
        Store(Room(np.stack([one.picture_HWC for one in fitted])), shape=shape, matrices=to_store),
        targets=TARGETS,
        ids=IDS,
        positions=np.arange(N),
        batch_size=N,
        augmentation=Augmentation(rotation=15, zoom=0.1, horizontal_flip=True, resized_crop=0.7),
        shuffle=True,
    )
    batch = made.batch(0, 0)
    y_H1, x_W = np.arange(30)[:, None], np.arange(30)
    found = 0
    for picture, matrix, position in zip(batch.pictures_BHWC, batch.matrices, batch.positions):
        light = picture[..., 0].astype(float)
        if light[[0, -1]].any() or light[:, [0, -1]].any():
            continue
        middle = np.array([(light * x_W).sum(), (light * y_H1).sum()]) / light.sum()
        y, x = spots[position].tolist()
        assert np.abs(matrix @ [x, y, 1] - middle).max() < 0.25
        found += 1
    assert found > N // 2


def test_waiting_is_added_up_for_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(1000))
    monkeypatch.setattr(_batches, "perf_counter", lambda: next(seconds))
    for augmentation in (None, TURNED):
        made = batches(augmentation=augmentation)
        assert made.waited == 0
        epoch = made.epoch(0)
        next(epoch)
        assert made.waited == 1
        list(epoch)
        # The clock stands but for the two looks at it: a second for each batch.
        assert made.waited == 4
        list(made.epoch(1, start=2))
        assert made.waited == 2


def test_what_an_accelerator_can_do_is_left_to_it() -> None:
    warped = Augmentation(rotation=20, contrast=0.2, erase=0.1)
    batch = wide_batches(warped, on_device=True).batch(2, 1)
    assert batch.deferred is not None
    assert np.array_equal(batch.pictures_BHWC, WIDE[batch.positions])
    assert batch.deferred.height == 6 and batch.deferred.width == 5
    cpu = wide_batches(warped).batch(2, 1)
    assert cpu.deferred is None and cpu.pictures_BHWC.shape == (6, 6, 5, 3)
    assert np.array_equal(cpu.positions, batch.positions)
    assert np.array_equal(cpu.matrices, batch.matrices)
    # Blur and noise are the CPU's, and a copy isn't worth the way.
    for other in (EVERYTHING, Augmentation(crop=2), Augmentation(contrast=0.2), None):
        made = wide_batches(other, on_device=True)
        batch = made.batch(0, 0)
        assert batch.deferred is None
        assert np.array_equal(batch.pictures_BHWC, wide_batches(other).batch(0, 0).pictures_BHWC)
