"""`striate check`."""

import json
from pathlib import Path
from shutil import copy

import numpy as np
import pytest

from command_line import striate
from pictures import save, write_folder


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "stripes", each=10)


def test_nothing_wrong(folder: Path) -> None:
    note = json.loads(striate("check", folder, "--json").out)["duplicates_note"]
    assert note.startswith("Near duplicates were not looked for: ")
    done = striate("check", folder)
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "stripes\n"
        "  pictures       20 of 16×16 px\n"
        "  classification across 10, down 10\n"
        "  parts          train 16, validation 4\n"
        "\n"
        "Nothing wrong or odd was found.\n"
        "\n"
        "notes:\n"
        f"  - {note}\n"
    )
    assert striate("check", folder, "--strict").code == 0


def test_faults_stand_before_oddities_and_strict_leaves_with_5(folder: Path) -> None:
    copy(folder / "across" / "001.png", folder / "down" / "copy.png")
    save(np.zeros((16, 16, 3), np.uint8), folder / "down" / "odd.gif")
    done = striate("check", folder)
    lines = done.out.splitlines()
    faults, odd = lines.index("faults, to be put right:"), lines.index("odd, perhaps right:")
    assert lines[faults + 1 : odd - 1] == [
        "  - The same picture with two classes, once (1 equal files): across/001.png (across) = "
        "down/copy.png (down). At least one of each is wrong.",
        "  - 1 picture is of one colour all over: down/odd.gif. Is there anything to see?",
    ]
    assert lines[odd + 1] == "  - 21 files end in .png, and 1 doesn't: down/odd.gif."
    assert (done.code, done.err) == (0, "")
    strict = striate("check", folder, "--strict")
    assert (strict.code, strict.out) == (5, done.out)
    assert strict.err == (
        "striate: In stripes 2 kinds of faults were found, and --strict was given. Put right what "
        "is listed as a fault, or leave pictures out by --exclude.\n"
    )


def test_json(folder: Path) -> None:
    copy(folder / "across" / "001.png", folder / "across" / "copy.png")
    (folder / "down" / "empty.png").write_bytes(b"")
    document = json.loads(striate("check", folder, "--json").out)
    assert (document["source"], document["samples"]) == (str(folder), 22)
    assert document["classes"] == {"across": 11, "down": 11}
    assert document["unreadable"] == [{"path": "down/empty.png", "reason": "the file is empty"}]
    assert document["duplicates"] == [
        {"kind": "bytes", "paths": ["across/001.png", "across/copy.png"]}
    ]
    assert document["leaks"] == []
    assert [one["kind"] for one in document["findings"]] == ["unreadable", "repeat"]
    assert document["warnings"] == [one["sentence"] for one in document["findings"]]
    assert document["findings"][1]["paths"] == ["across/001.png", "across/copy.png"]


def test_a_wrong_suffix_is_named_and_not_left_out(folder: Path) -> None:
    (folder / "down" / "003.png").rename(folder / "down" / "003.jpg")
    sentence = "Read by content, because the suffix is wrong: down/003.jpg (PNG)."
    document = json.loads(striate("check", folder, "--json").out)
    assert document["findings"][0] == {
        "kind": "suffix",
        "sentence": sentence,
        "fault": False,
        "paths": ["down/003.jpg"],
    }
    assert document["unreadable"] == [] and sum(document["parts"].values()) == 20
    assert f"  - {sentence}\n" in striate("check", folder).out
    assert striate("check", folder, "--strict").code == 0


def test_labels_are_listed_and_saved_for_exclude(folder: Path, tmp_path: Path) -> None:
    write_folder(folder, each=20)
    (folder / "across" / "003.png").rename(folder / "down" / "moved.png")
    names = tmp_path / "wrong.txt"
    done = striate("check", folder, "--labels", "--save", names)
    assert done.code == 0
    assert "down/moved.png  down   across        1.00" in done.out
    assert done.out.splitlines()[-1] == f"names  {names}"
    left = json.loads(striate("check", folder, "--exclude", names, "--json").out)
    assert left["samples"] < 40
    assert "down/moved.png" in names.read_text()


@pytest.mark.parametrize(
    ("words", "code", "letter"),
    [
        (["--save", "x"], 2, "--save keeps the names that --labels finds. Add --labels"),
        (["--exclude", "gone.txt"], 3, "The list gone.txt of --exclude can't be read: No such"),
        (["--exclude", "EMPTY"], 3, "names 1 picture that stripes doesn't hold: across/01.png."),
        (["--task", "regression"], 3, "gives each picture one class, but regression needs"),
        (["--nonsense"], 2, "No such option: --nonsense"),
    ],
)
def test_letters(folder: Path, tmp_path: Path, words: list[str], code: int, letter: str) -> None:
    names = tmp_path / "names.txt"
    names.write_text("across/01.png\n")
    done = striate("check", folder, *[names if word == "EMPTY" else word for word in words])
    assert (done.code, done.out) == (code, "")
    assert letter in done.err
    assert "Traceback" not in done.err


def test_no_source_and_nothing_readable(tmp_path: Path) -> None:
    assert striate("check", tmp_path / "gone").code == 3
    folder = write_folder(tmp_path / "x", each=1)
    for path in folder.rglob("*.png"):
        path.write_bytes(b"no picture")
    done = striate("check", folder)
    assert done.code == 5
    assert done.err.startswith("striate: None of the 2 pictures can be read:")


def test_a_list_replaces_nothing_but_an_older_one(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    done = striate("check", folder, "--labels", "--save", other)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"striate: --save: {other} exists and is no list of striate check, so it was left as it is. "
        "Choose another --save.\n"
    )
    assert other.read_text() == "mine"
