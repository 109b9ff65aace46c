"""MNIST-style IDX files."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from striate.answer import Classification
from striate.data import TEST, TRAIN, UNDECIDED, VALIDATION, open_source
from striate.data._array_pictures import ArrayPictures
from striate.data._idx import LIMIT, read_idx
from striate.errors import SourceError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
PICTURES = np.random.default_rng(0).integers(0, 256, (3, 4, 5), np.uint8)
LABELS = np.array([2, 0, 2], np.uint8)


def idx_bytes(array: npt.NDArray[Any]) -> bytes:
    """Write the format by hand, value by value in big-endian order."""
    code = CODES[array.dtype.str[1:]]
    start = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return start + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_set(folder: Path, part: str = "train", *, packed: bool = False) -> None:
    folder.mkdir(exist_ok=True)
    for name, array in (("images-idx3", PICTURES), ("labels-idx1", LABELS)):
        data = idx_bytes(array)
        path = folder / f"{part}-{name}-ubyte{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(data) if packed else data)


def refusal(path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        open_source(path) if path.is_dir() else read_idx(path)
    return str(caught.value)


@settings(deadline=None, max_examples=40)
@given(
    array=st.sampled_from(sorted(CODES)).flatmap(
        lambda code: hnp.arrays(code, hnp.array_shapes(max_dims=4, max_side=4))
    ),
    packed=st.booleans(),
)
def test_every_type_and_shape_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, array: npt.NDArray[Any], packed: bool
) -> None:
    path = tmp_path_factory.mktemp("idx") / ("a.gz" if packed else "a")
    path.write_bytes(gzip.compress(idx_bytes(array)) if packed else idx_bytes(array))
    read = read_idx(path)
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_of_idx_files(tmp_path: Path, packed: bool) -> None:
    write_set(tmp_path / "set", packed=packed)
    source = open_source(tmp_path / "set")
    assert isinstance(source.pictures, ArrayPictures)
    np.testing.assert_array_equal(source.pictures.array[..., 0], PICTURES)
    assert source.answer == Classification(("0", "2"))
    assert source.targets.tolist() == [1, 0, 1]
    assert (source.name, source.kind) == ("set", "idx")
    assert source.parts.tolist() == [UNDECIDED] * 3


@pytest.mark.parametrize("word", ["t10k", "test"])
def test_a_test_part(tmp_path: Path, word: str) -> None:
    write_set(tmp_path)
    write_set(tmp_path, word)
    assert open_source(tmp_path).parts.tolist() == [UNDECIDED] * 3 + [TEST] * 3


def test_a_validation_part(tmp_path: Path) -> None:
    write_set(tmp_path)
    write_set(tmp_path, "val")
    assert open_source(tmp_path).parts.tolist() == [TRAIN] * 3 + [VALIDATION] * 3


@pytest.mark.parametrize(
    "names",
    [
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
        ("emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte"),
        ("TRAIN-IMAGES-IDX3-UBYTE", "TRAIN-LABELS-IDX1-UBYTE"),
    ],
)
def test_other_usual_names(tmp_path: Path, names: tuple[str, str]) -> None:
    for name, array in zip(names, (PICTURES, LABELS), strict=True):
        (tmp_path / name).write_bytes(idx_bytes(array))
    assert len(open_source(tmp_path)) == 3


def test_a_plain_file_goes_before_a_packed_one(tmp_path: Path) -> None:
    write_set(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(b"damaged")
    assert len(open_source(tmp_path)) == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "{path} is empty. Copy it again."),
        (
            b"PNG!",
            "{path} is not an IDX file: it begins with the bytes 50 4e 47 21. "
            "Copy it again, or take it away.",
        ),
        (
            b"\0\0\x07\1\0\0\0\1x",
            "{path} is not an IDX file: it begins with the bytes 00 00 07 01. "
            "Copy it again, or take it away.",
        ),
        (
            b"\0\0\x08\0",
            "{path} is not an IDX file: it begins with the bytes 00 00 08 00. "
            "Copy it again, or take it away.",
        ),
        (b"\0\0\x08\2\0\0\0\1", "{path} ends within its dimensions. Copy it again."),
        (
            b"\0\0\x08\2\0\0\0\2\0\0\0\3abcde",
            "{path} declares 2 × 3 values, 6 bytes, but holds 5. Copy it again.",
        ),
        (
            b"\0\0\x08\1\0\0\0\2abc",
            "{path} declares 2 values, 2 bytes, but holds more. Copy it again.",
        ),
        (
            b"\0\0\x0e\2" + b"\xff" * 8,
            f"{{path}} declares {8 * (2**32 - 1) ** 2:,} bytes, more than the limit of {LIMIT:,}.",
        ),
    ],
)
def test_files_that_are_damaged(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    assert refusal(path) == message.format(path=path)


def test_a_gzip_file_that_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(idx_bytes(PICTURES))[:-20])
    assert refusal(path) == (
        f"{path} is not a whole gzip file: Compressed file ended before the end-of-stream marker "
        "was reached. Copy it again."
    )


def test_a_missing_partner(tmp_path: Path) -> None:
    write_set(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    assert refusal(tmp_path) == (
        f"The folder {tmp_path} holds no IDX file with the labels of the train part, though it "
        "holds the other one of the pair."
    )


def test_no_training_part(tmp_path: Path) -> None:
    write_set(tmp_path, "t10k")
    assert refusal(tmp_path) == (
        f"The folder {tmp_path} holds IDX files, but none of a training part. Expected "
        "train-images-idx3-ubyte and train-labels-idx1-ubyte, plain or with .gz."
    )


def test_files_of_different_lengths(tmp_path: Path) -> None:
    write_set(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS[:2]))
    assert refusal(tmp_path) == (
        "train-images-idx3-ubyte has the shape (3, 4, 5) and train-labels-idx1-ubyte the shape "
        "(2,). Expected one label for every picture."
    )


def test_several_sets_in_one_folder(tmp_path: Path) -> None:
    write_set(tmp_path, "a-train")
    write_set(tmp_path, "b-train")
    assert refusal(tmp_path) == (
        f"The folder {tmp_path} holds several sets of IDX files: a-…, b-…. Put each into a folder "
        "of its own."
    )
