"""NumPy arrays, from `.npz` files and from memory."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from striate.answer import Classification, MultiLabel, Regression
from striate.data import TEST, TRAIN, UNDECIDED, VALIDATION, Source, SourceOptions, open_source
from striate.data._array_pictures import ArrayPictures
from striate.errors import SourceError, UsageError

Array = npt.NDArray[Any]
PICTURES = np.random.default_rng(0).integers(0, 256, (4, 5, 6), np.uint8)
NUMBERS = np.array([0, 1, 0, 2])


def pixels(source: Source) -> npt.NDArray[np.uint8]:
    assert isinstance(source.pictures, ArrayPictures)
    return source.pictures.array


def refusal(source: Any, options: SourceOptions | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        open_source(source, options or SourceOptions())
    return str(caught.value)


def names_of(source: Source) -> list[str]:
    return [source.pictures.name(i) for i in range(len(source))]


def test_a_pair_of_arrays() -> None:
    source = open_source((PICTURES, NUMBERS))
    np.testing.assert_array_equal(pixels(source), PICTURES[..., None])
    assert source.answer == Classification(("0", "1", "2"))
    assert source.targets.tolist() == [0, 1, 0, 2]
    assert source.targets.dtype == np.int64
    assert source.parts.tolist() == [UNDECIDED] * 4
    assert (source.name, source.kind) == ("arrays", "arrays")
    assert names_of(source) == ["row 0", "row 1", "row 2", "row 3"]
    assert source.pictures.file(0) is None
    assert source.pictures.size(3) == (5, 6, 1)
    assert source.reason == (
        "the targets hold whole numbers → classification; use `--task regression` to treat them "
        "as numbers"
    )


def test_pictures_are_read_in_the_channels_asked_for() -> None:
    pictures = open_source((PICTURES, NUMBERS)).pictures
    np.testing.assert_array_equal(pictures.read(2), PICTURES[2][..., None])
    np.testing.assert_array_equal(pictures.read(2, 3), np.repeat(PICTURES[2][..., None], 3, 2))


@pytest.mark.parametrize(("channels", "axis"), [(1, 3), (3, 3), (1, 1), (3, 1)])
def test_channels_may_stand_first_or_last(channels: int, axis: int) -> None:
    last = np.random.default_rng(1).integers(0, 256, (4, 5, 6, channels), np.uint8)
    given = last if axis == 3 else last.transpose(0, 3, 1, 2)
    array = pixels(open_source((given, NUMBERS)))
    np.testing.assert_array_equal(array, last)
    assert array.flags.c_contiguous


def test_where_both_axes_could_be_channels_the_last_is() -> None:
    array = np.zeros((4, 3, 7, 1), np.uint8)
    assert pixels(open_source((array, NUMBERS))).shape == (4, 3, 7, 1)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_fractions_become_bytes_with_a_note(dtype: type) -> None:
    source = open_source((PICTURES.astype(np.float64) / 255, NUMBERS))
    np.testing.assert_array_equal(pixels(source)[..., 0], PICTURES)
    halves = np.full((4, 2, 2), 0.5, dtype)
    source = open_source({"x": halves, "y": NUMBERS})
    assert pixels(source).max() == pixels(source).min() == 128
    assert source.notes == (
        f"The pictures in 'x' are {np.dtype(dtype)}: they were multiplied by 255 and rounded to "
        "uint8.",
    )


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.zeros((4, 2, 2), np.int64),
            "The pictures in 'x' are of type int64. Expected uint8 from 0 to 255, or floating "
            "point from 0 to 1. Convert them, for example with .astype(numpy.uint8).",
        ),
        (
            np.full((4, 2, 2), 200.0),
            "The pictures in 'x' run from 0 to 200. Expected floating point from 0 to 1, or uint8 "
            "from 0 to 255.",
        ),
        (
            np.full((4, 2, 2), np.nan),
            "The pictures in 'x' hold NaN. Expected floating point from 0 to 1, or "
            "uint8 from 0 to 255.",
        ),
        (
            np.zeros((4, 784), np.uint8),
            "The pictures in 'x' have the shape (4, 784). Expected (N, height, width), or (N, "
            "height, width, channels) or (N, channels, height, width) with 1 or 3 channels. Did "
            "you mean .reshape(-1, 28, 28)?",
        ),
        (
            np.zeros((4, 5, 6, 4), np.uint8),
            "The pictures in 'x' have the shape (4, 5, 6, 4). Expected (N, height, width), or (N, "
            "height, width, channels) or (N, channels, height, width) with 1 or 3 channels.",
        ),
    ],
)
def test_pictures_that_can_not_be_used(array: Array, message: str) -> None:
    assert refusal({"x": array, "y": NUMBERS}) == message


@pytest.mark.parametrize(
    ("targets", "task", "answer", "expected"),
    [
        (np.array([7, 3, 7, 10]), None, Classification(("3", "7", "10")), [1, 0, 1, 2]),
        (np.array([[1], [0], [1], [0]]), None, Classification(("0", "1")), [1, 0, 1, 0]),
        (np.array([True, False] * 2), None, Classification(("0", "1")), [1, 0, 1, 0]),
        (np.array(["b", "a", "b", "a"]), None, Classification(("a", "b")), [1, 0, 1, 0]),
        (np.array([b"b", b"a", b"b", b"a"]), None, Classification(("a", "b")), [1, 0, 1, 0]),
        (np.array([0.5, 1, 2, 3]), None, Regression(("target",)), [[0.5], [1], [2], [3]]),
        (np.array([0, 1, 2, 3]), "regression", Regression(("target",)), [[0], [1], [2], [3]]),
        (np.array([0.0, 1, 1, 0]), "classification", Classification(("0", "1")), [0, 1, 1, 0]),
        (
            np.array([[0.5, 2]] * 4),
            None,
            Regression(("target_0", "target_1")),
            [[0.5, 2]] * 4,
        ),
        (np.array([[1, 1], [0, 0]] * 2), None, MultiLabel(("0", "1")), [[1, 1], [0, 0]] * 2),
        (np.array([[1, 0], [0, 1]] * 2), None, Classification(("0", "1")), [0, 1, 0, 1]),
        (np.eye(4)[:, :2], None, MultiLabel(("0", "1")), [[1, 0], [0, 1], [0, 0], [0, 0]]),
        (
            np.array([[1, 0], [0, 1]] * 2),
            "multi-label",
            MultiLabel(("0", "1")),
            [[1, 0], [0, 1]] * 2,
        ),
    ],
)
def test_targets_choose_the_task(
    targets: Array, task: str | None, answer: object, expected: list[Any]
) -> None:
    source = open_source((PICTURES, targets), SourceOptions(task=task))
    assert source.answer == answer
    assert source.targets.tolist() == expected
    source.answer.check(source.targets)


def test_classes_give_names() -> None:
    arrays = {"x": PICTURES, "y": NUMBERS, "classes": np.array(["cat", "dog", "emu", "fox"])}
    assert open_source(arrays).answer == Classification(("cat", "dog", "emu", "fox"))
    labels = {**arrays, "y": np.array([[1, 0, 1, 0], [0, 0, 0, 0]] * 2)}
    assert open_source(labels).answer == MultiLabel(("cat", "dog", "emu", "fox"))


@pytest.mark.parametrize(
    ("arrays", "task", "message"),
    [
        (
            {"y": NUMBERS, "classes": np.array(["a", "b"])},
            None,
            "The target of row 3 is 2, but `classes` names 2 classes. Expected numbers from 0 to 1.",
        ),
        (
            {"y": np.zeros((4, 3)), "classes": np.array(["a", "b"])},
            None,
            "The targets have 3 columns, but `classes` names 2: a, b.",
        ),
        (
            {"y": NUMBERS, "classes": np.arange(3)},
            None,
            "The array 'classes' should hold the classes' names, as text in one row, but it is "
            "int64 with 1 axes.",
        ),
        (
            {"y": np.array([0.5, np.nan, 1, 2])},
            None,
            "The target of row 1 is nan. Expected finite numbers from -1e+30 to 1e+30: correct "
            "it, or remove the row and its picture.",
        ),
        (
            {"y": np.zeros((4, 2, 2))},
            None,
            "The targets are of type float64 and shape (4, 2, 2). Expected numbers or text, (N,) "
            "or (N, K).",
        ),
        (
            {"y": np.array([0, 0.5, 1, 2])},
            "classification",
            "--task classification needs whole numbers, but the target of row 1 is 0.5.",
        ),
        (
            {"y": NUMBERS},
            "multi-label",
            "--task multi-label needs targets (N, K) of 0 and 1, but there is one number per "
            "picture: the shape is (4,).",
        ),
        (
            {"y": np.array([[0, 2], [1, 1]] * 2)},
            "multi-label",
            "--task multi-label needs targets of only 0 and 1 where they have several columns, but "
            "these run from 0 to 2.",
        ),
        (
            {"y": np.array([[1, 1], [0, 1]] * 2)},
            "classification",
            "--task classification needs one class per picture, but the targets' rows hold none or "
            "several 1s. Use --task multi-label.",
        ),
        (
            {"y": np.array(["a", "b"] * 2)},
            "regression",
            "The targets hold text of shape (4,), which gives one class per picture where it is "
            "(N,). For other tasks use numbers.",
        ),
        (
            {"y": NUMBERS[:3]},
            None,
            "'x' has the shape (4, 5, 6) and 'y' the shape (3,). Expected one target for every "
            "picture.",
        ),
    ],
)
def test_targets_that_can_not_be_used(
    arrays: dict[str, Array], task: str | None, message: str
) -> None:
    assert refusal({"x": PICTURES, **arrays}, SourceOptions(task=task)) == message


def write(path: Path, **arrays: Array) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def test_a_file_of_arrays(tmp_path: Path) -> None:
    path = write(tmp_path / "shapes.npz", images=PICTURES, labels=NUMBERS, extra=NUMBERS)
    source = open_source(path)
    np.testing.assert_array_equal(pixels(source)[..., 0], PICTURES)
    assert source.name == "shapes"
    assert source.notes == ("The array 'extra' was left out: its name says no use.",)


@pytest.mark.parametrize(
    ("pictures", "targets"),
    [("x_{}", "y_{}"), ("{}_images", "{}_labels"), ("X_{}", "targets_{}"), ("{}-data", "{}-y")],
)
def test_parts_by_usual_names(tmp_path: Path, pictures: str, targets: str) -> None:
    arrays = {}
    for start, part in enumerate(["test", "val", "train"]):
        arrays[pictures.format(part)] = PICTURES[start : start + 2]
        arrays[targets.format(part)] = NUMBERS[start : start + 2]
    source = open_source(write(tmp_path / "a.npz", **arrays))
    assert source.parts.tolist() == [TRAIN] * 2 + [VALIDATION] * 2 + [TEST] * 2
    np.testing.assert_array_equal(pixels(source)[..., 0], PICTURES[[2, 3, 1, 2, 0, 1]])
    assert source.targets.tolist() == NUMBERS[[2, 3, 1, 2, 0, 1]].tolist()
    assert names_of(source)[1:3] == ["train row 1", "validation row 0"]
    assert len(set(source.ids.tolist())) == 6


def test_without_validation_part_training_rows_are_undecided() -> None:
    source = open_source(
        {"x_train": PICTURES, "y_train": NUMBERS, "x_test": PICTURES[:1], "y_test": NUMBERS[:1]}
    )
    assert source.parts.tolist() == [UNDECIDED] * 4 + [TEST]
    alone = open_source((PICTURES, NUMBERS))
    np.testing.assert_array_equal(source.ids[:4], alone.ids)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"a": PICTURES, "b": NUMBERS},
            "Expected an array of pictures called 'images' or 'x' and one of targets called "
            "'targets' or 'y', or 'x_train', 'y_train' and so on, but found 'a', 'b'.",
        ),
        (
            {"x": PICTURES},
            "There is no array of targets among 'x'. Expected pairs such as 'x' and 'y', or "
            "'x_train' and 'y_train'.",
        ),
        (
            {"x_train": PICTURES, "y_train": NUMBERS, "y_test": NUMBERS},
            "There is no array of pictures for the test part among 'x_train', 'y_train', 'y_test'. "
            "Expected pairs such as 'x' and 'y', or 'x_train' and 'y_train'.",
        ),
        (
            {"x": PICTURES, "images": PICTURES, "y": NUMBERS},
            "The arrays 'x' and 'images' both mean the pictures. Keep one of them.",
        ),
        (
            {"x": PICTURES, "y": NUMBERS, "x_train": PICTURES, "y_train": NUMBERS},
            "The arrays name a training part, but some name no part: 'x', 'y', 'x_train', "
            "'y_train'. Give each a part, such as 'x_train', or none.",
        ),
        (
            {"x_train": PICTURES, "y_train": NUMBERS, "x_val": PICTURES[:, :3], "y_val": NUMBERS},
            "The pictures of the parts differ in height, width or channels (train: 5 × 6 × 1; "
            "validation: 3 × 6 × 1). Expected one size for all.",
        ),
        (
            {
                "x_train": PICTURES,
                "y_train": NUMBERS,
                "x_val": PICTURES,
                "y_val": NUMBERS[:, None],
            },
            "The targets of the parts differ in form (train: int64 (4,), validation: int64 (4, "
            "1)). Expected one form.",
        ),
        ({"x": PICTURES[:0], "y": NUMBERS[:0]}, "The arrays hold no pictures."),
    ],
)
def test_arrays_that_do_not_fit(arrays: dict[str, Array], message: str) -> None:
    assert refusal(arrays) == message


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", x=PICTURES, y=np.array([{}, {}, {}, {}], object))
    assert refusal(path) == (
        "a.npz can't be read: it holds Python objects, which are never read; save arrays of numbers "
        "or text."
    )


def test_a_file_that_is_no_npz(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"nothing of the kind")
    assert refusal(path) == (
        "a.npz is not a whole .npz file. Copy it again, or write one with numpy.savez."
    )


def test_a_damaged_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", x=PICTURES, y=NUMBERS)
    damaged = bytearray(path.read_bytes())
    damaged[100:110] = bytes(10)
    path.write_bytes(damaged)
    assert refusal(path).startswith("a.npz can't be read: ")


def test_a_pair_has_two_arrays() -> None:
    message = refusal((PICTURES, NUMBERS, NUMBERS))
    assert message == "Expected a pair (pictures, targets), but got 3 arrays."


def test_options_for_tables_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        open_source((PICTURES, NUMBERS), SourceOptions(target=("x",)))
    assert str(caught.value) == (
        "--target doesn't fit this source: arrays have no columns. Leave the option out."
    )


def test_a_source_is_returned_as_it_is() -> None:
    source = open_source((PICTURES, NUMBERS))
    assert open_source(source) is source
