"""The loop: what a step computes, and what an epoch tells about waiting for its batches."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from striate.data import Batch, Batches, open_source, store
from striate.image import Shape
from striate.task import task_for
from striate.training import Epoch, Silent, Stop, _clock
from striate.training._finite import Finite
from striate.training._loop import fit
from striate.training._mixing import Mixing
from striate.training._optimizers import Group, Optimizer, make_optimizer
from striate.training._pixels import InputStage
from striate.training._plan import Plan
from striate.training._records import Records
from striate.training._step import train_step

SIDE, COUNT = 4, 10


class Ear(Silent):
    """Remembers the epochs and warnings."""

    def __init__(self) -> None:
        self.epochs: list[Epoch] = []
        self.warnings: list[str] = []

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)

    def epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)


def make_plan(mixing: Mixing | None = None, batches: type[Batches] = Batches) -> Plan:
    """Return a plan for a dense layer on ten pictures of noise, in batches of four."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (COUNT, SIDE, SIDE, 3), dtype=np.uint8)
    source = open_source((pixels, np.arange(COUNT) % 2))
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE * 3, 2))
    return Plan(
        network=network,
        stage=InputStage([0.5], [0.25]),
        task=task_for(source.answer, train_targets=source.targets),
        outputs=2,
        batches=batches(
            store(source, Shape(height=SIDE, width=SIDE, channels=3)),
            targets=source.targets,
            ids=source.ids,
            positions=np.arange(COUNT),
            batch_size=4,
            shuffle=True,
        ),
        samples=COUNT,
        optimizer=make_optimizer("sgd", [Group(list(network.parameters()))]),
        rate=lambda _step, _rows: 0.1,
        validate=None,
        selection=("accuracy", True),
        epochs=2,
        patience=None,
        seed=0,
        device=torch.device("cpu"),
        mixing=mixing,
    )


def do_step(plan: Plan, step: int) -> tuple[float, torch.Tensor]:
    """Do one step on the first batch; return its loss and the weights after it."""
    batch = plan.batches.batch(1, 0)
    parameters = list(plan.network.parameters())
    pictures, targets = torch.from_numpy(batch.pictures_BHWC), plan.task.tensor(batch.targets)
    loss, _ = train_step(plan, pictures, targets, parameters, step, 0.1)
    return loss, parameters[0].detach().clone()


@pytest.mark.parametrize("mixing", [Mixing(mixup=1.0, seed=4), Mixing(cutmix=1.0, seed=4)])
def test_a_step_takes_the_loss_of_mixed_pictures(mixing: Mixing) -> None:
    plan = make_plan(mixing)
    dense = plan.network[1]
    weight, bias = (p.detach().double().numpy() for p in (dense.weight, dense.bias))
    batch = plan.batches.batch(1, 0)
    mixture = mixing.mixture(7, pictures=4, height=SIDE, width=SIDE)
    own = ((batch.pictures_BHWC / 255 - 0.5) / 0.25).transpose(0, 3, 1, 2)
    partner = mixture.partner_B.numpy()
    mask = np.full((SIDE, SIDE), mixture.share)
    if mixture.box is not None:
        top, bottom, left, right = mixture.box
        mask = np.ones((SIDE, SIDE))
        mask[top:bottom, left:right] = 0
    assert 0 < mixture.share < 1
    pictures = mask * own + (1 - mask) * own[partner]
    logits = pictures.reshape(4, -1) @ weight.T + bias
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    rows, targets = np.arange(4), batch.targets
    each = (
        mixture.share * log_p[rows, targets] + (1 - mixture.share) * log_p[rows, targets[partner]]
    )
    loss, _ = do_step(plan, 7)
    assert loss == pytest.approx(-each.mean(), rel=1e-5)


def test_a_step_alone_mixes_as_in_a_longer_run() -> None:
    mixing = Mixing(mixup=0.4, cutmix=1.0, seed=4)
    long = make_plan(mixing)
    for step in range(5):
        do_step(long, step)
    # Resumed: the same weights, but none of the steps before.
    resumed = make_plan(mixing)
    resumed.network.load_state_dict(long.network.state_dict())
    torch.rand(17)
    assert do_step(resumed, 5)[0] == do_step(long, 5)[0]
    assert torch.equal(do_step(resumed, 6)[1], do_step(long, 6)[1])


def test_without_mixing_the_loss_is_that_of_the_pictures() -> None:
    plan, mixed = make_plan(), make_plan(Mixing(mixup=1.0))
    batch = plan.batches.batch(1, 0)
    with torch.no_grad():
        logits = plan.network(plan.stage(torch.from_numpy(batch.pictures_BHWC)))
        expected = plan.task.loss(logits, plan.task.tensor(batch.targets)).item()
    assert do_step(plan, 0)[0] == expected != do_step(mixed, 0)[0]


class Seconds:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_waiting_is_a_share_of_the_training_without_validation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Seconds()
    monkeypatch.setattr(_clock, "perf_counter", clock)

    class Slow(Batches):
        """Takes three seconds for a batch, and one more to end."""

        def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
            for batch in super().epoch(epoch, start):
                clock.now += 3
                yield batch
            clock.now += 1

    def work(*_: object) -> None:
        clock.now += 2

    def validate(_: nn.Module) -> dict[str, float]:
        clock.now += 100
        return {"loss": 1.0, "accuracy": 0.5}

    plan = replace(make_plan(batches=Slow), validate=validate)
    plan.network.register_forward_hook(work)
    ear = Ear()
    with Records(tmp_path) as records:
        fit(plan, records, ear, Stop())
    # Three batches: (3·3 + 1) of (3·3 + 1 + 3·2) seconds.
    assert [epoch.waiting for epoch in ear.epochs] == [10 / 16, 10 / 16]
    assert [epoch.seconds for epoch in ear.epochs] == [116, 116]
    rows = list(csv.DictReader((tmp_path / "history.csv").read_text().splitlines()))
    assert [row["waiting"] for row in rows] == ["0.6250", "0.6250"]
    assert list(rows[0]) == [
        "epoch", "step", "learning_rate", "running_loss", "validation_loss",
        "validation_accuracy", "seconds", "images_per_second", "waiting",
    ]  # fmt: skip


def test_an_epoch_that_is_stopped_ends_its_batches(tmp_path: Path) -> None:
    ended = []

    class Watched(Batches):
        def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
            try:
                yield from super().epoch(epoch, start)
            finally:
                ended.append(epoch)

    stop = Stop()
    stop.signal = 2
    with Records(tmp_path) as records:
        fitted = fit(make_plan(batches=Watched), records, Silent(), stop)
    assert (ended, fitted.steps, fitted.epochs) == ([1], 1, 0)


class Spoiling:
    """An optimizer whose step number `at`, from 0, leaves a value in one weight."""

    def __init__(self, inner: Optimizer, at: int, value: float) -> None:
        self.inner, self.left, self.value = inner, at, value

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def step(self, rate: float) -> None:
        self.inner.step(rate)
        self.left -= 1
        if self.left == -1:
            with torch.no_grad():
                self.inner.parameters[0][0, 0] = self.value


def rates(folder: Path) -> list[float]:
    with (folder / "steps.csv").open(encoding="utf-8") as file:
        return [float(row["learning_rate"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_weight_that_is_not_finite_is_seen_at_its_step(tmp_path: Path, value: float) -> None:
    plan, ear = make_plan(), Ear()
    plan = replace(plan, optimizer=Spoiling(plan.optimizer, 4, value))
    with Records(tmp_path) as records:
        fitted = fit(plan, records, ear, Stop())
    assert ear.warnings == [
        "A number in 1.weight is not finite after step 4, learning rate 0.1; that step was taken "
        "back. Usually the rate is too large: try --learning-rate 0.01. The run goes back to step 3, "
        "and on at 0.5 times the rate."
    ]
    assert rates(tmp_path) == [0.1] * 3 + [0.05] * 3
    assert all(one.isfinite().all() for one in fitted.weights.values())


def test_a_validation_that_is_not_finite_sends_the_run_back(tmp_path: Path) -> None:
    losses = iter([1.0, float("inf"), 0.5])
    plan, ear = make_plan(), Ear()
    plan = replace(plan, validate=lambda _network: {"loss": next(losses), "accuracy": 0.5})
    with Records(tmp_path) as records:
        fitted = fit(plan, records, ear, Stop())
    assert [one.partition("The run goes")[2] for one in ear.warnings] == [
        " back to step 3, and on at 0.5 times the rate."
    ]
    assert ear.warnings[0].startswith(
        "The validation loss is inf after step 5, learning rate 0.1. "
    )
    assert rates(tmp_path) == [0.1] * 3 + [0.05] * 3
    assert fitted.best_epoch == 2
    assert [epoch.validation["loss"] for epoch in ear.epochs] == [1.0, 0.5]


def test_numbers_are_finite_or_the_tensor_is_named() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    finite = Finite(network)
    assert finite.first_wrong() == ""
    with torch.no_grad():
        network[0].weight.fill_(3e38)  # its norm overflows, no number does
    assert finite.first_wrong() == ""
    network[1].running_var[1] = float("inf")
    assert finite.first_wrong() == "1.running_var"
    assert Finite(nn.Flatten()).first_wrong() == ""
