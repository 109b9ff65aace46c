"""Named data sets: the embedded digits, and files that are found or fetched."""

import gzip
import hashlib
import io
import struct
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO
from urllib.error import URLError

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from striate.answer import Classification
from striate.data import (
    TEST,
    UNDECIDED,
    Source,
    SourceOptions,
    check,
    named_sources,
    open_source,
    split,
    write_digits,
)
from striate.data._array_pictures import ArrayPictures
from striate.data._cifar import CIFAR10, CIFAR100, Layout, read_cifar
from striate.data._fetch import fetch
from striate.data._find import data_folder
from striate.data._idx import idx_md5
from striate.data._named import open_named
from striate.data._registry import NamedFile
from striate.errors import SourceError, UsageError

RNG = np.random.default_rng(0)
IDX = [file.name for file in named_sources()[1].files]


def pixels(source: Source) -> npt.NDArray[np.uint8]:
    assert isinstance(source.pictures, ArrayPictures)
    return source.pictures.array


# ---------------------------------------------------------------- digits


def test_digits_are_those_of_scikit_learn() -> None:
    source = open_source("digits")
    expected = np.rint(load_digits().images * 255 / 16).astype(np.uint8)
    array = pixels(source)
    assert array.shape == (1797, 8, 8, 1)
    order = np.lexsort(array.reshape(1797, 64).T)
    expected_order = np.lexsort(expected.reshape(1797, 64).T)
    np.testing.assert_array_equal(array[order][..., 0], expected[expected_order])
    np.testing.assert_array_equal(source.targets[order], load_digits().target[expected_order])


def test_digits_have_a_fixed_stratified_test_part() -> None:
    source = open_source("digits")
    assert np.bincount(source.targets[source.parts == TEST]).tolist() == [36] * 10
    assert set(source.parts.tolist()) == {UNDECIDED, TEST}
    assert source.answer == Classification(tuple("0123456789"))
    assert (source.name, source.kind, source.licence) == ("digits", "named", "CC BY 4.0")
    assert source.citation.startswith("E. Alpaydin")
    assert source.orientation_matters
    assert check(source).warnings == ()
    assert [len(part) for part in split(source).parts().values()] == [1150, 287, 360]


def test_digits_are_written_as_folders(tmp_path: Path) -> None:
    write_digits(tmp_path / "digits")
    source = open_source(tmp_path / "digits")
    embedded = open_source("digits")
    assert len(source) == 1797
    assert int((source.parts == TEST).sum()) == 360
    assert source.answer == embedded.answer
    assert source.orientation_matters
    first = source.pictures.read(0)
    np.testing.assert_array_equal(first, pixels(embedded)[embedded.targets == 0][-36])


def test_digits_are_enlarged(tmp_path: Path) -> None:
    write_digits(tmp_path, 28)
    with Image.open(tmp_path / "train" / "0" / "0000.png") as image:
        assert (image.size, image.mode) == ((28, 28), "L")


# ---------------------------------------------------------------- finding


def test_the_data_folder_is_the_option_then_the_environment_then_the_cache(
    tmp_path: Path,
) -> None:
    options = SourceOptions(data_folder=tmp_path)
    assert data_folder(options, {"STRIATE_DATA": "/x"}) == tmp_path
    assert data_folder(SourceOptions(), {"STRIATE_DATA": "/x"}) == Path("/x")
    assert data_folder(SourceOptions(), {"XDG_CACHE_HOME": "/c"}) == Path("/c/striate/data")
    assert data_folder(SourceOptions(), {}) == Path.home() / ".cache/striate/data"


def idx_bytes(array: npt.NDArray[np.uint8]) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def idx_set(seed: int) -> dict[str, bytes]:
    rng = np.random.default_rng(seed)
    found = {}
    for name, shape in zip(IDX, [(6, 4, 4), (6,), (3, 4, 4), (3,)], strict=True):
        array = rng.integers(0, 2 if len(shape) == 1 else 256, shape, np.uint8)
        found[name] = idx_bytes(array)
    return found


def write_idx(folder: Path, seed: int, *, packed: bool = True) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in idx_set(seed).items():
        if packed:
            (folder / name).write_bytes(gzip.compress(data, mtime=0))
        else:
            (folder / name.removesuffix(".gz")).write_bytes(data)


def no_net(url: str) -> BinaryIO:
    raise URLError(f"no net for {url.rsplit('/', 1)[-1]}")


@pytest.mark.parametrize("below", ["", "mnist", "MNIST/raw", "mnist/MNIST/raw"])
@pytest.mark.parametrize("packed", [False, True])
def test_mnist_is_found_where_people_keep_it(tmp_path: Path, below: str, packed: bool) -> None:
    write_idx(tmp_path / below, 0, packed=packed)
    source = open_named("mnist", SourceOptions(data_folder=tmp_path), no_net)
    assert (len(source), source.name, source.kind) == (9, "mnist", "named")
    assert source.parts.tolist() == [UNDECIDED] * 6 + [TEST] * 3
    assert source.orientation_matters
    first = tmp_path / below / IDX[0].removesuffix("" if packed else ".gz")
    assert source.notes[0] == (
        f"{first} is not the published file, by its hash; it was used because its form is right."
    )
    assert len(source.notes) == 4


def test_the_environment_names_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx(tmp_path / "fashion-mnist", 0)
    monkeypatch.setenv("STRIATE_DATA", str(tmp_path))
    source = open_source("fashion-mnist", SourceOptions(download=False))
    assert source.answer.names[:2] == ("T-shirt/top", "Trouser")
    assert not source.orientation_matters
    assert source.licence == "MIT"


def test_the_hash_of_an_array_is_that_of_its_plain_file() -> None:
    array = RNG.integers(0, 256, (3, 4, 5), np.uint8)
    assert idx_md5(array) == hashlib.md5(idx_bytes(array)).hexdigest()


def test_a_task_may_be_given() -> None:
    source = open_source("digits", SourceOptions(task="regression"))
    assert source.answer.task == "regression"
    assert source.targets.shape == (1797, 1)


def test_options_for_tables_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        open_source("digits", SourceOptions(group="x"))
    assert str(caught.value) == (
        "--group doesn't fit this source: 'digits' is a data set of its own. Leave the option out."
    )


# ---------------------------------------------------------------- fetching


def where_to_put(tmp_path: Path, why: str) -> str:
    return (
        f"The data set 'mnist' is not in the data folder {tmp_path}, and {why}. Put these files "
        f"into {tmp_path}/mnist: train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, "
        "t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz (from "
        "https://ossci-datasets.s3.amazonaws.com/mnist/). Another data folder is named by "
        "STRIATE_DATA or --set data.data_folder=FOLDER."
    )


def test_without_downloading_the_letter_says_where_to_put_what(tmp_path: Path) -> None:
    options = SourceOptions(data_folder=tmp_path, download=False)
    with pytest.raises(SourceError) as caught:
        open_named("mnist", options)
    assert str(caught.value) == where_to_put(tmp_path, "downloading is switched off")


def test_without_a_net_the_letter_says_why(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        open_named("mnist", SourceOptions(data_folder=tmp_path), no_net)
    assert str(caught.value) == where_to_put(
        tmp_path,
        "downloading failed (no net for train-images-idx3-ubyte.gz)",
    )
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_the_published_file_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        open_named("mnist", SourceOptions(data_folder=tmp_path), lambda _: io.BytesIO(b"login"))
    assert str(caught.value) == where_to_put(
        tmp_path,
        "downloading failed (What https://ossci-datasets.s3.amazonaws.com/mnist/"
        "train-images-idx3-ubyte.gz sent is not the published file: its MD5 is "
        "d56b699830e77ba53855679cb1d252da, expected f68b3c2dcbeaaa9fbdd348bbdeb94873. Nothing was "
        "kept)",
    )
    assert list((tmp_path / "mnist").iterdir()) == []


def test_a_file_is_fetched_whole_or_not_at_all(tmp_path: Path) -> None:
    data = bytes(range(256)) * 9000
    file = NamedFile(name="a.bin", md5=hashlib.md5(data).hexdigest())
    path = fetch("https://x/a.bin", file, tmp_path / "new", lambda _: io.BytesIO(data))
    assert path == tmp_path / "new" / "a.bin"
    assert path.read_bytes() == data
    assert list(path.parent.iterdir()) == [path]
    with pytest.raises(SourceError) as caught:
        fetch("https://x/a.bin", replace(file, size=99), tmp_path, lambda _: io.BytesIO(data))
    assert str(caught.value) == "https://x/a.bin sent more than 99 bytes. Nothing was kept."
    assert [entry.name for entry in tmp_path.iterdir()] == ["new"]


# ---------------------------------------------------------------- CIFAR


def small(layout: Layout) -> Layout:
    """Return a layout with few records in each member."""
    return replace(layout, records=dict.fromkeys(layout.records, 4))


def cifar_members(layout: Layout, classes: list[str]) -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    members = {layout.names: "\n".join([*classes, ""]).encode()}
    for name, number in layout.records.items():
        records = rng.integers(0, 256, (number, layout.labels + 3072), np.uint8)
        records[:, : layout.labels] = rng.integers(0, 2, (number, layout.labels))
        members[name] = records.tobytes()
    return members


def write_tar(path: Path, folder: str, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("layout", [small(CIFAR10), small(CIFAR100)])
def test_cifar_records_are_read(tmp_path: Path, layout: Layout) -> None:
    members = cifar_members(layout, ["cat", "dog"])
    path = write_tar(tmp_path / "a.tar.gz", layout.folder, members)
    read = read_cifar(path, layout)
    assert read.classes == ("cat", "dog")
    assert len(read.pictures["train"]) == 4 * len(layout.train)
    second = members[layout.train[0]][layout.labels + 3072 :]
    assert read.targets["train"][1] == second[layout.labels - 1]
    for channel, y, x in [(0, 0, 0), (1, 2, 3), (2, 31, 30)]:
        value = second[layout.labels + channel * 1024 + y * 32 + x]
        assert read.pictures["train"][1, y, x, channel] == value
    assert read.pictures["test"].flags.c_contiguous
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.tar.gz"]


def cifar_refusal(path: Path, layout: Layout) -> str:
    with pytest.raises(SourceError) as caught:
        read_cifar(path, layout)
    return str(caught.value)


def test_cifar_archives_that_are_not(tmp_path: Path) -> None:
    layout = small(CIFAR100)
    members = cifar_members(layout, ["cat", "dog"])
    path = tmp_path / "a.tar.gz"
    path.write_bytes(b"nothing")
    assert cifar_refusal(path, layout).startswith(f"{path} is not a whole .tar.gz archive: ")
    write_tar(path, "cifar-100-python", members)
    assert cifar_refusal(path, layout) == (
        f"{path} holds no cifar-100-binary/train.bin. Expected CIFAR's binary version; the Python "
        "version holds pickles, which are never read."
    )
    write_tar(path, layout.folder, {**members, "test.bin": bytes(10)})
    assert cifar_refusal(path, layout) == f"{path}: test.bin has 10 bytes. Expected 12,296."
    write_tar(path, layout.folder, {**members, layout.names: b"cat\n"})
    assert cifar_refusal(path, layout) == (
        f"{path} has labels beyond its 1 class names. It is damaged: download it again."
    )
    write_tar(path, layout.folder, {**members, layout.names: bytes(70_000)})
    assert cifar_refusal(path, layout) == (
        f"{path}: fine_label_names.txt has 70,000 bytes, too many for class names."
    )


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    layout = small(CIFAR100)
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo(f"{layout.folder}/train.bin")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    assert cifar_refusal(path, layout) == (
        f"{path}: the member 'cifar-100-binary/train.bin' is a link, which is refused."
    )


# ---------------------------------------------------------------- the list


def test_the_list_says_what_there_is() -> None:
    listed: dict[str, Any] = {each.name: each for each in named_sources()}
    assert list(listed) == ["digits", "mnist", "fashion-mnist", "cifar10", "cifar100"]
    for each in listed.values():
        assert each.licence
        assert each.citation
        assert bool(each.files) == bool(each.url) == bool(each.folders)
        assert all(len(file.md5) == 32 for file in each.files)


def test_files_of_another_set_are_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx(tmp_path, 0)
    labels = gzip.decompress((tmp_path / IDX[1]).read_bytes())
    mnist = named_sources()[1]
    known = replace(mnist.files[1], content_md5=hashlib.md5(labels).hexdigest())
    files = (mnist.files[0], known, *mnist.files[2:])
    registry = tuple(
        replace(each, files=files) if each.name == "mnist" else each for each in named_sources()
    )
    monkeypatch.setattr("striate.data._find.REGISTRY", registry)
    options = SourceOptions(data_folder=tmp_path, download=False)
    assert len(open_named("mnist", options)) == 9
    with pytest.raises(SourceError, match="'fashion-mnist' is not in the data folder"):
        open_named("fashion-mnist", options)
