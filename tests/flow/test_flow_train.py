"""`striate.train` from a source to a run folder, in this process, on small pictures."""

import csv
import hashlib
import json
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import striate
from pictures import save, stripes, write_folder
from striate.errors import NetworkError, UsageError
from striate.flow import Run
from striate.network import find_weights
from striate.network._weights_pixels import IMAGENET
from striate.training import Epoch, Silent
from striate.training._freed_memory import freed_memory_kept


class Ear(Silent):
    """A listener that remembers."""

    def __init__(self) -> None:
        self.facts: list[tuple[str, str, str]] = []
        self.warnings: list[str] = []
        self.epochs: list[Epoch] = []

    def found(self, facts: Any) -> None:
        self.facts += facts

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)

    def epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("data") / "stripes", each=20)


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return striate.train(folder, epochs=8, out=tmp_path_factory.mktemp("runs"), threads=1)


def weights_hash(run: Run) -> str:
    return hashlib.sha256((run.model / "weights.safetensors").read_bytes()).hexdigest()


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def read_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_the_run_folder_holds_what_its_page_lists(run: Run) -> None:
    assert sorted(path.name for path in run.folder.iterdir()) == [
        ".lock",
        "config.yaml",
        "history.csv",
        "layers.csv",
        "metrics.json",
        "model",
        "report.html",
        "results.json",
        "steps.csv",
    ]


def test_the_weights_of_a_model_folder_are_used_as_its_model_json_says(
    run: Run, tmp_path: Path
) -> None:
    path = run.folder / "model" / "weights.safetensors"
    expected = read_json(path.with_name("model.json"))["input"]
    pixels = find_weights("compact", path).pixels
    assert [list(pixels.mean), list(pixels.deviation)] == [expected["mean"], expected["deviation"]]
    assert (pixels.height, pixels.width) == (expected["height"], expected["width"])
    assert pixels.said_by == f"those of the model in {path.parent}"
    # Alone, or as another file beside that model.json, they say nothing.
    alone = tmp_path / "weights.safetensors"
    alone.write_bytes(path.read_bytes())
    assert find_weights("compact", alone).pixels == IMAGENET
    alone.with_name("model.json").write_bytes(path.with_name("model.json").read_bytes())
    assert find_weights("compact", alone).pixels.mean == pixels.mean
    alone.write_bytes(path.read_bytes() + b" ")
    assert find_weights("compact", alone).pixels == IMAGENET
    alone.with_name("model.json").write_text("{}")
    other = alone.with_name("resnet.safetensors")
    other.write_bytes(path.read_bytes())
    assert find_weights("compact", other).pixels == IMAGENET
    with pytest.raises(UsageError, match=r"To use weights\.safetensors alone, copy it to another"):
        find_weights("compact", alone)


def test_stripes_are_learnt(run: Run) -> None:
    assert run.metrics["validation"]["accuracy"] == 1.0
    assert run.metrics["validation"]["total"] == 8
    assert run.exit_code == 0


def test_the_figures_are_those_of_the_shipped_file(run: Run, folder: Path) -> None:
    model = striate.load(run.model)
    source = striate.open_source(folder)
    answer = np.stack(
        [model.run(model.pixels(source.pictures.file(i))[None])[1][0] for i in range(40)]
    )
    both = source.answer.metrics(answer, source.targets)
    parts = read_json(run.folder / "metrics.json")["parts"]
    weighted = sum(parts[p]["loss"] * parts[p]["samples"] for p in ("train", "validation")) / 40
    assert both["loss"] == pytest.approx(weighted, abs=1e-6)


def test_the_shipped_network_equals_pytorch_with_the_shipped_weights(run: Run) -> None:
    from safetensors.torch import load_file

    from striate.network import build

    model = striate.load(run.model)
    network = build("compact", channels=3, height=16, width=16, outputs=2)
    network.load_state_dict(load_file(run.model / "weights.safetensors"))
    network.eval()
    picture = stripes(2, 99)
    manifest = model.manifest
    x = (picture / 255 - np.array(manifest.mean)) / np.array(manifest.deviation)
    with torch.no_grad():
        logits = network(torch.from_numpy(x).float().permute(2, 0, 1)[None])
    np.testing.assert_allclose(model.run(picture[None])[0], logits.numpy(), atol=1e-5)


def test_evaluating_the_model_repeats_the_figures(tmp_path: Path) -> None:
    train = write_folder(tmp_path / "both" / "train", each=12)
    write_folder(tmp_path / "both" / "test", each=5)
    run = striate.train(train.parent, epochs=1, out=tmp_path)
    again = striate.evaluate(run.folder, tmp_path / "both")
    assert again.part == "test"
    expected = {k: v for k, v in run.metrics["test"].items() if k not in ("samples", "sampled")}
    assert again.metrics == pytest.approx(expected, abs=1e-6)


def test_history_and_steps_have_a_row_for_each(run: Run) -> None:
    steps = read_rows(run.folder / "steps.csv")
    history = read_rows(run.folder / "history.csv")
    assert [row["epoch"] for row in history] == [str(n) for n in range(1, 9)]
    assert [row["step"] for row in steps] == [str(n) for n in range(8 * 2)]
    assert history[-1]["step"] == "16"
    assert all(float(row["gradient_norm"]) > 0 for row in steps)
    first = np.mean([float(row["loss"]) for row in steps if row["epoch"] == "1"])
    assert float(history[0]["running_loss"]) == pytest.approx(first, rel=1e-4)


def test_the_validation_row_of_the_best_epoch_is_what_the_shipped_file_gives(run: Run) -> None:
    history = read_rows(run.folder / "history.csv")
    best = history[run.best_epoch - 1]
    assert float(best["validation_loss"]) == pytest.approx(
        run.metrics["validation"]["loss"], rel=1e-3, abs=1e-5
    )


def test_the_config_repeats_the_run_to_the_bit(run: Run, tmp_path: Path) -> None:
    again = striate.train(config=run.folder / "config.yaml", out=tmp_path)
    assert weights_hash(again) == weights_hash(run)
    assert (again.folder / "history.csv").read_text().splitlines()[0].startswith("epoch,step")


@pytest.mark.parametrize("free", [0, 1 << 50])
def test_memory_kept_or_given_back_changes_no_bit(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    kept: list[bool] = []
    monkeypatch.setattr("striate.training._freed_memory.free_memory", lambda: free)

    @contextmanager
    def seen(needed: int) -> Iterator[bool]:
        with freed_memory_kept(needed) as answer:
            kept.append(answer)
            yield answer

    monkeypatch.setattr("striate.flow._plan_memory.freed_memory_kept", seen)
    again = striate.train(config=run.folder / "config.yaml", out=tmp_path)
    assert kept == [bool(free) and platform.libc_ver()[0] == "glibc"]
    assert weights_hash(again) == weights_hash(run)


def test_another_seed_gives_other_weights(run: Run, tmp_path: Path) -> None:
    other = striate.train(config=run.folder / "config.yaml", seed=1, out=tmp_path)
    assert weights_hash(other) != weights_hash(run)


def test_unreadable_pictures_are_named_and_change_nothing_else(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    import shutil

    copy = tmp_path / "stripes"
    shutil.copytree(folder, copy)
    (copy / "across" / "broken.png").write_bytes(b"")
    whole = stripes(0, 77)
    save(whole, copy / "down" / "torn.png")
    torn = copy / "down" / "torn.png"
    torn.write_bytes(torn.read_bytes()[:300])
    ear = Ear()
    other = striate.train(copy, epochs=8, out=tmp_path / "runs", threads=1, listener=ear)
    assert weights_hash(other) == weights_hash(run)
    assert any("across/broken.png" in sentence for sentence in ear.warnings)
    assert any("down/torn.png" in sentence for sentence in ear.warnings)


def test_an_existing_run_folder_is_left_alone(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "precious.txt").write_text("x")
    with pytest.raises(striate.RunFolderError) as caught:
        striate.train(folder, epochs=1, out=tmp_path, name="mine")
    assert str(caught.value) == (
        f"{mine} exists already and was left as it is. Choose another --name, or remove it."
    )
    assert [path.name for path in mine.iterdir()] == ["precious.txt"]


def test_without_a_name_runs_are_numbered(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "stripes").mkdir()
    run = striate.train(folder, epochs=1, out=tmp_path)
    assert run.folder.name == "stripes-2"


def test_a_rate_far_too_large_is_caught_before_the_weights_are_touched(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(striate.NotFiniteError) as caught:
        striate.train(
            folder,
            network="cnn3",
            out=tmp_path,
            learning_rate=1e18,
            settings={"optimizer": {"name": "sgd"}, "loss": {"name": "cross-entropy"}},
        )
    assert "try --learning-rate 2e+16. The step's pictures: " in str(caught.value)
    assert "no weight was changed by that step" in str(caught.value)


def test_early_stopping_returns_the_best_weights(folder: Path, tmp_path: Path) -> None:
    ear = Ear()
    run = striate.train(
        folder,
        epochs=50,
        out=tmp_path,
        settings={"training": {"patience": 2}},
        listener=ear,
    )
    assert run.stopped == "no better epoch in 2 (early stopping)"
    assert len(ear.epochs) == run.best_epoch + 2 < 50
    best = ear.epochs[run.best_epoch - 1]
    assert run.metrics["validation"]["accuracy"] == pytest.approx(best.validation["accuracy"])


def test_plateau_lowers_the_rate(folder: Path, tmp_path: Path) -> None:
    ear = Ear()
    striate.train(
        folder,
        epochs=6,
        out=tmp_path,
        learning_rate=1e-6,
        settings={
            "schedule": {"name": "plateau", "factor": 0.5, "patience": 0, "min_lr": 2.5e-7},
            "optimizer": {"name": "sgd"},
        },
        network="cnn3",
        listener=ear,
    )
    # From the second validation figure on no epoch is better by one part in 10,000.
    rates = [epoch.learning_rate for epoch in ear.epochs]
    assert rates == [1e-6, 1e-6, 5e-7, 2.5e-7, 2.5e-7, 2.5e-7]


@pytest.mark.parametrize(("kind", "count"), [("own", 5), ("synthetic", 5), ("none", 0)])
def test_samples_are_the_users_choice(folder: Path, tmp_path: Path, kind: str, count: int) -> None:
    run = striate.train(folder, epochs=1, out=tmp_path, settings={"training": {"samples": kind}})
    manifest = read_json(run.model / "model.json")
    assert len(manifest["samples"]) == count
    assert {one["source"] for one in manifest["samples"]} <= {kind}


def test_a_users_own_module_and_loss(folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 2)
    )
    calls = []

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        calls.append(len(targets))
        return nn.functional.cross_entropy(logits, targets)

    run = striate.train(folder, network=module, loss=loss, epochs=10, out=tmp_path)
    assert calls
    assert run.metrics["validation"]["accuracy"] >= 0.9
    assert read_json(run.model / "model.json")["network"]["name"] == "Sequential"


def test_a_module_with_the_wrong_number_of_outputs_is_refused(folder: Path, tmp_path: Path) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 7))
    with pytest.raises(striate.UsageError) as caught:
        striate.train(folder, network=module, out=tmp_path)
    assert str(caught.value) == (
        "The network gives 7 numbers for a picture, but classification of across, down takes "
        "2 (or 1). Change the size of its last layer."
    )


def test_a_module_that_cannot_take_the_pictures_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(striate.NetworkError, match="can't take pictures of 3x16x16: mat1 and mat2"):
        striate.train(folder, network=nn.Sequential(nn.Flatten(), nn.Linear(5, 2)), out=tmp_path)


def test_a_network_with_one_logit_answers_for_two_classes(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "big", each=8, size=32)
    run = striate.train(source, network="cnn64", epochs=2, out=tmp_path)
    model = striate.load(run.model)
    logits, answer = model.run(stripes(0, 1, size=32)[None])
    assert logits.shape == (1, 1)
    sigma = 1 / (1 + np.exp(-logits[0, 0]))
    np.testing.assert_allclose(answer[0], [1 - sigma, sigma], atol=1e-6)


def arrays(count: int = 48) -> np.ndarray:
    return np.stack([stripes(i % 4, i, size=12, channels=1) for i in range(count)])


def test_multi_label_arrays(tmp_path: Path) -> None:
    kinds = np.arange(48) % 4
    labels = np.stack([kinds >= 2, kinds % 2 == 1, kinds == 0], axis=1).astype(np.uint8)
    np.savez(tmp_path / "labels.npz", images=arrays(), targets=labels)
    run = striate.train(tmp_path / "labels.npz", epochs=12, out=tmp_path)
    assert read_json(run.folder / "metrics.json")["task"] == "multi-label"
    assert run.metrics["validation"]["f1"] > 0.8
    _, answer = striate.load(run.model).run(arrays(4))
    assert answer.shape == (4, 3)
    assert ((answer >= 0) & (answer <= 1)).all()


def test_regression_answers_in_the_users_units(tmp_path: Path) -> None:
    level = np.random.default_rng(0).integers(20, 235, 60)
    pictures = np.repeat(level.astype(np.uint8), 100).reshape(60, 10, 10)
    # The mean brightness in units far from 0 and 1, and its opposite.
    targets = np.stack([5000 + 100.0 * level, -level / 50], axis=1)
    run = striate.train((pictures, targets), epochs=40, out=tmp_path)
    model = striate.load(run.model)
    _, answer = model.run(pictures[..., None])
    for column in range(2):
        assert np.corrcoef(answer[:, column], targets[:, column])[0, 1] > 0.95
    assert abs(answer[:, 0].mean() - targets[:, 0].mean()) < 2000
    assert run.metrics["validation"]["r2"] > 0.7


def test_given_and_computed_scaling(folder: Path, tmp_path: Path) -> None:
    given = striate.train(
        folder,
        epochs=1,
        out=tmp_path,
        settings={"data": {"mean": [0.5], "deviation": [0.25, 0.26, 0.27]}},
    )
    manifest = read_json(given.model / "model.json")["input"]
    assert manifest["mean"] == [0.5, 0.5, 0.5]
    assert manifest["deviation"] == [0.25, 0.26, 0.27]
    with pytest.raises(striate.UsageError) as caught:
        striate.train(folder, out=tmp_path, settings={"data": {"mean": [0.5, 0.5]}})
    assert str(caught.value) == (
        "data.mean = [0.5, 0.5]: expected 3 numbers, one per channel, or one."
    )


def test_statistics_and_whitening_are_of_all_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from striate.flow import _fit as module

    noise = np.random.default_rng(0).integers(0, 40, (120, 16, 16), np.uint8)
    pictures = noise + np.repeat(np.array([0, 210], np.uint8), 60)[:, None, None]
    monkeypatch.setattr(module, "STATISTICS_SAMPLE", 40)
    monkeypatch.setattr(module, "WHITENING_PIXELS", 40 * 256)
    seen: list[Any] = []
    monkeypatch.setattr(module, "whiten", lambda _network, some: seen.append(some))
    run = striate.train(
        (pictures, np.arange(120) // 60),
        network="airbench",
        epochs=1,
        threads=1,
        out=tmp_path,
        settings={"network": {"initialisation": {"first": "whitening"}}},
    )
    (mean,) = read_json(run.model / "model.json")["input"]["mean"]
    # Of the first 40 it would be 0.08.
    assert 0.35 < mean < 0.65
    (some,) = seen
    assert len(some) == 40
    assert 10 < int((some.mean(dim=(1, 2, 3)) > 0).sum()) < 30


def test_a_source_must_be_named() -> None:
    with pytest.raises(striate.UsageError) as caught:
        striate.train()
    assert str(caught.value) == (
        "Name a source: a folder, a CSV, an .npz, or a data set (striate datasets)."
    )


def test_nothing_is_written_before_the_source_is_good(tmp_path: Path) -> None:
    with pytest.raises(striate.SourceError):
        striate.train(tmp_path / "nothing", out=tmp_path / "runs")
    with pytest.raises(striate.NetworkError):
        striate.train("digits", network="cnn33", out=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_network_that_was_exported_wrongly_is_not_shipped(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from striate.flow import _product

    right = _product.answers_of

    def wrong(*arguments: Any) -> Any:
        return right(*arguments)[:, ::-1]

    monkeypatch.setattr(_product, "answers_of", wrong)
    with pytest.raises(striate.CheckError, match="The exported network disagrees"):
        striate.train(folder, epochs=2, out=tmp_path, name="n")
    assert not (tmp_path / "n" / "model").exists()


@pytest.mark.parametrize("name", ["../x", "a/b", "", " ", ".."])
def test_a_run_name_is_one_folders_name(folder: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(striate.UsageError) as caught:
        striate.train(folder, epochs=1, out=tmp_path / "runs", name=name)
    assert str(caught.value) == (
        f"--name: expected a folder's name without '/', it got '{name}'. --out says where it lies."
    )
    assert not (tmp_path / "runs").exists()


def test_left_out_pictures_are_listed_in_the_results(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "stripes", each=8)
    (source / "down" / "empty.png").write_bytes(b"")
    run = striate.train(source, epochs=1, out=tmp_path)
    assert read_json(run.folder / "results.json")["unreadable"] == [
        {"name": "down/empty.png", "reason": "the file is empty"}
    ]


class Uneven(torch.nn.Module):
    """A pooling that doesn't divide its map: fine in PyTorch, not for the exporter."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = torch.nn.Linear(25, 2)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        pooled = torch.nn.functional.adaptive_avg_pool2d(pictures[:, :1], 5)
        return self.dense(pooled.flatten(1))


def test_a_module_that_cannot_be_exported_is_refused_before_training(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
    arrays = (pixels, np.arange(12) % 2)
    with pytest.raises(NetworkError) as caught:
        striate.train(arrays, network=Uneven(), epochs=1, out=tmp_path)
    assert str(caught.value) == (
        "The network can't be written as network.onnx for pictures of 8x8: Unsupported: ONNX export "
        "of operator adaptive_avg_pool2d, output size that are not factor of input size. Take "
        "another --image-size or --network."
    )
    assert not list(tmp_path.iterdir())
