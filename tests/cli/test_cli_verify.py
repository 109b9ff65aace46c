"""`striate verify`."""

import json
from pathlib import Path

import pytest

from command_line import striate
from onnx_models import write_tiny_model
from striate.answer import Classification
from striate.model import examine


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "run" / "model", Classification(("ant", "bee")))


CHECKS = [
    "model.json is well formed (format 0)",
    "network.onnx is unchanged",
    "samples/0.png is unchanged",
    "samples/1.png is unchanged",
    "weights.safetensors is unchanged",
    "network.onnx takes and gives what docs/model-folder.md says",
    "samples/0.png gives the answer it gave",
    "samples/1.png gives the answer it gave",
]


def test_each_check_has_its_line(model: Path) -> None:
    (model / "my notes.txt").write_text("x")
    done = striate("verify", model.parent)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        *(f"ok     {check}" for check in CHECKS),
        "extra  my notes.txt is not part of the model and is never read",
        f"{model} is as it was written.",
    ]


def test_json(model: Path) -> None:
    done = striate("verify", model, "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == {
        "path": str(model),
        "ok": True,
        "checks": [{"what": check, "ok": True, "wrong": ""} for check in CHECKS],
        "extra": [],
    }


def test_a_changed_byte_leaves_with_4(model: Path) -> None:
    weights = model / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    done = striate("verify", model)
    letter = examine(model).letter
    assert f"{model}: the file 'weights.safetensors' was changed" in letter
    assert (done.code, done.err) == (4, f"striate: {letter}\n")
    assert done.out.splitlines() == [
        *(f"ok     {check}" for check in CHECKS[:4]),
        "WRONG  weights.safetensors is unchanged",
    ]
    document = json.loads(striate("verify", model, "--json").out)
    assert document["ok"] is False
    assert [check["wrong"] for check in document["checks"]] == ["", "", "", "", letter]


def test_no_model(tmp_path: Path) -> None:
    done = striate("verify", tmp_path)
    assert (done.code, done.out) == (4, "")
    assert done.err == (
        f"striate: {tmp_path}: there is no model in this folder. Expected a model folder (it holds "
        "model.json), or a run folder with one as model/.\n"
    )
