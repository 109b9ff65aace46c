"""`striate evaluate`."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from command_line import striate
from onnx_models import expected, write_tiny_model
from pictures import stripes, write_folder
from striate.answer import Classification, Regression
from striate.data import open_source
from striate.evaluation import evaluate
from striate.evaluation._robustness import robustness
from striate.image import Shape, fit
from striate.model import load
from striate.report._robustness import render_robustness

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


# ---------------------------------------------------------------- --robustness


def test_robustness_for_programs(model: Path, pictures: Path) -> None:
    document = json.loads(striate("evaluate", model, pictures, "--robustness", "--json").out)
    plain = json.loads(striate("evaluate", model, pictures, "--json").out)
    found = document.pop("robustness")
    assert document == plain
    assert found == robustness(load(model), open_source(pictures)).to_json()
    assert (found["part"], found["samples"]) == ("all", 6)
    unchanged = next(p for p in found["families"][0]["points"] if p["strength"] == 0)
    assert unchanged["accuracy"] == plain["metrics"]["accuracy"]
    assert unchanged["agreement"] == 1


def test_robustness_for_people(model: Path, pictures: Path) -> None:
    found = robustness(load(model), open_source(pictures)).to_json()
    done = striate("evaluate", model, pictures, "--robustness")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(striate("evaluate", model, pictures).out)
    lines = done.out.splitlines()
    start = lines.index(
        "robustness: 6 pictures, changed; agreement: share of pictures with the same answer as "
        "unchanged, per cent"
    )
    scale = found["families"][2]
    place = lines.index("scale (factor)", start)
    header, accuracy, agreement = (line.split() for line in lines[place + 1 : place + 4])
    points = scale["points"]
    assert header == ["strength", *(f"{point['strength']:g}" for point in points)]
    assert accuracy == ["accuracy", *(f"{100 * point['accuracy']:.1f}" for point in points)]
    assert agreement == ["agreement", *(f"{100 * point['agreement']:.1f}" for point in points)]
    assert lines[lines.index("flip", start) + 1].split()[1:] == [
        *("none", "horizontal", "vertical", "both")
    ]
    assert max(map(len, lines[start + 1 :])) <= 100


def test_robustness_of_numbers(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "model", Regression(("angle",)))
    write_folder(tmp_path, classes=("pictures",), each=2)
    (tmp_path / "table.csv").write_text("image,angle\npictures/000.png,40\npictures/001.png,41\n")
    done = striate("evaluate", model, tmp_path / "table.csv", "--robustness")
    assert done.code == 0
    assert "agreement: mean absolute change of the answer\n" in done.out
    rows = [line.split() for line in done.out.splitlines() if line.startswith("agreement ")]
    assert len(rows) == 7
    assert rows[0][1] == "0"


def test_the_page_of_robustness(model: Path, pictures: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = striate("evaluate", model, pictures, "--robustness", "--out", page, "--json")
    document = json.loads(done.out)
    assert page.read_text(encoding="utf-8") == render_robustness(document)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--out", "page.html"],
            "striate: --out is the page of --robustness. Add --robustness, or leave out --out.\n",
        ),
        (
            ["--robustness", "--out", "."],
            "striate: --out: . is a folder. Name a file, such as page.html.\n",
        ),
    ],
)
def test_options_that_cannot_be(
    model: Path,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = striate("evaluate", model, pictures, *options)
    assert (done.code, done.out, done.err) == (2, "", message)


def test_robustness_without_opencv(
    model: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    done = striate("evaluate", model, pictures, "--robustness")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "striate: this needs the package 'cv2', which isn't installed. "
        "Install what training needs: pip install 'striate[train]'\n"
    )
    assert striate("evaluate", model, pictures).code == 0


def test_robustness_needs_no_pytorch(model: Path, pictures: Path, tmp_path: Path) -> None:
    words = ["striate", "evaluate", str(model), str(pictures), "--robustness"]
    words += ["--out", str(tmp_path / "page.html")]
    code = (
        f"import sys; sys.argv = {words!r}\n"
        "from striate.cli import main\n"
        "try: main()\n"
        "except SystemExit as left: assert left.code == 0, left.code\n"
        "assert not {'torch', 'torchvision', 'pydantic'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_page_replaces_nothing_but_an_older_one(
    model: Path, pictures: Path, tmp_path: Path
) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    done = striate("evaluate", model, pictures, "--robustness", "--out", other)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"striate: --out: {other} exists and is no page of striate robustness, so it was left as it "
        "is. Choose another --out.\n"
    )
    assert other.read_text() == "mine"
