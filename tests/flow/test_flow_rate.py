"""A learning rate that is measured before training, where no fixed one is good."""

import re
import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from striate.data import open_source
from striate.errors import NotFiniteError
from striate.flow import train
from striate.flow._facts import Told, facts_of
from striate.flow._fit import make_ready
from striate.flow._gate import prepare
from striate.flow._lr_find import rounded
from striate.flow._prepare import Prepared
from striate.flow._rate import LOWEST, RATE, STEPS, with_measured_rate
from striate.training import Silent, make_settings, read_config
from striate.training._lr_find import range_test

# 1,150 digits to train on in batches of 64: 612 steps; an epoch fewer has too few for a test.
LONG = {"epochs": 34, "batch_size": 64, "seed": 2, "threads": 1}
SGD = {"name": "sgd"}


def prepared(**groups: dict[str, Any]) -> Prepared:
    tree = {"training": LONG, "optimizer": SGD, "network": {"name": "cnn3"}, **groups}
    wanted = make_settings(tree)
    return prepare(open_source("digits"), wanted, Told(Silent()), own_module=False)


def measured(
    before: Prepared, module: nn.Module | None = None, loss: Callable[..., Any] | None = None
) -> Prepared:
    return with_measured_rate(before, module=module, loss=loss, listener=Silent())


@pytest.mark.parametrize("schedule", ["constant", "one-cycle"])
def test_the_rate_is_what_the_finder_suggests_and_says_so(schedule: str) -> None:
    before = prepared(schedule={"name": schedule})
    assert before.settings.optimizer.learning_rate == 0.01
    after = measured(before)
    curve = range_test(make_ready(before, module=None, loss=None), steps=STEPS, lowest=LOWEST)
    own = curve.smallest if schedule == "one-cycle" else curve.fallen
    assert after.settings.optimizer.learning_rate == rounded(own) != 0.01
    (choice,) = [choice for choice in after.choices if choice.name == RATE]
    assert choice.reason == f"found by lr-find in {len(curve.rates)} steps"
    told = {name: (value, why) for name, value, why in facts_of(after, nn.Linear(1, 1))}
    assert told["optimizer"][0] == f"sgd, rate {choice.value:g}, {schedule}"
    assert told["optimizer"][1].startswith(choice.reason)


@pytest.mark.parametrize(
    "groups",
    [
        {"optimizer": {"name": "adam"}},
        {"optimizer": {"name": "sgd", "learning_rate": 0.01}},
        {"optimizer": {"name": "sgd", "momentum": 0.9}},
        {"network": {"name": "compact"}},
        {"training": {**LONG, "epochs": 33}},
    ],
    ids=["adam", "given", "momentum", "default network", "short"],
)
def test_nothing_is_measured_where_it_would_not_pay(
    groups: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("striate.training._lr_find.range_test", None)
    before = prepared(**groups)
    assert measured(before) is before


def test_a_module_is_left_as_it_is() -> None:
    module = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 10))
    before = deepcopy(module.state_dict())
    after = measured(prepared(), module, nn.functional.cross_entropy)
    assert after.choices != prepared().choices
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())


def test_where_nothing_falls_the_usual_rate_stays() -> None:
    # Weights of zero in every layer have no gradient but that of the last bias.
    start = {"convolution": "constant", "dense": "constant", "bias": "zeros", "constant": 0.0}
    before = prepared(network={"name": "cnn3", "initialisation": start})
    after = measured(before)
    (choice,) = [choice for choice in after.choices if choice.name == RATE]
    assert choice.value == 0.01
    assert re.fullmatch(r"no better by lr-find in \d\d steps", choice.reason)
    assert replace(after, choices=before.choices, settings=before.settings) == before


def test_a_network_that_gives_no_numbers_is_left_to_the_training() -> None:
    def broken(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(logits, targets) * float("nan")

    before = prepared()
    assert measured(before, loss=broken) is before
    with pytest.raises(NotFiniteError):
        range_test(make_ready(before, module=None, loss=broken), steps=STEPS)


@pytest.mark.slow
def test_a_run_writes_its_rate_and_begins_as_without_the_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"training": {**LONG, "patience": 1}, "optimizer": SGD}
    first = train("digits", network="cnn3", settings=settings, out=tmp_path, name="first")
    rate = read_config(first.folder / "config.yaml")["optimizer"]["learning_rate"]
    assert rate != 0.01
    monkeypatch.setattr("striate.training._lr_find.range_test", None)
    given = train(
        "digits", network="cnn3", settings=settings, out=tmp_path, name="given", learning_rate=rate
    )
    again = train(config=first.folder / "config.yaml", out=tmp_path, name="again")
    shutil.copytree(first.folder, tmp_path / "killed")
    killed = tmp_path / "killed"
    for path in [*killed.iterdir()]:
        # As a kill before the first checkpoint leaves it.
        if path.name != "config.yaml":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    resumed = train(resume=killed)
    for other in (given, again, resumed):
        for name in ("model/weights.safetensors", "config.yaml", "steps.csv"):
            assert (other.folder / name).read_bytes() == (first.folder / name).read_bytes()
