"""`striate augment` on the command line."""

from pathlib import Path

import pytest

from command_line import striate
from pictures import write_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_folder(Path("stripes"), each=6)


def test_it_says_what_is_varied_and_writes_the_page(folder: Path) -> None:
    done = striate("augment", folder)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "augmentation is on: small pictures: mirrored and shifted",
        "  shift            up to 10 % of the height and of the width, to every side",
        "  horizontal_flip  left and right are exchanged in every other epoch",
        "  fill             what comes in from outside repeats the pixels of the edge",
        "page  augmented.html",
    ]
    page = Path("augmented.html").read_text(encoding="utf-8")
    assert page.count("<img") == 8 * 7
    assert sorted(path.name for path in Path().iterdir()) == ["augmented.html", "stripes"]


def test_options_reach_the_page(folder: Path) -> None:
    words = ["--rows", 2, "--seed", 5, "--image-size", "10x14", "--out", "pages/mine.html"]
    done = striate("augment", folder, *words, "--set", "augmentation.rotation=30")
    assert done.code == 0
    assert "  rotation         up to 30° to either side\n" in done.out
    page = Path("pages/mine.html").read_text(encoding="utf-8")
    assert page.count("<img") == 2 * 7
    assert "10×14 px" in page and "<bdi>5</bdi>" in page


def test_off_names_the_options_that_switch_it_on(folder: Path) -> None:
    off = ["--set", "augmentation.shift=0", "--set", "augmentation.horizontal_flip=false"]
    done = striate("augment", folder, *off)
    assert done.out.splitlines() == [
        "augmentation is off: as the settings say",
        "No picture is varied by itself; to see some varied, add: "
        "--set augmentation.rotation=8 --set augmentation.shift=0.08",
        "page  augmented.html",
    ]
    on = done.out.partition("add: ")[2].splitlines()[0].split()
    assert "augmentation is on" in striate("augment", folder, *off, *on[:2]).out


@pytest.mark.parametrize(
    ("words", "code", "letter"),
    [
        ([], 2, "Name a source: a folder, a CSV, an .npz, or a data set (striate datasets)."),
        (
            ["stripes", "--image-size", "big"],
            2,
            "--image-size expects pixels, as in 128, or 96x128 (height x width); it got 'big'.",
        ),
        (
            ["stripes", "--out", "stripes"],
            2,
            "--out: expected a file for the page, but stripes can't be replaced (Is a directory). "
            "Choose another --out.",
        ),
        (
            ["stripes", "--out", "stripes/across/000.png"],
            2,
            "--out: stripes/across/000.png exists and is no page of striate augment, so it was left "
            "as it is. Choose another --out.",
        ),
    ],
)
@pytest.mark.usefixtures("folder")
def test_refusals(words: list[str], code: int, letter: str) -> None:
    done = striate("augment", *words)
    assert (done.code, done.out, done.err) == (code, "", f"striate: {letter}\n")
    assert not Path("augmented.html").exists()


def test_a_mistyped_setting(folder: Path) -> None:
    done = striate("augment", folder, "--set", "augmentation.rotaton=3")
    assert done.code == 2 and "augmentation.rotation" in done.err and done.out == ""
