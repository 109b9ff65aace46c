"""The whole check of a source, and the same findings before a training."""

from pathlib import Path
from shutil import copy

import numpy as np
import pytest
from PIL import Image

import striate
from pictures import save, write_folder
from striate.data import open_source
from striate.errors import CheckError, UsageError
from striate.flow._check import check_source, likely_device
from striate.flow._check_run import document_of, run_check
from striate.training import Settings, Silent, make_settings


class Ear(Silent):
    """A listener that remembers warnings and facts."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.facts: dict[str, tuple[str, str]] = {}

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)

    def found(self, facts: object) -> None:
        self.facts = {name: (value, reason) for name, value, reason in facts}  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with one of each kind; everything is in class `across` but where it says so."""
    folder = write_folder(tmp_path / "broken", each=20, size=32)
    (folder / "across" / "empty.png").write_bytes(b"")
    whole = (folder / "across" / "000.png").read_bytes()
    (folder / "down" / "cut.png").write_bytes(whole[: len(whole) // 2])
    copy(folder / "across" / "001.png", folder / "down" / "copy.png")
    Image.open(folder / "across" / "002.png").save(folder / "across" / "again.png", optimize=True)
    save(np.full((32, 32, 3), 70, np.uint8), folder / "across" / "blank.png")
    return folder


def test_one_of_each_broken_kind(broken: Path) -> None:
    checked = check_source(open_source(broken), Settings())
    found = {one.kind: one for one in checked.audit.findings}
    assert {kind: one.fault for kind, one in found.items()} == {
        "unreadable": True,
        "contradiction": True,
        "repeat": False,
        "blank": True,
    }
    assert found["unreadable"].sentence == (
        "2 pictures can't be read and will be left out: across/empty.png (the file is empty), "
        "down/cut.png (truncated)."
    )
    document = document_of(checked)
    assert document["samples"] == 45
    assert document["classes"] == {"across": 23, "down": 22}
    assert [one["path"] for one in document["unreadable"]] == ["across/empty.png", "down/cut.png"]
    assert sorted(one["paths"] for one in document["duplicates"]) == [
        ["across/001.png", "down/copy.png"],
        ["across/002.png", "across/again.png"],
    ]
    assert sorted(one["kind"] for one in document["duplicates"]) == ["bytes", "pixels"]
    # The split was free to keep them on one side.
    assert document["leaks"] == []
    assert document["warnings"] == [one.sentence for one in checked.audit.findings]
    assert sum(document["parts"].values()) == 43


def test_leaks_between_given_parts(tmp_path: Path) -> None:
    for part in ("train", "val"):
        write_folder(tmp_path / part, each=8, size=32)
    # The same seeds made both parts: every picture of val is in train too.
    document = document_of(check_source(open_source(tmp_path), Settings()))
    assert len(document["leaks"]) == 16
    assert document["leaks"][0] == {
        "kind": "bytes",
        "paths": ["train/across/000.png", "val/across/000.png"],
        "parts": ["train", "validation"],
    }


def test_nothing_odd(tmp_path: Path) -> None:
    checked = check_source(open_source(write_folder(tmp_path / "x", each=12)), Settings())
    assert checked.audit.findings == ()
    assert checked.doubts is None


def test_what_is_checked_is_what_a_training_reads(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "x", each=12, size=80)
    checked = check_source(open_source(folder), Settings())
    assert (checked.store.shape.height, checked.store.shape.channels) == (64, 3)
    assert likely_device(make_settings({"training": {"device": "cuda"}})) == "cuda"


def test_a_training_tells_the_same_and_keeps_duplicates_on_one_side(broken: Path) -> None:
    ear = Ear()
    run = striate.train(broken, epochs=1, threads=1, out=broken.parent / "runs", listener=ear)
    assert run.metrics["train"]["samples"] + run.metrics["validation"]["samples"] == 43
    told = "\n".join(ear.warnings)
    for words in ("across/empty.png", "down/cut.png", "with two classes", "of one colour all over"):
        assert words in told
    assert "Near duplicates were not looked for" in ear.facts["split"][1]


def test_strict_stops_a_training_at_a_contradiction(broken: Path) -> None:
    for name in ("across/empty.png", "down/cut.png"):
        (broken / name).unlink()
    with pytest.raises(CheckError) as caught:
        striate.train(
            broken, epochs=1, out=broken.parent / "runs", settings={"data": {"strict": True}}
        )
    assert str(caught.value) == (
        "The same picture with two classes, once (1 equal files): across/001.png (across) = "
        "down/copy.png (down). At least one of each is wrong. 1 further fault beside it. --strict "
        "stops here; put it right (striate check lists all), leave pictures out by --exclude, or "
        "run without --strict."
    )
    assert not (broken.parent / "runs").exists()


def test_a_training_leaves_out_what_a_list_names(broken: Path) -> None:
    names = broken.parent / "wrong.txt"
    names.write_text("across/empty.png\ndown/cut.png\ndown/copy.png\nacross/blank.png\n")
    run = striate.train(
        broken,
        epochs=1,
        threads=1,
        out=broken.parent / "runs",
        settings={"data": {"exclude": str(names), "strict": True}},
    )
    assert run.metrics["train"]["samples"] + run.metrics["validation"]["samples"] == 41


def test_a_page_and_a_list_are_written(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "x", each=20)
    (folder / "across" / "003.png").rename(folder / "down" / "moved.png")
    save(np.full((16, 16, 3), 70, np.uint8), folder / "down" / "<b>.png")
    page, names = tmp_path / "pages" / "check.html", tmp_path / "wrong.txt"
    checked = run_check(str(folder), labels=True, save=names, out=page)
    assert checked.doubts is not None
    assert "down/moved.png" in [one.name for one in checked.doubts.suspects]
    assert "\ndown/moved.png\n" in names.read_text()
    text = page.read_text()
    assert text.count("data:image/png;base64,") >= 2
    assert "&lt;b&gt;.png" in text
    assert "<b>.png" not in text
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org", "")
    again = run_check(str(folder), settings={"data": {"exclude": names}}, out=page)
    assert len(again.source) == len(checked.source) - len(checked.doubts.suspects)


def test_files_that_are_no_page_are_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "mine.html"
    other.write_text("precious")
    with pytest.raises(UsageError) as caught:
        run_check(str(tmp_path), out=other)
    assert str(caught.value) == (
        f"--out: {other} exists and is no page of striate check, so it was left as it is. Choose "
        "another --out."
    )
    assert other.read_text() == "precious"
    with pytest.raises(UsageError, match=r"^--save keeps the names that --labels finds\."):
        run_check(str(tmp_path), save=tmp_path / "x.txt")


def test_a_placeholder_among_photographs_is_brought_up(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "x", each=20, size=40, suffix=".jpg")
    sorry = np.full((48, 48, 3), 247, np.uint8)
    sorry[20:24, 8:40:3] = 63
    save(sorry, folder / "across" / "imageNotFound.gif")
    kinds = {one.kind for one in check_source(open_source(folder), Settings()).audit.findings}
    assert kinds == {"flat", "format"}
