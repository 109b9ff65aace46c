"""A head of several layers on a frozen backbone: trained by steps, on features computed once."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import striate
from pictures import stripes
from run_states import state_of
from striate.answer import Classification
from striate.data import keep_features
from striate.flow import Run
from striate.flow import _features as features_module
from striate.flow import _on_features as module
from striate.flow._plan_frozen import _head_parameters
from striate.model import verify
from striate.network import build
from striate.training import Silent, Step, make_settings, read_config
from striate.training._start import trains_on_features
from weights_package import SIDE, Lite

HEAD = {"dense": [8], "dropout": 0.25}
FROZEN = {"weights": "package", "freeze": True, "head": HEAD}


class Ear(Silent):
    """Remembers what it is told, and stops a run after some steps."""

    def __init__(self, stop_after: int = 0) -> None:
        self.facts: dict[str, str] = {}
        self.progressed: set[str] = set()
        self.left = stop_after

    def found(self, facts: Any) -> None:
        self.facts |= {name: value for name, value, _ in facts}

    def progress(self, what: str, done: int, total: int) -> None:
        del done, total
        self.progressed.add(what)

    def step(self, step: Step) -> None:
        del step
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def train(lite: Lite, out: Path, ear: Ear | None = None, **more: Any) -> Run:
    settings = {"network": FROZEN | more.pop("network", {})} | more.pop("settings", {})
    return striate.train(
        lite.pictures,
        image_size=SIDE,
        threads=1,
        out=out,
        settings=settings,
        listener=ear,
        **{"epochs": 3} | more,
    )


def weights(run: Run) -> dict[str, Any]:
    return load_file(run.model / "weights.safetensors")


def test_the_head_learns_and_the_backbone_stays(package: Lite, tmp_path: Path) -> None:
    ear = Ear()
    run = train(package, tmp_path, ear, epochs=None)
    assert ear.facts["features"] == "1,280 of each picture and of its mirror image"
    assert {"Computing features", "Computing features, mirrored"} <= ear.progressed
    config = read_config(run.folder / "config.yaml")
    # Of features an epoch takes no time, so there are as many as from the start.
    assert config["training"]["epochs"] == 40
    assert config["optimizer"]["learning_rate"] == 1e-3
    assert run.metrics["train"]["accuracy"] > 0.9
    shipped, frozen = weights(run), load_file(package.run.model / "weights.safetensors")
    assert shipped.keys() - frozen.keys() == {"head.dense1.weight", "head.dense1.bias"}
    assert all(np.array_equal(shipped[n], frozen[n]) for n in frozen if n.startswith("backbone."))
    found = verify(run.model)
    assert found.ok, found.letter


def test_what_is_shipped_is_one_network(package: Lite, tmp_path: Path) -> None:
    run = train(package, tmp_path)
    network = build(
        "efficientnet-lite0", channels=3, height=SIDE, width=SIDE, outputs=2, options=HEAD
    )
    network.load_state_dict({n: torch.from_numpy(one) for n, one in weights(run).items()})
    model = striate.load(run.model)
    pictures = np.stack([model.pixels(one) for one in sorted(package.pictures.rglob("*.png"))])
    x = torch.from_numpy((pictures.astype(np.float32) - 127) / 128).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = network.eval()(x)
    logits, _ = model.run(pictures)
    np.testing.assert_allclose(logits, expected, atol=1e-4)


@pytest.mark.parametrize("mirrored", [pytest.param(False, marks=pytest.mark.slow), True])
def test_it_learns_what_it_learns_with_the_backbone_in_every_step(
    package: Lite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirrored: bool
) -> None:
    settings = {"augmentation": {"horizontal_flip": mirrored}}
    once = train(package, tmp_path, name="once", settings=settings)
    monkeypatch.setattr(module, "MOST_BYTES", 0)
    ear = Ear()
    always = train(package, tmp_path, ear, name="always", settings=settings)
    assert "features" not in ear.facts
    a, b = weights(once), weights(always)
    assert a.keys() == b.keys()
    for name, one in a.items():
        # ONNX Runtime's features are PyTorch's within rounding, which Adam's first steps enlarge.
        np.testing.assert_allclose(one, b[name], atol=2e-4, err_msg=name)
    start = make_head_start()
    moved = max(float(np.abs(a[n] - start[n]).max()) for n in start)
    assert moved > 2e-3


def make_head_start() -> dict[str, Any]:
    torch.manual_seed(0)
    network = build(
        "efficientnet-lite0", channels=3, height=SIDE, width=SIDE, outputs=2, options=HEAD
    )
    return {n: one.numpy() for n, one in network.state_dict().items() if n.startswith("head.")}


@pytest.mark.slow
def test_a_stopped_run_ends_with_the_same_weights(package: Lite, tmp_path: Path) -> None:
    whole = train(package, tmp_path / "whole")
    checkpoints = {"training": {"checkpoint_seconds": 0}}
    with pytest.raises(KeyboardInterrupt):
        train(package, tmp_path / "torn", Ear(stop_after=3), name="run", settings=checkpoints)
    resumed = striate.train(resume=tmp_path / "torn" / "run")
    assert resumed.best_epoch == whole.best_epoch
    first, second = weights(whole), weights(resumed)
    assert all(np.array_equal(one, second[name]) for name, one in first.items())
    assert state_of(resumed.folder)["history"] == state_of(whole.folder)["history"]


@pytest.mark.slow
def test_a_second_run_has_the_features_whatever_its_head(
    package: Lite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(package, tmp_path)
    kept: list[int] = []

    def keep(folder: Path, key: str, digests: Any, features: Any) -> None:
        kept.append(len(features))
        keep_features(folder, key, digests, features)

    monkeypatch.setattr(features_module, "keep_features", keep)
    run = train(package, tmp_path, network={"head": {"dense": [16, 4], "dropout": 0.0}})
    assert weights(run)["head.dense2.weight"].shape == (4, 16)
    assert kept == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, True),
        ({"network": {"head": {"dense": []}}}, False),
        ({"network": {"views": 2}}, True),
        ({"network": {"freeze": False}}, False),
        ({"training": {"minutes": 1}}, False),
        ({"training": {"steps": [[0, 40]]}}, False),
        ({"augmentation": {"horizontal_flip": True, "fill": "nearest"}}, True),
        ({"augmentation": {"horizontal_flip": True, "rotation": 3}}, False),
        ({"augmentation": {"vertical_flip": True}}, False),
        ({"augmentation": {"mixup": 0.2}}, False),
        # Its own head has a dense layer more.
        ({"network": {"name": "vgg16-binary", "head": {"dense": None}}}, True),
        ({"network": {"name": "resnet18", "head": {"dense": None}}}, False),
    ],
)
def test_what_needs_the_pictures_in_every_epoch_gets_them(
    settings: dict[str, Any], expected: bool
) -> None:
    base = {"network": {"name": "efficientnet-lite0", "freeze": True, "head": {"dense": [8]}}}
    assert trains_on_features(make_settings(base, settings)) is expected


@pytest.mark.slow
def test_numbers_and_labels_are_learnt_too(package: Lite, tmp_path: Path) -> None:
    assert package.site
    kinds = np.arange(40) % 4
    pictures = np.stack([stripes(kind, at, size=40) for at, kind in enumerate(kinds)])
    numbers = np.stack([1000.0 + 50 * kinds, -kinds / 8.0], axis=1)
    labels = np.stack([kinds >= 2, kinds % 2 == 1, kinds == 0], axis=1).astype(np.uint8)
    settings = {
        "network": FROZEN | {"name": "efficientnet-lite0"},
        "optimizer": {"learning_rate": 0.01},
    }
    for targets, metric in ((numbers, "r2"), (labels, "f1")):
        run = striate.train(
            (pictures, targets), image_size=SIDE, threads=1, out=tmp_path, settings=settings
        )
        assert run.metrics["train"][metric] > 0.8


@pytest.mark.parametrize("head", [{}, {"dense": [8]}, {"dense": [16, 4], "dropout": 0.5}])
def test_plan_counts_the_parameters_that_a_head_has(head: dict[str, Any]) -> None:
    network = build(
        "efficientnet-lite0", channels=3, height=SIDE, width=SIDE, outputs=3, options=head
    )
    expected = sum(p.numel() for n, p in network.named_parameters() if n.startswith("head."))
    prepared: Any = SimpleNamespace(
        settings=make_settings({"network": {"name": "efficientnet-lite0", "head": head}}),
        source=SimpleNamespace(answer=Classification(("a", "b", "c"))),
    )
    assert _head_parameters(prepared, 1280) == expected
