"""CSV files with an image column and target columns."""

from pathlib import Path

import numpy as np
import pytest

from pictures import save, stripes
from striate.answer import Classification, MultiLabel, Regression
from striate.data import TEST, TRAIN, UNDECIDED, VALIDATION, Source, SourceOptions, open_source
from striate.errors import SourceError, UsageError


def write_table(folder: Path, text: str, *, names: str = "a b c d", name: str = "t.csv") -> Path:
    """Write a table and pictures `names`.png beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, stem in enumerate(names.split()):
        save(stripes(0, number, size=4), folder / f"{stem}.png")
    (folder / name).write_text(text, "utf-8")
    return folder / name


def opened(tmp_path: Path, text: str, **options: object) -> Source:
    return open_source(write_table(tmp_path, text), SourceOptions(**options))


def refusal(tmp_path: Path, text: str, **options: object) -> str:
    path = write_table(tmp_path, text)
    with pytest.raises(SourceError) as caught:
        open_source(path, SourceOptions(**options))
    return str(caught.value)


def names_of(source: Source) -> list[str]:
    return [source.pictures.name(i) for i in range(len(source))]


def test_numbers_mean_regression(tmp_path: Path) -> None:
    source = opened(tmp_path, "image,cells\na.png,1.5\nb.png,-2e1\n")
    assert source.answer == Regression(("cells",))
    assert source.targets.dtype == np.float64
    np.testing.assert_array_equal(source.targets, [[1.5], [-20]])
    assert (source.name, source.kind) == ("t", "table")
    assert source.parts.tolist() == [UNDECIDED, UNDECIDED]
    assert source.groups is None
    assert source.reason == (
        "the column `cells` holds numbers → regression; use `--task classification` to treat them "
        "as classes"
    )


def test_few_whole_numbers_are_still_regression_and_said_so(tmp_path: Path) -> None:
    source = opened(tmp_path, "image,sick\na.png,0\nb.png,1\nc.png,0\n")
    assert source.answer == Regression(("sick",))
    assert source.reason == (
        "the column `sick` holds numbers, only 2 different whole ones → regression; use `--task "
        "classification` to treat them as classes"
    )


def test_all_numeric_columns_are_targets(tmp_path: Path) -> None:
    source = opened(tmp_path, "image,x,site,y\na.png,1,north,2\nb.png,3,south,4\n")
    assert source.answer == Regression(("x", "y"))
    np.testing.assert_array_equal(source.targets, [[1, 2], [3, 4]])
    assert source.reason == (
        "the columns `x` and `y` hold numbers → regression with 2 targets; use `--target` to "
        "choose among them"
    )
    assert source.notes == ("Not used as targets: `site`. `--target` chooses.",)


def test_target_chooses_columns(tmp_path: Path) -> None:
    text = "image,x,site,y\na.png,1,north,2\nb.png,3,south,4\n"
    assert opened(tmp_path, text, target=("y",)).targets.tolist() == [[2], [4]]
    assert opened(tmp_path, text, target=("site",)).answer == Classification(("north", "south"))


def test_words_mean_classification(tmp_path: Path) -> None:
    source = opened(tmp_path, "image,kind\na.png,dog\nb.png,cat\nc.png,dog\n")
    assert source.answer == Classification(("cat", "dog"))
    assert source.targets.dtype == np.int64
    assert source.targets.tolist() == [1, 0, 1]
    assert source.reason == (
        "the column `kind` holds words → classification; use `--target` for other columns"
    )


def test_a_label_column_of_words_goes_before_numbers(tmp_path: Path) -> None:
    source = opened(tmp_path, "file,width,label\na.png,10,cat\nb.png,20,dog\n")
    assert source.answer == Classification(("cat", "dog"))
    assert source.notes == ("Not used as targets: `width`. `--target` chooses.",)


@pytest.mark.parametrize("mark", ["|", ";"])
def test_several_words_in_a_cell_mean_multi_label(tmp_path: Path, mark: str) -> None:
    text = f"image,tags\na.png,sky{mark} sea\nb.png,\nc.png,sea\n"
    source = opened(tmp_path, text)
    assert source.answer == MultiLabel(("sea", "sky"))
    assert source.targets.dtype == np.float32
    assert source.targets.tolist() == [[1, 1], [0, 0], [1, 0]]
    assert source.reason == (
        f"the column `tags` holds several labels in a cell, separated by '{mark}' → multi-label; "
        "use `--task classification` to treat each cell as one class"
    )


def test_columns_of_0_and_1_mean_multi_label(tmp_path: Path) -> None:
    source = opened(tmp_path, "image,sea,sky\na.png,1,1\nb.png,0,0\n")
    assert source.answer == MultiLabel(("sea", "sky"))
    assert source.targets.tolist() == [[1, 1], [0, 0]]
    assert source.reason == (
        "the columns `sea` and `sky` hold only 0 and 1 → multi-label; use `--task regression` for "
        "numbers"
    )


def test_exactly_one_1_in_every_row_means_classification(tmp_path: Path) -> None:
    text = "image,sea,sky\na.png,0,1\nb.png,1,0\n"
    source = opened(tmp_path, text)
    assert source.answer == Classification(("sea", "sky"))
    assert source.targets.tolist() == [1, 0]
    assert source.reason == (
        "the columns `sea` and `sky` hold only 0 and 1, exactly one 1 in every row → "
        "classification; use `--task multi-label` to treat them as labels"
    )
    assert opened(tmp_path, text, task="multi-label").answer == MultiLabel(("sea", "sky"))


def test_a_given_task_overrules(tmp_path: Path) -> None:
    numbers = "image,stars\na.png,3\nb.png,10\nc.png,3\n"
    source = opened(tmp_path, numbers, task="classification")
    assert source.answer == Classification(("3", "10"))
    assert source.targets.tolist() == [0, 1, 0]
    assert source.reason == "`--task classification` was given"
    binary = "image,sea,sky\na.png,1,1\nb.png,0,0\n"
    assert opened(tmp_path, binary, task="regression").answer == Regression(("sea", "sky"))
    words = "image,kind\na.png,x|y\nb.png,y\n"
    assert opened(tmp_path, words, task="classification").answer == Classification(("x|y", "y"))
    assert opened(tmp_path, words, task="multi-label").answer == MultiLabel(("x", "y"))


@pytest.mark.parametrize(
    ("delimiter", "number"), [(",", "1.5"), (";", "1,5"), (";", "1.5"), ("\t", "1,5")]
)
def test_delimiters_and_decimal_commas(tmp_path: Path, delimiter: str, number: str) -> None:
    text = f"\ufeffimage{delimiter}x\n\na.png{delimiter} {number} \nb.png{delimiter}2\n"
    assert opened(tmp_path, text).targets.tolist() == [[1.5], [2]]


def test_quoted_cells_keep_the_delimiter(tmp_path: Path) -> None:
    source = opened(tmp_path, 'image,kind\na.png,"one, two"\nb.png,three\n')
    assert source.answer.names == ("one, two", "three")


def test_a_column_without_a_name_is_passed_over(tmp_path: Path) -> None:
    assert opened(tmp_path, ",image,x\n0,a.png,1\n1,b.png,2\n").answer == Regression(("x",))


def test_ids_are_row_numbers(tmp_path: Path) -> None:
    one = opened(tmp_path, "image,x\na.png,1\nb.png,2\nc.png,3\n")
    two = opened(tmp_path, "image,x\nc.png,1\na.png,2\n")
    assert one.ids[:2].tolist() == two.ids.tolist()
    assert len(set(one.ids.tolist())) == 3


@pytest.mark.parametrize("cell", ["deep/er/x.png", "x.png", "x", "er/x.png", "/elsewhere/x.png"])
def test_a_picture_is_found_below_the_table(tmp_path: Path, cell: str) -> None:
    save(stripes(0, 0), tmp_path / "deep" / "er" / "x.png")
    source = opened(tmp_path, f"image,x\na.png,1\n{cell},2\n")
    assert source.pictures.file(1) == tmp_path / "deep" / "er" / "x.png"
    assert source.pictures.name(1) == cell


def test_a_folder_in_the_cell_chooses_among_files_of_one_name(tmp_path: Path) -> None:
    save(stripes(0, 0), tmp_path / "deep" / "one" / "x.png")
    save(stripes(0, 1), tmp_path / "deep" / "two" / "x.png")
    source = opened(tmp_path, "image,x\na.png,1\none/x.png,2\n")
    assert source.pictures.file(1) == tmp_path / "deep" / "one" / "x.png"
    assert refusal(tmp_path, "image,x\na.png,1\nx.png,2\n") == (
        f"t.csv: 'x.png' on line 3 fits 2 files below {tmp_path}: deep/one/x.png, deep/two/x.png. "
        "Write the path, or name a folder with --images."
    )


def test_images_names_the_folder(tmp_path: Path) -> None:
    save(stripes(0, 0), tmp_path / "far" / "in" / "a.png")
    path = write_table(tmp_path / "near", "image,x\na.png,1\n")
    source = open_source(path, SourceOptions(images=tmp_path / "far"))
    assert source.pictures.file(0) == tmp_path / "far" / "in" / "a.png"
    with pytest.raises(SourceError) as caught:
        open_source(path, SourceOptions(images=tmp_path / "farr"))
    assert str(caught.value) == (
        f"--images: there is no folder {tmp_path}/farr. Name the one that holds the pictures."
    )


def test_missing_files_stay_to_be_counted(tmp_path: Path) -> None:
    source = opened(tmp_path, "image,x\na.png,1\ngone.png,2\n")
    assert names_of(source) == ["a.png", "gone.png"]
    assert source.pictures.file(1) == tmp_path / "gone.png"


def test_no_file_at_all(tmp_path: Path) -> None:
    assert refusal(tmp_path, "image,x\ngone.png,1\nlost.png,2\n") == (
        f"None of the pictures that t.csv names (2) was found in {tmp_path} or below it. The first "
        "is 'gone.png'. Name their folder with --images."
    )


def test_the_image_column_is_found_by_name_or_content(tmp_path: Path) -> None:
    assert names_of(opened(tmp_path, "x,what\n1,a.png\n2,b.png\n")) == ["a.png", "b.png"]
    assert names_of(opened(tmp_path, "x,Image\n1,a\n2,b\n")) == ["a", "b"]
    both = "thumb,image,x\nb.png,a.png,1\na.png,b.png,2\n"
    assert names_of(opened(tmp_path, both, target=("x",))) == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x,kind\n1,cat\n",
            "t.csv has no column of pictures. Its columns are x, kind. Expected one with names of "
            "picture files, called 'image'.",
        ),
        (
            "left,right,x\na.png,b.png,1\n",
            "t.csv: several columns hold names of pictures: left, right. Call the one to use "
            "'image'.",
        ),
        (
            "a.png,cat\nb.png,dog\n",
            "The first line of t.csv is a row ('a.png'), not the columns' names. Add a first line "
            "such as image,label.",
        ),
        (
            "image,x\na.png,1\n,2\n",
            "t.csv names no picture on line 3. Fill in the name or remove the row.",
        ),
        (
            "image\na.png\n",
            "t.csv has no target column beside the pictures. Add a column with a class, labels or "
            "a number for every picture.",
        ),
        (
            "image,one,two\na.png,x,y\n",
            "t.csv: several columns hold words: one, two. Choose the one with the classes by "
            "--target.",
        ),
        (
            "image,x\na.png,1\nb.png,\nc.png,NA\n",
            "t.csv: 2 rows without a value in the column 'x', the first on line 3. Fill in the "
            "values, remove the rows, or choose other columns by --target.",
        ),
        (
            "image,kind\na.png,\nb.png,cat\n",
            "t.csv: 1 row without a value in the column 'kind', the first on line 2. Fill in the "
            "values, remove the rows, or choose other columns by --target.",
        ),
        (
            "image,x\na.png,1\nb.png,old\nc.png,3\n",
            "t.csv: the column 'x' should hold numbers, but line 3 holds 'old'. Correct it, use "
            "--task classification to treat every value as a class, or choose other columns by "
            "--target.",
        ),
        (
            "image,x\na.png,1\nb.png,inf\n",
            "t.csv: the column 'x' should hold numbers, but line 3 holds 'inf'. Correct it, use "
            "--task classification to treat every value as a class, or choose other columns by "
            "--target.",
        ),
        (
            "image,x\na.png,1\nb.png,1,5\n",
            "t.csv: line 3 has 3 cells, but the first line names 2 columns. Put quotes around text "
            "that holds the delimiter.",
        ),
        ("image,x,x\na.png,1,2\n", "t.csv has more than one column called x."),
        (
            "image,x\n",
            "t.csv holds no rows. Expected a first line with the columns' names, then one line "
            "per picture.",
        ),
        (
            "",
            "t.csv holds no rows. Expected a first line with the columns' names, then one line "
            "per picture.",
        ),
        (
            'image,x\na.png,"1\n',
            "t.csv can't be read as CSV: line 2: unexpected end of data.",
        ),
    ],
)
def test_tables_that_can_not_be_used(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, text) == message


def test_a_table_in_another_encoding(tmp_path: Path) -> None:
    path = write_table(tmp_path, "")
    path.write_bytes("image,x\né.png,1\n".encode("latin-1"))
    with pytest.raises(SourceError) as caught:
        open_source(path)
    assert str(caught.value) == ("t.csv isn't text in UTF-8 (byte 8). Save it as CSV in UTF-8.")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            "image,kind\na.png,cat\nb.png,dog\n",
            {"task": "regression"},
            "t.csv: the column 'kind' should hold numbers, but line 2 holds 'cat'. Correct it, use "
            "--task classification to treat every value as a class, or choose other columns by "
            "--target.",
        ),
        (
            "image,x,y\na.png,1,2\nb.png,3,4\n",
            {"task": "classification"},
            "t.csv: --task classification needs one column, or columns with one 1 in every row, "
            "but the targets are x, y. Choose the columns by --target.",
        ),
        (
            "image,x,y\na.png,1,2\nb.png,3,4\n",
            {"task": "multi-label"},
            "t.csv: --task multi-label needs columns that hold only 0 and 1, but the targets are "
            "x, y. Choose the columns by --target.",
        ),
        (
            "image,x,kind\na.png,1,cat\nb.png,3,dog\n",
            {"target": ("x", "kind")},
            "t.csv: the columns x, kind can't be targets together, because 'kind' holds words. "
            "Choose columns of numbers, or one of words, by --target.",
        ),
    ],
)
def test_targets_that_do_not_fit(
    tmp_path: Path, text: str, options: dict[str, object], message: str
) -> None:
    assert refusal(tmp_path, text, **options) == message


@pytest.mark.parametrize(
    ("options", "flag"),
    [
        ({"target": ("cels",)}, "--target"),
        ({"group": "cels"}, "--group"),
        ({"split": "cels"}, "--split"),
    ],
)
def test_unknown_columns(tmp_path: Path, options: dict[str, object], flag: str) -> None:
    path = write_table(tmp_path, "image,cells\na.png,1\n")
    with pytest.raises(UsageError) as caught:
        open_source(path, SourceOptions(**options))
    assert str(caught.value) == (
        f"{flag}: There is no column called 'cels'. Did you mean 'cells'? Known: image, cells. The "
        f"file is {path}."
    )


def test_repeated_rows_are_left_out(tmp_path: Path) -> None:
    source = opened(tmp_path, "image,x\na.png,1\nb.png,2\n./a.png,1\na.png,1.0\nc.png,3\n")
    assert names_of(source) == ["a.png", "b.png", "c.png"]
    assert source.targets.tolist() == [[1], [2], [3]]
    assert source.notes == (
        "Left out, because they repeat an earlier row: 2 rows, the first on line 4.",
    )


@pytest.mark.parametrize(
    ("text", "options", "differs"),
    [
        ("image,x\na.png,1\nb.png,2\na.png,3\n", {}, "targets"),
        ("image,x,s\na.png,1,train\nb.png,2,val\na.png,1,val\n", {"split": "s"}, "parts"),
        ("image,x,g\na.png,1,u\nb.png,2,v\na.png,1,v\n", {"group": "g"}, "groups"),
    ],
)
def test_contradictory_rows(
    tmp_path: Path, text: str, options: dict[str, object], differs: str
) -> None:
    assert refusal(tmp_path, text, **options) == (
        f"t.csv: the same picture has different {differs} on line 2 and line 4: a.png. Keep one of "
        "the rows; several labels of one picture go into one row, separated by ';'."
    )


def test_a_split_column(tmp_path: Path) -> None:
    text = "image,x,part\na.png,1,Train\nb.png,2,valid\nc.png,3,test\n"
    source = opened(tmp_path, text, split="part")
    assert source.parts.tolist() == [TRAIN, VALIDATION, TEST]
    assert source.answer == Regression(("x",))
    assert opened(tmp_path, text).notes == (
        "The column `part` looks like a split: use it with --split part.",
    )


def test_a_split_column_with_other_words(tmp_path: Path) -> None:
    text = "image,x,part\na.png,1,train\nb.png,2,dev\n"
    assert refusal(tmp_path, text, split="part") == (
        "t.csv: the column 'part' holds 'dev' on line 3. Expected train, val (or valid, "
        "validation) or test in every row."
    )


def test_a_split_by_lists(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "train.txt").write_text("a\nb\n")
    (tmp_path / "lists" / "test.txt").write_text("d.png\n")
    lists = {"train": Path("lists/train.txt"), "test": Path("lists/test.txt")}
    text = "image,x\na.png,1\nb.png,2\na.png,1\nc.png,3\nd.png,4\n"
    source = opened(tmp_path, text, split=lists)
    assert names_of(source) == ["a.png", "b.png", "d.png"]
    assert source.parts.tolist() == [TRAIN, TRAIN, TEST]
    assert source.targets.tolist() == [[1], [2], [4]]
    assert source.notes == (
        "Left out, because they repeat an earlier row: 1 row, the first on line 4.",
        "Left out, because no list of --split names them: 1 picture.",
    )


def test_groups_are_hashes_of_values(tmp_path: Path) -> None:
    one = opened(tmp_path, "image,x,who\na.png,1,ann\nb.png,2,bob\nc.png,3,ann\n", group="who")
    two = opened(tmp_path, "image,x,who\na.png,1,zoe\nb.png,2,bob\n", group="who")
    assert one.groups is not None
    assert two.groups is not None
    assert one.groups.dtype == np.int64
    assert one.groups[0] == one.groups[2] != one.groups[1]
    assert one.groups[1] == two.groups[1]
    assert one.answer == Regression(("x",))


def test_an_empty_group(tmp_path: Path) -> None:
    text = "image,x,who\na.png,1,ann\nb.png,2,\n"
    assert refusal(tmp_path, text, group="who") == (
        "t.csv: the column 'who' of --group is empty on line 3. Every row needs a group."
    )
