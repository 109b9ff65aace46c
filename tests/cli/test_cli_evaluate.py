"""`striate evaluate`."""

import json
from pathlib import Path

import numpy as np
import pytest

from command_line import striate
from onnx_models import expected, write_tiny_model
from pictures import stripes, write_folder
from striate.answer import Classification, Regression
from striate.data import open_source
from striate.evaluation import evaluate
from striate.image import Shape, fit
from striate.model import load

CLASSES = ("across", "down")
SHAPE = Shape(height=8, width=8, channels=3)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "model", Classification(CLASSES))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "pictures", each=3)


def test_the_figures_are_those_of_the_network(model: Path, pictures: Path) -> None:
    fitted = [fit(stripes(kind * 2, seed), SHAPE) for kind in range(2) for seed in range(3)]
    answers = expected("classification", np.stack(fitted), 2)
    truth = np.repeat([0, 1], 3)
    document = json.loads(striate("evaluate", model, pictures, "--json").out)
    assert document["model"] == str(model)
    assert document["source"] == str(pictures)
    assert (document["part"], document["samples"]) == ("all", 6)
    assert document["metrics"]["correct"] == (answers.argmax(axis=1) == truth).sum()
    loss = -np.log(answers[np.arange(6), truth]).mean()
    assert document["metrics"]["loss"] == pytest.approx(loss, rel=1e-5)


def test_figures_classes_and_worst_mistakes_for_people(model: Path, pictures: Path) -> None:
    found = evaluate(load(model), open_source(pictures))
    done = striate("evaluate", model, pictures)
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert lines[:4] == ["all: 6 pictures", found.sentence, "",
                         "name    count  precision  recall      f1"]  # fmt: skip
    assert [line.split()[:2] for line in lines[4:6]] == [["across", "3"], ["down", "3"]]
    assert lines[6:8] == ["", "worst mistakes:"]
    assert [line.split()[:2] for line in lines[9:]] == [
        [one["name"], one["target"]] for one in found.worst
    ]
    assert found.worst


def test_a_part_is_chosen(model: Path, tmp_path: Path) -> None:
    for part, each in (("train", 4), ("test", 2)):
        write_folder(tmp_path / "parts" / part, each=each)
    parts = tmp_path / "parts"
    assert striate("evaluate", model, parts).out.startswith("test: 4 pictures\n")
    chosen = striate("evaluate", model, parts, "--part", "train")
    assert chosen.out.startswith("train: 8 pictures\n")
    done = striate("evaluate", model, parts, "--part", "tset")
    assert (done.code, done.out) == (2, "")
    assert "Did you mean 'test'?" in done.err


def test_a_table_is_read_with_its_options(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "model", Regression(("angle",)))
    write_folder(tmp_path / "elsewhere", each=2)
    rows = ["across/000.png,1,7,train", "across/001.png,2.5,7,test", "down/000.png,0.5,8,test"]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["image,angle,other,part", *rows]) + "\n")
    options = ("--images", tmp_path / "elsewhere", "--target", "angle", "--split", "part")
    document = json.loads(striate("evaluate", model, table, *options, "--json").out)
    fitted = np.stack([fit(stripes(kind, seed), SHAPE) for kind, seed in ((0, 1), (2, 0))])
    errors = expected("regression", fitted, 1)[:, 0] - [2.5, 0.5]
    assert (document["part"], document["samples"]) == ("test", 2)
    assert document["metrics"]["mae"] == pytest.approx(np.abs(errors).mean(), rel=1e-4)
    assert "mean absolute error" in striate("evaluate", model, table, *options).out


def test_unreadable_pictures_are_named_and_left_out(model: Path, pictures: Path) -> None:
    (pictures / "down" / "bad.png").write_bytes(b"nope")
    done = striate("evaluate", model, pictures)
    assert done.code == 0
    assert done.out.startswith("all: 6 pictures\n")
    assert "warning: down/bad.png: not a picture in a format" in done.err
    strict = striate("evaluate", model, pictures, "--strict")
    assert (strict.code, strict.out) == (5, "")
    for name in ("bad2", "bad3"):
        (pictures / "down" / f"{name}.png").write_bytes(b"nope")
    assert striate("evaluate", model, pictures).code == 5
    assert striate("evaluate", model, pictures, "--allow-unreadable").code == 0


def test_a_source_of_other_classes(model: Path, tmp_path: Path) -> None:
    other = write_folder(tmp_path / "other", classes=("acros", "down"), each=2)
    done = striate("evaluate", model, other)
    assert (done.code, done.out) == (3, "")
    assert "'acros'" in done.err
    assert "Did you mean 'across'?" in done.err
