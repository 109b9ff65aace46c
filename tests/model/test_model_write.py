"""Writing a model folder: whole or not at all."""

import errno
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from onnx_models import (
    expected,
    tiny_classifier,
    tiny_manifest,
    tiny_regressor,
    write_tiny_model,
)
from pictures import stripes
from striate.answer import Answer, Classification, MultiLabel, Regression
from striate.errors import DiskError, ModelError, RunFolderError
from striate.image import Shape, encode_png
from striate.model import Manifest, Predictor, load, verify, write_model

SHAPE = Shape(height=8, width=8, channels=3)
ANSWER = Classification(("ant", "bee"))


def _write(folder: Path, *, onnx: bytes | None = None, pictures: int = 1) -> Predictor:
    samples = [(f"my {i}.jpg", encode_png(stripes(i, 0))) for i in range(pictures)]
    return write_model(
        folder,
        tiny_manifest(ANSWER, SHAPE),
        onnx=onnx or tiny_classifier(2),
        weights=b"weights",
        samples=samples,
        sample_source="own",
    )


@pytest.mark.parametrize(
    "answer",
    [ANSWER, MultiLabel(("a", "b", "c")), Regression(("angle",)), Regression(("x", "y"))],
    ids=str,
)
def test_what_is_written_loads_and_verifies(tmp_path: Path, answer: Answer) -> None:
    folder = write_tiny_model(tmp_path / "runs" / "one" / "model", answer)
    assert verify(folder).ok
    predictor = load(folder)
    assert predictor.answer == answer
    assert predictor.shape == SHAPE
    pictures = np.stack([stripes(kind, 3, size=8) for kind in range(4)])
    logits_NK, answer_NK = predictor.run(pictures)
    names = len(answer.names)
    assert logits_NK.shape == answer_NK.shape == (4, names)
    assert answer_NK.dtype == np.float32
    np.testing.assert_allclose(
        answer_NK, expected(answer.task, pictures, names), rtol=1e-5, atol=1e-6
    )


def test_the_folder_holds_what_its_manifest_lists(tmp_path: Path) -> None:
    _write(tmp_path / "model", pictures=2)
    files = {
        path.relative_to(tmp_path / "model").as_posix(): path.read_bytes()
        for path in (tmp_path / "model").rglob("*")
        if path.is_file()
    }
    listed = json.loads(files.pop("model.json"))["files"]
    assert listed == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert sorted(files) == [
        "network.onnx",
        "samples/0.png",
        "samples/1.png",
        "weights.safetensors",
    ]
    assert files["weights.safetensors"] == b"weights"
    assert files["network.onnx"] == tiny_classifier(2)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_samples_hold_the_network_s_own_outputs(tmp_path: Path) -> None:
    predictor = _write(tmp_path / "model")
    (sample,) = predictor.manifest.samples
    assert (sample.file, sample.name, sample.source) == ("samples/0.png", "my 0.jpg", "own")
    logits_NK, answer_NK = predictor.run(predictor.pixels(stripes(0, 0))[None])
    # Through decimal digits and back without losing a bit.
    assert np.float32(sample.logits).tolist() == logits_NK[0].tolist()
    assert np.float32(sample.answer).tolist() == answer_NK[0].tolist()


def test_no_samples_are_needed(tmp_path: Path) -> None:
    assert _write(tmp_path / "model", pictures=0).manifest.samples == ()
    assert verify(tmp_path / "model").ok


@pytest.mark.parametrize("kind", ["full", "empty", "file", "link"])
def test_nothing_is_written_over(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "model"
    if kind in ("full", "empty"):
        folder.mkdir()
    if kind == "full":
        (folder / "mine.txt").write_text("mine")
    if kind == "file":
        folder.write_text("mine")
    if kind == "link":
        folder.symlink_to(tmp_path / "nowhere")
    before = sorted(path for path in tmp_path.rglob("*"))
    with pytest.raises(RunFolderError) as caught:
        _write(folder)
    assert str(caught.value) == (
        f"{folder}: this exists already, and a model is never written over. Choose another name, "
        "or remove it first."
    )
    assert sorted(path for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("failing", ["fsync", "rename", "mkdir"])
def test_a_full_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def full(*_args: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(*((os, "fsync") if failing == "fsync" else (Path, failing)), full)
    with pytest.raises(DiskError) as caught:
        _write(tmp_path / "model")
    assert str(caught.value) == (
        f"{tmp_path / 'model'}: the model can't be written here: No space left on device. Make "
        "room, or choose another place."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    folder = tmp_path / "file" / "model"
    with pytest.raises(DiskError) as caught:
        _write(folder)
    assert str(caught.value).startswith(f"{folder}: the model can't be written here: ")


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _write(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_every_file_and_folder_is_flushed_before_the_name_appears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    real_sync, real_rename = os.fsync, Path.rename

    def sync(handle: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{handle}").resolve().name)
        real_sync(handle)

    def rename(self: Path, target: Path) -> Path:
        flushed.append("renamed")
        return real_rename(self, target)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to see which file is flushed")
    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "rename", rename)
    _write(tmp_path / "model")
    stage = flushed[-3]
    assert stage.startswith(".model-")
    assert flushed == [
        "network.onnx", "weights.safetensors", "0.png", "model.json", "samples", stage, "renamed",
        tmp_path.name,
    ]  # fmt: skip


def test_a_network_that_breaks_the_contract_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"with 2 numbers in an answer"):
        _write(tmp_path / "model", onnx=tiny_regressor(3))
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    good = tiny_manifest(ANSWER, SHAPE)
    bad = Manifest(**{**vars(good), "mean": (0.5,)})
    with pytest.raises(ModelError) as caught:
        write_model(tmp_path / "model", bad, onnx=tiny_classifier(2), weights=b"w")
    assert str(caught.value) == (
        "model.json: 'input.mean' should be a list of 3 numbers, but it is [0.5]."
    )
    assert list(tmp_path.iterdir()) == []
