"""What headers and names tell: odd sizes, channels, formats, and what gives the class away."""

from pathlib import Path, PurePath

import numpy as np
import pytest

from pictures import save, stripes, write_folder
from striate.data import check, open_source
from striate.data._check_names import name_form


def kinds(folder: Path) -> list[str]:
    return [finding.kind for finding in check(open_source(folder)).findings]


def test_pictures_alike_tell_nothing(tmp_path: Path) -> None:
    assert kinds(write_folder(tmp_path, each=12)) == []


def test_a_much_smaller_picture_and_a_much_longer_one(tmp_path: Path) -> None:
    write_folder(tmp_path, each=24, size=40)
    save(stripes(0, 90, size=9), tmp_path / "across" / "small.png")
    save(stripes(0, 91, size=120)[:30], tmp_path / "down" / "long.png")
    audit = check(open_source(tmp_path))
    assert audit.warnings == (
        "1 picture much smaller than the rest, whose shorter side has 40 pixels (median): "
        "across/small.png (9 × 9).",
        "1 picture much longer than wide, or wider than long, than the rest, whose sides are as 1 "
        "to 1 (median): down/long.png (30 × 120).",
    )
    names = [open_source(tmp_path).pictures.name(f.positions[0]) for f in audit.findings]
    assert names == ["across/small.png", "down/long.png"]
    assert not any(finding.fault for finding in audit.findings)


def test_many_small_pictures_are_no_exception(tmp_path: Path) -> None:
    write_folder(tmp_path, each=20, size=40)
    for seed in range(6):
        save(stripes(0, seed, size=9), tmp_path / "across" / f"small{seed}.png")
    assert "size" not in kinds(tmp_path)


def test_a_stray_format(tmp_path: Path) -> None:
    write_folder(tmp_path, each=15)
    save(stripes(0, 99), tmp_path / "down" / "odd.gif")
    assert check(open_source(tmp_path)).warnings == (
        "30 files end in .png, and 1 doesn't: down/odd.gif.",
    )


def rename(folder: Path, prefix: str) -> None:
    for path in list(folder.iterdir()):
        path.rename(path.with_name(prefix + path.name))


def test_names_that_come_from_two_cameras(tmp_path: Path) -> None:
    write_folder(tmp_path, each=12)
    rename(tmp_path / "across", "IMG_")
    rename(tmp_path / "down", "DSC_")
    assert check(open_source(tmp_path)).warnings == (
        "The form of the file's name tells the class: 'img_#' for 'across', 'dsc_#' for 'down'. If "
        "the classes come from different sources, a network may learn the source in place of the "
        "class.",
    )


def test_names_that_hold_the_class_are_no_leak(tmp_path: Path) -> None:
    write_folder(tmp_path, classes=("ants", "bees"), each=12)
    rename(tmp_path / "ants", "ant_")
    rename(tmp_path / "bees", "bee_")
    assert kinds(tmp_path) == []


def test_a_size_per_class(tmp_path: Path) -> None:
    write_folder(tmp_path, classes=("a",), each=12, size=20)
    write_folder(tmp_path, classes=("b",), each=12, size=24)
    (finding,) = check(open_source(tmp_path)).findings
    assert finding.sentence.startswith(
        "The picture's height and width tells the class: '20 × 20' for 'a', '24 × 24' for 'b'."
    )
    save(stripes(0, 0, size=24), tmp_path / "a" / "x.png")
    assert kinds(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "label", "form"),
    [
        ("IMG_0412.jpg", "cat", "img_#"),
        ("cat.12.jpg", "cats", ".#"),
        ("cats (3).jpg", "cat", " (#)"),
        ("n01440764_10026.JPEG", "n01440764", "#_#"),
        ("5547758_eea9edfd54_n.jpg", "daisy", "#_eea#edfd#_n"),
        ("Ünïcode 7.png", "x", "ünïcode #"),
    ],
)
def test_the_form_of_a_name(name: str, label: str, form: str) -> None:
    assert name_form(PurePath(name), label) == form


def test_arrays_have_no_names_to_tell() -> None:
    pictures = np.zeros((40, 9, 9), np.uint8)
    assert check(open_source((pictures, np.arange(40) // 20))).findings == ()
