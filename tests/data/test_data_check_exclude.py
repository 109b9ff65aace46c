"""Leaving pictures out by a list of names."""

from pathlib import Path

import numpy as np
import pytest

from pictures import stripes, write_folder
from striate.data import check, exclude, listed, open_source, split, store
from striate.errors import SourceError
from striate.image import Shape


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_named_pictures_are_as_if_they_had_never_been_there(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", each=10)
    names = write(tmp_path / "wrong.txt", "# doubtful\n\n across/003.png \ndown/000.png\n")
    before = open_source(folder)
    left = exclude(before, names)
    for path in ("across/003.png", "down/000.png"):
        (folder / path).unlink()
    without = open_source(folder)
    assert [left.pictures.name(n) for n in range(18)] == [
        without.pictures.name(n) for n in range(18)
    ]
    assert left.ids.tolist() == without.ids.tolist()
    assert left.targets.tolist() == without.targets.tolist()
    assert split(left).validation.tolist() == split(without).validation.tolist()
    assert check(left).sizes.tolist() == check(without).sizes.tolist()
    shape = Shape(height=16, width=16, channels=3)
    with store(left, shape) as one, store(without, shape) as other:
        every = np.arange(18)
        assert (one.take(every) == other.take(every)).all()
    assert (left.pictures.read(3) == without.pictures.read(3)).all()
    assert left.pictures.size(0) == (16, 16, 3)
    assert left.pictures.file(3) == folder / "across" / "004.png"


def test_rows_of_arrays_keep_their_names(tmp_path: Path) -> None:
    pictures = np.stack([stripes(n % 2, n) for n in range(6)])
    source = open_source((pictures, np.array([0, 1] * 3)))
    left = exclude(source, write(tmp_path / "x.txt", "row 1\nrow 4\n"))
    assert [left.pictures.name(n) for n in range(4)] == ["row 0", "row 2", "row 3", "row 5"]
    with store(left, Shape(height=16, width=16, channels=3)) as stored:
        assert (stored.take(np.arange(4)) == pictures[[0, 2, 3, 5]]).all()


def test_an_empty_list_changes_nothing(tmp_path: Path) -> None:
    source = open_source(write_folder(tmp_path / "data", each=2))
    assert exclude(source, write(tmp_path / "x.txt", "# none\n")) is source


def letter(folder: Path, names: Path) -> str:
    with pytest.raises(SourceError) as caught:
        exclude(open_source(folder), names)
    return str(caught.value)


def test_letters(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", each=3)
    names = write(tmp_path / "x.txt", "across/0003.png\nnone\nacross/001.png\n")
    assert letter(folder, names) == (
        f"{names} names 2 pictures that data doesn't hold: across/0003.png, none. Did you mean "
        "'across/000.png'? Expected names as in the source, one a line."
    )
    every = [f"{kind}/00{n}.png" for kind in ("across", "down") for n in range(3)]
    assert letter(folder, write(names, "\n".join(every))) == (
        f"{names} names all 6 pictures of data: none is left. Remove some lines."
    )
    missing = tmp_path / "gone.txt"
    assert letter(folder, missing) == (
        f"The list {missing} of --exclude can't be read: No such file or directory. Name a text "
        "file with one picture's name a line."
    )
    names.write_bytes(b"\xff\xfe\x00a")
    assert letter(folder, names) == (
        f"The list {names} of --exclude isn't text in UTF-8. Expected one picture's name a line."
    )


def test_a_list_can_be_read_back(tmp_path: Path) -> None:
    source = open_source(write_folder(tmp_path / "data", each=3))
    text = listed([("across/001.png", "given 'across', likely 'down'"), ("two\nlines", "odd")])
    assert text == (
        "# given 'across', likely 'down'\nacross/001.png\n# odd\n# can't stand here: 'two\\nlines'\n"
    )
    assert len(exclude(source, write(tmp_path / "x.txt", text))) == 5
