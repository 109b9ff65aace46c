"""Folders with a subfolder per class."""

from pathlib import Path

import numpy as np
import pytest

from pictures import save, stripes, write_folder
from striate.data import (
    TEST,
    TRAIN,
    UNDECIDED,
    VALIDATION,
    Source,
    SourceOptions,
    hash_names,
    open_source,
)
from striate.errors import PictureError, SourceError, UsageError


def rows(source: Source) -> list[tuple[str, str, int]]:
    """Return (name, class, part) of every sample."""
    return [
        (source.pictures.name(i), source.answer.names[source.targets[i]], int(source.parts[i]))
        for i in range(len(source))
    ]


def refusal(path: Path | str, options: SourceOptions | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        open_source(path, options or SourceOptions())
    return str(caught.value)


def test_a_subfolder_is_a_class(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", each=2)
    source = open_source(tmp_path / "set")
    assert rows(source) == [
        ("across/000.png", "across", UNDECIDED),
        ("across/001.png", "across", UNDECIDED),
        ("down/000.png", "down", UNDECIDED),
        ("down/001.png", "down", UNDECIDED),
    ]
    assert (source.name, source.kind, source.notes) == ("set", "folder", ())
    assert source.targets.dtype == np.int64
    assert source.parts.dtype == np.int8
    assert source.reason == (
        "the folder `set` has a subfolder per class → classification; use a CSV file for numbers "
        "or several labels per picture"
    )


def test_pictures_are_read_from_their_files(tmp_path: Path) -> None:
    write_folder(tmp_path, each=1, size=9)
    pictures = open_source(tmp_path).pictures
    assert pictures.file(1) == tmp_path / "down" / "000.png"
    assert pictures.size(1) == (9, 9, 3)
    np.testing.assert_array_equal(pictures.read(1), stripes(2, 0, size=9))
    assert pictures.read(1, 1).shape == (9, 9, 1)


def test_a_file_that_went_away_is_named(tmp_path: Path) -> None:
    write_folder(tmp_path, each=1)
    source = open_source(tmp_path)
    (tmp_path / "down" / "000.png").unlink()
    with pytest.raises(PictureError) as caught:
        source.pictures.size(1)
    assert str(caught.value) == "down/000.png: there is no such file"


@pytest.mark.parametrize("word", ["val", "valid", "validation", "Val"])
def test_parts_go_by_their_usual_names(tmp_path: Path, word: str) -> None:
    for part in ("train", word, "test"):
        write_folder(tmp_path / part, each=1)
    source = open_source(tmp_path)
    parts = {name.split("/")[0]: part for name, _, part in rows(source)}
    assert parts == {"train": TRAIN, word: VALIDATION, "test": TEST}
    assert source.answer.names == ("across", "down")


def test_train_beside_other_vehicles_is_a_class(tmp_path: Path) -> None:
    write_folder(tmp_path, classes=("train", "bus"), each=1)
    assert rows(open_source(tmp_path)) == [
        ("bus/000.png", "bus", UNDECIDED),
        ("train/000.png", "train", UNDECIDED),
    ]


def test_folders_beside_the_parts_are_noted(tmp_path: Path) -> None:
    for part in ("train", "test", "drafts"):
        write_folder(tmp_path / part, each=1)
    source = open_source(tmp_path)
    assert len(source) == 4
    assert source.notes == (
        "The folder drafts/ was left out: beside train/ only val/ and test/ are parts.",
    )


def test_classes_stand_in_natural_order(tmp_path: Path) -> None:
    write_folder(tmp_path, classes=("10", "9", "b", "A"), each=1)
    assert open_source(tmp_path).answer.names == ("9", "10", "A", "b")


def test_nested_pictures_belong_to_the_class(tmp_path: Path) -> None:
    write_folder(tmp_path, each=1)
    save(stripes(0, 7), tmp_path / "across" / "b" / "a" / "deep.png")
    assert ("across/b/a/deep.png", "across", UNDECIDED) in rows(open_source(tmp_path))


def test_ids_are_hashes_of_paths_and_know_no_order(tmp_path: Path) -> None:
    write_folder(tmp_path / "one", each=3)
    write_folder(tmp_path / "two", classes=("down", "across"), each=3)
    one, two = open_source(tmp_path / "one"), open_source(tmp_path / "two")
    assert rows(one) == rows(two)
    np.testing.assert_array_equal(one.ids, two.ids)
    np.testing.assert_array_equal(one.ids, hash_names([name for name, _, _ in rows(one)]))


def test_what_is_passed_over_is_noted(tmp_path: Path) -> None:
    write_folder(tmp_path, each=1)
    (tmp_path / "across" / "notes.txt").write_text("")
    (tmp_path / "across" / "README").write_text("")
    (tmp_path / "across" / ".hidden.png").write_text("")
    (tmp_path / "across" / "Thumbs.db").write_text("")
    (tmp_path / "empty").mkdir()
    save(stripes(0, 0), tmp_path / "beside.png")
    source = open_source(tmp_path)
    assert len(source) == 2
    assert source.notes == (
        "Left out, because there are no pictures in it: empty/.",
        "Left out, because a class is a folder's name: 1 picture in no such folder.",
        "Left out, because the suffix is not a picture's: no suffix (1), .txt (1).",
    )


def test_links_in_circles_end_and_bring_no_other_class(tmp_path: Path) -> None:
    write_folder(tmp_path, each=1)
    (tmp_path / "across" / "self").symlink_to(tmp_path / "across")
    (tmp_path / "across" / "up").symlink_to(tmp_path)
    (tmp_path / "down" / "nowhere").symlink_to("nowhere")
    (tmp_path / "again").symlink_to(tmp_path)
    source = open_source(tmp_path)
    assert [name for name, _, _ in rows(source)] == ["across/000.png", "down/000.png"]


def test_links_to_folders_and_pictures_are_followed(tmp_path: Path) -> None:
    write_folder(tmp_path / "far", each=1)
    write_folder(tmp_path / "set", classes=("down",), each=1)
    (tmp_path / "set" / "across").symlink_to(tmp_path / "far" / "across")
    (tmp_path / "set" / "down" / "gone.png").symlink_to("missing.png")
    found = [name for name, _, _ in rows(open_source(tmp_path / "set"))]
    assert found == ["across/000.png", "down/000.png", "down/gone.png"]


@pytest.mark.parametrize(
    ("classes", "matters"),
    [(("0", "1"), True), (("a", "B"), True), (("1", "10"), True), (("cat", "b"), False)],
)
def test_orientation_matters_for_single_characters(
    tmp_path: Path, classes: tuple[str, str], matters: bool
) -> None:
    write_folder(tmp_path, classes=classes, each=1)
    assert open_source(tmp_path).orientation_matters is matters


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    assert refusal(tmp_path / "set") == (
        f"The folder {tmp_path}/set is empty. Expected one subfolder per class, such as "
        "set/cat/1.jpg."
    )


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "set" / "cat").mkdir(parents=True)
    assert refusal(tmp_path / "set") == (
        f"The folder {tmp_path}/set holds no pictures. Expected one subfolder per class, such as "
        "set/cat/1.jpg."
    )


def test_a_flat_folder(tmp_path: Path) -> None:
    save(stripes(0, 0), tmp_path / "set" / "a.png")
    save(stripes(0, 1), tmp_path / "set" / "b.png")
    assert refusal(tmp_path / "set") == (
        f"The folder {tmp_path}/set holds 2 pictures, but no subfolders with pictures. Expected "
        "one subfolder per class, such as set/cat/1.jpg."
    )


def test_flat_parts(tmp_path: Path) -> None:
    save(stripes(0, 0), tmp_path / "set" / "train" / "a.png")
    save(stripes(0, 1), tmp_path / "set" / "test" / "b.png")
    assert refusal(tmp_path / "set") == (
        f"The folder {tmp_path}/set holds 2 pictures, but no subfolders with pictures. Expected "
        "one subfolder per class, such as set/cat/1.jpg."
    )


def test_one_folder_of_pictures_beside_a_table(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", classes=("images",), each=1)
    (tmp_path / "set" / "cells.csv").write_text("image,count\n000.png,1\n")
    assert refusal(tmp_path / "set") == (
        f"The folder {tmp_path}/set holds pictures in one subfolder only, images/. Expected one "
        f"subfolder for each of two or more classes. Or did you mean {tmp_path}/set/cells.csv?"
    )


def test_two_validation_parts(tmp_path: Path) -> None:
    for part in ("train", "val", "valid"):
        write_folder(tmp_path / "set" / part, each=1)
    assert refusal(tmp_path / "set") == (
        f"The folder {tmp_path}/set holds both val/ and valid/, and both mean the validation part. "
        "Keep one of them."
    )


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (SourceOptions(target=("x",)), "--target"),
        (SourceOptions(group="x"), "--group"),
        (SourceOptions(images=Path("x")), "--images"),
        (SourceOptions(split="x"), "--split COLUMN"),
    ],
)
def test_options_for_tables_are_refused(tmp_path: Path, options: SourceOptions, named: str) -> None:
    write_folder(tmp_path, each=1)
    with pytest.raises(UsageError) as caught:
        open_source(tmp_path, options)
    assert str(caught.value) == (
        f"{named} is for a CSV file, but {tmp_path} is a folder. Leave the option out, or name a "
        "CSV file as the source."
    )


def test_a_task_that_does_not_fit(tmp_path: Path) -> None:
    write_folder(tmp_path, each=1)
    with pytest.raises(SourceError) as caught:
        open_source(tmp_path, SourceOptions(task="regression"))
    assert str(caught.value) == (
        f"The folder {tmp_path} gives each picture one class, but regression needs numbers or "
        "labels for every picture. Use a CSV file with an image column."
    )


def test_an_unknown_task(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_source(tmp_path, SourceOptions(task="regresion"))
    assert str(caught.value) == (
        "There is no task called 'regresion'. Did you mean 'regression'? Known: classification, "
        "multi-label, regression."
    )


def test_nothing_of_that_name() -> None:
    assert refusal("digitz") == (
        "There is no file or folder 'digitz', and no data set of that name. Did you mean 'digits'? "
        "Data sets: digits, mnist, fashion-mnist, cifar10, cifar100."
    )


@pytest.mark.parametrize(
    ("name", "what"), [("cat.jpg", "a picture"), ("a.json", "of a kind that can't be a source")]
)
def test_a_file_that_is_no_source(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / name).write_text("")
    assert refusal(tmp_path / name) == (
        f"The file {tmp_path / name} is {what}. Expected a folder with a subfolder per class, a "
        "CSV file, a .npz file, a folder of IDX files, or the name of a data set."
    )


def write_lists(folder: Path, **lists: str) -> SourceOptions:
    for part, text in lists.items():
        (folder / f"{part}.txt").write_text(text)
    return SourceOptions(split={part: folder / f"{part}.txt" for part in lists})


def test_lists_of_names_decide_the_parts(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", each=2)
    options = write_lists(tmp_path, train="across/000.png\ndown/000\n\n", val="./across/001\r\n")
    source = open_source(tmp_path / "set", options)
    assert rows(source) == [
        ("across/000.png", "across", TRAIN),
        ("across/001.png", "across", VALIDATION),
        ("down/000.png", "down", TRAIN),
    ]
    assert source.notes == ("Left out, because no list of --split names them: 1 picture.",)
    np.testing.assert_array_equal(
        source.ids, hash_names(["across/000.png", "across/001.png", "down/000.png"])
    )


def test_lists_are_found_beside_the_source_and_by_file_name(tmp_path: Path) -> None:
    save(stripes(0, 0), tmp_path / "cat" / "x.1.png")
    save(stripes(1, 0), tmp_path / "dog" / "y.png")
    (tmp_path / "train.txt").write_text("x.1\ny.png\n")
    source = open_source(tmp_path, SourceOptions(split={"train": Path("train.txt")}))
    assert source.parts.tolist() == [TRAIN, TRAIN]


@pytest.mark.parametrize(
    ("train", "val", "message"),
    [
        (
            "across/000\nacross/9\nx\n",
            "",
            "{folder}/train.txt names 2 pictures that the source doesn't hold: across/9, x. "
            "Expected names as in the source, one a line.",
        ),
        (
            "000.png\n",
            "",
            "{folder}/train.txt names '000.png', which fits 2 pictures: across/000.png, "
            "down/000.png. Write the path relative to the source.",
        ),
        (
            "across/000.png\n",
            "across/000\n",
            "{folder}/val.txt gives 'across/000.png' to the validation part, but another list of "
            "--split gives it to the train part. Remove it from one of them.",
        ),
    ],
)
def test_lists_that_do_not_fit(tmp_path: Path, train: str, val: str, message: str) -> None:
    write_folder(tmp_path / "set", each=1)
    options = write_lists(tmp_path, train=train, val=val)
    assert refusal(tmp_path / "set", options) == message.format(folder=tmp_path)


def test_a_list_that_is_missing_or_no_text(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", each=1)
    options = SourceOptions(split={"train": Path("no-such-list.txt")})
    assert refusal(tmp_path / "set", options) == (
        "The list no-such-list.txt of --split can't be read: No such file or directory. It was "
        f"looked for here and in {tmp_path}/set."
    )
    options = SourceOptions(split={"train": tmp_path / "set" / "down" / "000.png"})
    assert refusal(tmp_path / "set", options) == (
        f"The list {tmp_path}/set/down/000.png of --split isn't text in UTF-8. Expected one "
        "picture's name a line."
    )


def test_a_list_for_an_unknown_part(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", each=1)
    with pytest.raises(UsageError) as caught:
        open_source(tmp_path / "set", write_lists(tmp_path, tran="across/000"))
    assert str(caught.value) == (
        "There is no part called 'tran'. Did you mean 'train'? Known: train, val, test. "
        "See --split."
    )
