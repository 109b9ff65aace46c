"""`striate predict`."""

import csv
import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from command_line import striate
from onnx_models import write_tiny_model
from pictures import save, stripes, write_folder
from striate.answer import Answer, Classification, MultiLabel, Regression
from striate.cli._given import given_pictures
from striate.errors import SourceError
from striate.model import load

PROGRAM = "from striate.cli import main; main()"
NOT_A_PICTURE = (
    "not a picture in a format striate reads (JPEG, PNG, WebP, TIFF, BMP, GIF, PPM): it begins "
    "with 'nope'"
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "run" / "model", Classification(("ant", "bumblebee")))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "pictures", each=2)


def test_a_table_for_people(model: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pictures)
    done = striate("predict", model, "down/001.png", "across")
    answers = [
        prediction.answer
        for prediction in load(model).predict(["down/001.png", "across/000.png", "across/001.png"])
    ]
    words = [f"{one['label']:<9}  {100 * one['probability']:.1f} %" for one in answers]
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "picture         label      probability",
        f"down/001.png    {words[0]}",
        f"across/000.png  {words[1]}",
        f"across/001.png  {words[2]}",
    ]


def test_a_run_folder_is_a_model(model: Path, pictures: Path) -> None:
    assert striate("predict", model.parent, pictures) == striate("predict", model, pictures)


def test_json_is_one_document_of_one_object_a_picture(model: Path, pictures: Path) -> None:
    done = striate("predict", model, pictures, "--json")
    found = json.loads(done.out)
    paths = [str(pictures / kind / f"00{i}.png") for kind in ("across", "down") for i in range(2)]
    assert (done.code, done.err) == (0, "")
    assert found == [one.to_json() for one in load(model).predict(paths)]
    assert [sorted(one) for one in found] == [["label", "path", "probabilities", "probability"]] * 4


@pytest.mark.parametrize(
    ("answer", "header"),
    [
        (Classification(("a", "b")), "path,label,probability,probability_a,probability_b,error"),
        (MultiLabel(("a", "b")), "path,labels,probability_a,probability_b,error"),
        (Regression(("x", "y, mm")), 'path,x,"y, mm",error'),
    ],
)
def test_csv_holds_every_number(
    tmp_path: Path, pictures: Path, answer: Answer, header: str
) -> None:
    model = write_tiny_model(tmp_path / "other", answer)
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"nope")
    done = striate("predict", model, pictures, bad, "--csv")
    rows = list(csv.DictReader(StringIO(done.out)))
    assert done.code == 3
    assert done.out.splitlines()[0] == header
    assert [row["error"] for row in rows] == ["", "", "", "", NOT_A_PICTURE]
    assert {value for key, value in rows[4].items() if key not in ("path", "error")} == {""}
    for row, one in zip(rows[:4], load(model).predict([row["path"] for row in rows[:4]])):
        wanted = (one.values or one.probabilities or {}).items()
        prefix = "" if one.values else "probability_"
        for name, number in wanted:
            assert float(row[prefix + name]) == pytest.approx(number, rel=1e-6)
        if one.labels is not None:
            assert row["labels"] == ";".join(one.labels)
        if one.label is not None:
            assert row["label"] == one.label
            assert float(row["probability"]) == pytest.approx(one.probability, rel=1e-6)


def test_tables_of_the_other_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(stripes(0, 0), Path("one.png"))
    labels = write_tiny_model(tmp_path / "labels", MultiLabel(("a", "b")))
    (one,) = load(labels).predict("one.png")
    assert one.labels == ["a"]
    chance = (one.probabilities or {})["a"]
    assert striate("predict", labels, "one.png").out == (
        f"picture  labels\none.png  a {100 * chance:.1f} %\n"
    )
    numbers = write_tiny_model(tmp_path / "numbers", Regression(("angle", "y")))
    (one,) = load(numbers).predict("one.png")
    angle, y = (f"{value:.6g}" for value in (one.values or {}).values())
    assert striate("predict", numbers, "one.png").out == (
        f"picture  angle  y\none.png  {angle}  {y}\n"
    )


@pytest.mark.usefixtures("pictures")
def test_an_unreadable_picture_gets_an_error_and_the_rest_an_answer(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.png").write_bytes(b"nope")
    given = ["bad.png", "pictures/down/000.png", "missing.png"]
    done = striate("predict", model, *given)
    lines = done.out.splitlines()
    assert done.code == 3
    assert lines[1] == f"bad.png                error: {NOT_A_PICTURE}"
    assert lines[2].startswith("pictures/down/000.png  ")
    assert lines[3] == "missing.png            error: there is no such file"
    assert done.err == (
        "striate: Pictures that can't be read: 2 of 3; the reasons stand in their place.\n"
    )
    done = striate("predict", model, *given, "--json")
    document = json.loads(done.out)
    assert done.code == 3
    assert document[0] == {"path": "bad.png", "error": NOT_A_PICTURE}
    assert document[1]["label"] in ("ant", "bumblebee")
    assert document[2] == {"path": "missing.png", "error": "there is no such file"}


def test_a_folder_without_pictures(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for name in ("a.txt", "b.txt", "README"):
        (folder / name).write_text("x")
    done = striate("predict", model, folder, "--json")
    assert (done.code, done.out) == (3, "")
    assert done.err == (
        f"striate: {folder}: there are no pictures below this folder (found 2 .txt, 1 without "
        "suffix). Name another folder, or the files themselves.\n"
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "(found no files)" in striate("predict", model, empty).err


def test_a_pattern_that_fits_nothing(model: Path, tmp_path: Path) -> None:
    done = striate("predict", model, tmp_path / "*.jpg")
    assert (done.code, done.out) == (3, "")
    assert done.err == (
        f"striate: {tmp_path / '*.jpg'}: no file fits this pattern. Check it, or name a folder.\n"
    )


@pytest.mark.usefixtures("pictures")
def test_what_words_stand_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("x")
    odd = Path("odd[1].png")
    odd.write_text("x")
    save(stripes(0, 0), Path("pictures/deep/er/x.JPG"))
    assert given_pictures(["pictures/down", "notes.txt"]) == [
        "pictures/down/000.png", "pictures/down/001.png", "notes.txt",
    ]  # fmt: skip
    assert given_pictures(["pictures/*/001.png"]) == [
        "pictures/across/001.png", "pictures/down/001.png",
    ]  # fmt: skip
    assert given_pictures(["pictures/**/*.JPG"]) == ["pictures/deep/er/x.JPG"]
    assert given_pictures(["odd[1].png"]) == ["odd[1].png"]
    assert given_pictures(["pictures"]) == [
        "pictures/across/000.png", "pictures/across/001.png", "pictures/deep/er/x.JPG",
        "pictures/down/000.png", "pictures/down/001.png",
    ]  # fmt: skip
    with pytest.raises(SourceError):
        given_pictures(["pictures", "*.gif"])


def test_json_and_csv_exclude_each_other(model: Path, pictures: Path) -> None:
    done = striate("predict", model, pictures, "--json", "--csv")
    assert (done.code, done.out) == (2, "")
    assert done.err == "striate: --json and --csv exclude each other. Choose one.\n"


def test_no_model(tmp_path: Path, pictures: Path) -> None:
    done = striate("predict", tmp_path / "none", pictures, "--json")
    assert (done.code, done.out) == (4, "")
    assert done.err.startswith(f"striate: {tmp_path / 'none'}: there is no such folder. ")


def test_names_cannot_command_the_terminal(model: Path, tmp_path: Path) -> None:
    path = save(stripes(0, 0), tmp_path / "red\x1b[31m.png")
    for option in ((), ("--csv",), ("--json",)):
        done = striate("predict", model, path, *option)
        assert done.code == 0
        assert "\x1b" not in done.out
    assert "red\\x1b[31m.png" in striate("predict", model, path).out


def test_a_reader_that_goes_away_is_no_failure(model: Path, pictures: Path) -> None:
    """`striate predict … | head -1` must not end in a traceback."""
    many = [str(pictures)] * 2000
    words = [sys.executable, "-c", PROGRAM, "predict", str(model), *many]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        if process.stdout is None or process.stderr is None:
            pytest.fail("no pipes")
        assert process.stdout.readline().startswith(b"picture")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_prediction_imports_no_training_library(model: Path, pictures: Path) -> None:
    code = (
        "import sys\nfrom striate.cli import main\ntry:\n    main()\nexcept SystemExit as left:\n"
        "    heavy = {'torch', 'torchvision', 'timm', 'cv2', 'sklearn', 'matplotlib', 'onnx'}\n"
        "    sys.exit(left.code or heavy & sys.modules.keys() or 0)"
    )
    for words in (
        ["predict", model, pictures],
        ["verify", model],
        ["predict", "--help"],
        ["evaluate", "--help"],
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, words)],
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "100"},
        )
        assert (done.returncode, done.stderr) == (0, "")
