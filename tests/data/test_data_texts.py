"""Many texts in one piece of memory come out as they went in."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.data import _texts
from striate.data._files import FilePictures
from striate.data._texts import Texts

# Lone surrogates too: what isn't UTF-8 in a file's name reaches Python as such.
words = st.lists(st.text(st.characters(), max_size=6), max_size=12)


@given(words, st.integers(1, 5))
@settings(deadline=None, max_examples=100)
def test_texts_come_out_as_they_went_in(every: list[str], piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_texts, "_PIECE", piece)
        texts = Texts(every)
    assert len(texts) == len(every)
    assert [texts[place] for place in range(len(every))] == every
    with pytest.raises(IndexError):
        texts[len(every)]


def test_paths_and_names() -> None:
    names = ["a/1.png", "b/caf\udce9.png"]
    for folder in (Path("x") / "y", "x/y", "x/y/"):
        pictures = FilePictures(names, folder=folder)
        assert [pictures.path(0), pictures.path(1)] == [f"x/y/{name}" for name in names]
        assert pictures.file(1) == Path("x/y/b/caf\udce9.png")
        assert (pictures.name(0), pictures.name(1)) == ("a/1.png", "b/caf\\xe9.png")
    elsewhere = FilePictures(["1", "2"], [os.path.join("z", name) for name in names])  # noqa: PTH118
    assert (elsewhere.name(1), elsewhere.path(1)) == ("2", "z/b/caf\udce9.png")
    assert FilePictures(["1.png"], folder="").path(0) == "1.png"
    assert FilePictures(["1.png"], folder=".").file(0) == Path("1.png")
