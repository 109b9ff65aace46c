"""Several processes: shares, weights, and the same gradients and figures as one process."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

import striate
from striate.answer import Classification
from striate.data import Batches, open_source, store
from striate.image import Shape
from striate.task import task_for
from striate.training._device import step_seed
from striate.training._world import ALONE, even_share, join
from together_child import record, run_together


@settings(deadline=None, max_examples=60)
@given(count=st.integers(0, 200), size=st.integers(1, 9))
def test_shares_are_the_batch_in_order(count: int, size: int) -> None:
    parts = [list(range(count))[even_share(count, rank, size)] for rank in range(size)]
    assert [number for part in parts for number in part] == list(range(count))
    lengths = [len(part) for part in parts]
    assert lengths == sorted(lengths, reverse=True)
    taken = [length for length in lengths if length]
    assert count == 0 or max(taken) - min(taken) <= 1
    assert count == 1 or 1 not in lengths


def shared(count: int, share: Callable[[int], slice] | None) -> Batches:
    pixels = np.random.default_rng(0).integers(0, 256, (count, 4, 4, 1), dtype=np.uint8)
    source = open_source((pixels, np.arange(count) % 2))
    return Batches(
        store(source, Shape(height=4, width=4, channels=1)),
        targets=source.targets,
        ids=source.ids,
        positions=np.arange(count),
        batch_size=7,
        shuffle=True,
        augmentation=striate.data.Augmentation(rotation=30),
        share=share,
    )


def test_shares_of_batches_are_the_batches_of_one_process() -> None:
    whole = shared(22, None)
    parts = [shared(22, lambda count, rank=rank: even_share(count, rank, 3)) for rank in range(3)]
    for index, batch in enumerate(whole.epoch(2)):
        mine = [one.batch(2, index) for one in parts]
        assert np.array_equal(np.concatenate([one.positions for one in mine]), batch.positions)
        assert np.array_equal(
            np.concatenate([one.pictures_BHWC for one in mine]), batch.pictures_BHWC
        )
        assert parts[2].count(index) == whole.count(index) == len(batch.positions)


@pytest.mark.parametrize("weights", [None, [1.0, 4.0, 2.5]])
def test_the_loss_of_two_batches_is_the_mean_by_weight(weights: list[float] | None) -> None:
    targets = np.array([0, 0, 1, 2, 2, 2, 1])
    task = task_for(Classification(("a", "b", "c")), class_weights=weights, train_targets=targets)
    logits, wanted = torch.randn(7, 3), task.tensor(targets)
    cut = 2
    parts = [(logits[:cut], wanted[:cut]), (logits[cut:], wanted[cut:])]
    total = sum(task.weight(one) for _, one in parts)
    mean = sum(task.loss(*part) * task.weight(part[1]) for part in parts) / total
    expected = functional.cross_entropy(
        logits, wanted, weight=None if weights is None else torch.tensor(weights)
    )
    assert float(mean) == pytest.approx(float(expected), rel=1e-6)


def test_dropout_differs_between_processes_and_that_of_the_first_is_that_of_one() -> None:
    seeds = {step_seed(3, step, rank) for step in range(200) for rank in range(8)}
    assert len(seeds) == 1600
    assert step_seed(3, 7, 0) == step_seed(3, 7)


def test_processes_that_torchrun_did_not_start_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert join() is ALONE
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    for name in ("LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(striate.UsageError) as caught:
        join()
    assert str(caught.value) == (
        "WORLD_SIZE is 2, but LOCAL_RANK, LOCAL_WORLD_SIZE, GROUP_RANK, MASTER_ADDR, MASTER_PORT "
        "isn't set. Start several processes with torchrun (docs/scaling.md), or remove WORLD_SIZE "
        "to train with one."
    )


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 3])
def test_gradients_and_validation_are_those_of_one_process(tmp_path: Path, size: int) -> None:
    """20 steps in float32 with batches that can't be halved, the last of each epoch a single picture."""
    alone, together = tmp_path / "alone", tmp_path / "together"
    together.mkdir()
    assert run_together(size, ["record"], together) == [[(0, "")] * size]
    record(alone)
    one, several = (np.load(folder / "recorded.npz") for folder in (alone, together))
    assert one["steps"].shape == several["steps"].shape
    assert len(one["steps"]) == 20
    difference = np.linalg.norm(several["steps"] - one["steps"], axis=1)
    relative = difference / np.linalg.norm(one["steps"], axis=1)
    assert relative.max() < 1e-5
    assert several["same"].tolist() == [True] * 5
    tables = [
        list(csv.DictReader((folder / "digits" / "history.csv").read_text().splitlines()))
        for folder in (alone, together)
    ]
    for mine, theirs in zip(*tables, strict=True):
        assert mine["validation_correct"] == theirs["validation_correct"]
        assert float(mine["running_loss"]) == pytest.approx(float(theirs["running_loss"]), rel=1e-4)
