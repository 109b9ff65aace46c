"""The limit on a file's pixels goes with the model, and an option overrides it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import Done, striate
from onnx_models import write_tiny_model
from pictures import save, stripes, write_folder
from striate.answer import Classification
from striate.image import Shape
from striate.model import load

CLASSES = ("across", "down")
REASON = "20 × 20 pixels, more than the limit of 300 pixels"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def folder() -> Path:
    """24 pictures of 256 pixels, and one of 400."""
    made = write_folder(Path("stripes"), classes=CLASSES, each=12)
    save(stripes(0, 99, size=20), made / "down" / "large.png")
    return made


def predicted(model: Path, *options: object) -> str:
    """Return what is wrong with the larger picture; "" where it gets an answer."""
    done = striate("predict", model, "stripes/down/large.png", "--json", *options)
    (document,) = json.loads(done.out)
    error = str(document.get("error") or "")
    assert done.code == (3 if error else 0)
    return error


def evaluated(model: Path, *options: object) -> tuple[int, bool]:
    """Return how many pictures were measured, and whether the larger one was left out."""
    done: Done = striate("evaluate", model, "stripes", "--part", "all", "--json", *options)
    assert done.code == 0
    samples: int = json.loads(done.out)["samples"]
    return samples, f"down/large.png: {REASON}; left out" in done.err


def written() -> Path:
    return write_tiny_model(Path("model"), Classification(CLASSES), max_pixels=300)


def trained() -> Path:
    words = ("--set", "data.max_pixels=300", "--epochs", 1, "--threads", 1, "--name", "a")
    done = striate("train", "stripes", *words)
    assert done.code == 0 and REASON in done.err
    return Path("runs/a/model")


@pytest.mark.parametrize("make", [written, pytest.param(trained, marks=pytest.mark.slow)])
@pytest.mark.usefixtures("folder")
def test_the_models_limit_holds_and_an_option_overrides_it(make: Callable[[], Path]) -> None:
    model = make()
    document = json.loads((model / "model.json").read_text(encoding="utf-8"))
    assert document["input"]["max_pixels"] == 300
    assert REASON in predicted(model)
    assert predicted(model, "--max-pixels", 400) == ""
    assert "more than the limit of 200 pixels" in predicted(model, "--max-pixels", 200)
    assert evaluated(model) == (24, True)
    assert evaluated(model, "--max-pixels", 400) == (25, False)
    assert (load(model).max_pixels, load(model, max_pixels=7).max_pixels) == (300, 7)
    assert striate("verify", model).code == 0


def test_samples_have_the_models_size_whatever_its_limit() -> None:
    shape = Shape(height=16, width=16, channels=3)
    model = write_tiny_model(Path("m"), Classification(CLASSES), shape=shape, max_pixels=10)
    assert striate("verify", model).code == 0
    assert load(model).max_pixels == 10
