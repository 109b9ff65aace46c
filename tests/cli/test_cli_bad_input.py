"""What hostile and clumsy users give: every letter, exit code, and that nothing is lost."""

import gzip
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from command_line import Done, striate
from onnx_models import write_tiny_model
from pictures import save, stripes, write_folder
from striate.answer import Classification, Regression
from striate.data import check, open_source, store
from striate.image import Shape

FORMATS = "JPEG, PNG, WebP, TIFF, BMP, GIF, PPM"
NOPE = f"not a picture in a format striate reads ({FORMATS}): it begins with 'nope'"
NAMES = [f"{name}/{number:03d}.png" for name in ("across", "down") for number in range(10)]
PICTURES = np.stack([stripes(kind * 2, seed) for kind in range(2) for seed in range(4)])
LABELS = np.repeat([0, 1], 4)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no data sets but the embedded one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STRIATE_DATA", str(tmp_path / "nodata"))
    return tmp_path


def train(source: object, *words: object) -> Done:
    return striate("train", source, "--epochs", "1", "--image-size", "8", "--quiet", *words)


def refused(source: object, *words: object, code: int = 3) -> str:
    """Train, which must fail with `code` before a run folder is made; return the letter."""
    done = train(source, *words)
    assert (done.code, done.out) == (code, "")
    assert not Path("runs").exists()
    return done.err.removesuffix("\n").splitlines()[-1].removeprefix("striate: ")


def warned(source: object, *words: object) -> list[str]:
    """Train, which must work; return the warnings."""
    done = train(source, *words)
    assert done.code == 0, done.err
    return [line.removeprefix("warning: ") for line in done.err.splitlines()]


def table(*rows: str, header: str = "image,label", name: str = "t.csv") -> str:
    """Write ten pictures of each class, and a CSV file beside them."""
    write_folder(Path("pics"), each=10)
    path = Path("pics") / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(path)


def labelled() -> list[str]:
    return [f"{name},{name.split('/')[0]}" for name in NAMES]


def numbered() -> list[str]:
    return [f"{name},{number * 1.5}" for number, name in enumerate(NAMES)]


# Sources that are no source


def test_sources_that_are_none() -> None:
    Path("empty").mkdir()
    Path("notes.md").write_text("x")
    Path("one.png").write_bytes(b"x")
    kinds = (
        "Expected a folder with a subfolder per class, a CSV file, a .npz file, a folder of IDX "
        "files, or the name of a data set."
    )
    named = "Data sets: digits, mnist, fashion-mnist, cifar10, cifar100."
    missing = "and no data set of that name."
    letters = {
        "empty": "The folder empty is empty. Expected one subfolder per class, such as "
        "empty/cat/1.jpg.",
        "mnits": f"There is no file or folder 'mnits', {missing} Did you mean 'mnist'? {named}",
        "notes.md": f"The file notes.md is of a kind that can't be a source. {kinds}",
        "one.png": f"The file one.png is a picture. {kinds}",
        "x" * 5000: f"There is no file or folder '{'x' * 5000}', {missing} {named}",
    }
    assert {source: refused(source) for source in letters} == letters


@pytest.mark.parametrize(
    ("name", "content", "letter"),
    [
        ("e.csv", b"", "e.csv holds no rows. Expected a first line with the columns' names, then "
         "one line per picture."),
        ("h.csv", b"image,label\n", "h.csv holds no rows. Expected a first line with the columns' "
         "names, then one line per picture."),
        ("b.csv", bytes(range(1, 256)), "b.csv isn't text in UTF-8 (byte 127). Save it as CSV in "
         "UTF-8."),
        ("z.csv", b"image,label\na.png,\0\n", "z.csv isn't text: it holds a zero byte on line 2. "
         "Save it as CSV in UTF-8."),
        ("n.npz", b"nope", "n.npz is not a whole .npz file. Copy it again, or write one with "
         "numpy.savez."),
    ],
)  # fmt: skip
def test_files_that_are_not_what_they_are_called(name: str, content: bytes, letter: str) -> None:
    Path(name).write_bytes(content)
    assert refused(name) == letter


# Folders


def test_classes_that_are_too_few() -> None:
    write_folder(Path("one"), classes=("only",), each=4)
    assert refused("one") == (
        "All pictures of one have the same class, 'only'. Expected two classes or more."
    )
    write_folder(Path("lost"), each=4)
    for path in Path("lost/down").iterdir():
        path.write_bytes(b"nope")
    assert refused("lost", "--allow-unreadable") == (
        "All pictures of lost that can be read have the same class, 'across'; none can be read of: "
        "down. Repair some of those."
    )
    write_folder(Path("pair"), each=1)
    assert refused("pair") == (
        "pair has too little to keep any for validation: every class has a single picture. Add "
        "more, or give a validation part."
    )


def test_a_class_with_a_single_picture_goes_on() -> None:
    write_folder(Path("few"), each=6)
    save(stripes(1, 0), Path("few/slant/0.png"))
    assert warned("few") == [
        "There is a single picture of: slant. It can't be both trained on and validated on; add "
        "pictures or remove the class."
    ]


def test_classes_that_differ_between_parts() -> None:
    write_folder(Path("parts/train"), each=4)
    write_folder(Path("parts/val"), classes=("across", "dwon"), each=2)
    assert refused("parts") == (
        "The classes of the train and validation parts differ (only in validation: dwon; only in "
        "train: down). Expected the same classes in both; look for a name that is spelt in two "
        "ways."
    )
    write_folder(Path("tests/test"), each=2)
    assert refused("tests") == (
        "tests has no training pictures, only 4 of the test part. Add a train part, or name "
        "pictures that belong to no part."
    )


def test_unreadable_pictures_are_named_counted_and_skipped() -> None:
    write_folder(Path("some"), each=13)
    Path("some/down/000.png").write_bytes(b"nope")
    Path("some/down/001.png").write_bytes(b"")
    Path("some/down/002.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(50))
    assert refused("some", "--strict", code=5) == (
        f"down/000.png can't be read: {NOPE}. Repair or remove it; without --strict it would be "
        "left out."
    )
    assert warned("some") == [
        f"3 pictures can't be read and will be left out: down/000.png ({NOPE}), down/001.png (the "
        "file is empty), down/002.heic (HEIC, a format striate doesn't read: convert it to PNG or "
        "JPEG; the package pillow-heif reads it)."
    ]


def test_too_many_unreadable_pictures() -> None:
    write_folder(Path("bad"), each=5)
    for number in range(3):
        Path(f"bad/down/00{number}.png").write_bytes(b"nope")
    named = f"down/000.png, down/001.png, down/002.png ({NOPE})."
    assert refused("bad", code=5) == (
        f"3 of 10 pictures can't be read (30%, more than 20%): {named} Repair or remove them, or "
        "go on without them by --allow-unreadable."
    )
    assert warned("bad", "--allow-unreadable") == [
        f"3 pictures can't be read and will be left out: {named}"
    ]


def test_a_wrong_suffix_is_read_by_content() -> None:
    write_folder(Path("suffix"), each=5)
    Path("suffix/down/000.png").rename("suffix/down/000.jpg")
    assert warned("suffix") == ["Read by content, because the suffix is wrong: down/000.jpg (PNG)."]


def test_a_picture_smaller_than_the_first_kernel() -> None:
    write_folder(Path("tiny"), each=4, size=4)
    done = striate("train", "tiny", "--network", "lenet5")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[-1] == (
        "striate: Network 'lenet5' doesn't fit. A picture of 4×4 is smaller than the first kernel: "
        "layer 1 'conv 6 5' gets 4×4; a picture of at least 16×16 would do."
    )


# Tables


def test_tables_with_faulty_targets() -> None:
    rows, numbers = labelled(), numbered()
    fill = "Fill in the values, remove the rows, or choose other columns by --target."
    assert refused(table(*rows[:-1], f"{NAMES[-1]},")) == (
        f"t.csv: 1 row without a value in the column 'label', the first on line 21. {fill}"
    )
    assert refused(table(*numbers[:-2], f"{NAMES[-2]},NA", f"{NAMES[-1]},")) == (
        f"t.csv: 2 rows without a value in the column 'label', the first on line 20. {fill}"
    )
    assert refused(table(*numbers[:-1], f"{NAMES[-1]},many")) == (
        "t.csv: the column 'label' should hold numbers, but line 21 holds 'many'. Correct it, use "
        "--task classification to treat every value as a class, or choose other columns by "
        "--target."
    )
    assert refused(table(*numbers[:-1], f"{NAMES[-1]},1e400")) == (
        "t.csv: the column 'label' holds 1e400 on line 21. Expected numbers from -1e+30 to 1e+30: "
        "correct it, or choose another unit."
    )
    assert warned(table(*rows[:-1], f"{NAMES[-1]},7"))[0] == (
        "The column `label` holds words, but also 1 number, the first on line 21: 7. Each was "
        "taken for a class."
    )


def test_tables_with_missing_and_repeated_pictures() -> None:
    assert warned(table(*labelled(), "gone.png,down", "across/003.png,across")) == [
        "Left out, because they repeat an earlier row: 1 row, the first on line 23.",
        "1 picture can't be read and will be left out: gone.png (there is no such file).",
    ]
    shutil.rmtree("runs")
    gone = [f"gone{number}.png,down" for number in range(8)]
    assert refused(table(*labelled(), *gone), code=5) == (
        "8 of 28 pictures can't be read (29%, more than 20%): gone0.png, gone1.png, gone2.png and "
        "5 more (there is no such file). Repair or remove them, or go on without them by "
        "--allow-unreadable."
    )
    assert refused(table(*gone)) == (
        "None of the pictures that t.csv names (8) was found in pics or below it. The first is "
        "'gone0.png'. Name their folder with --images."
    )
    assert refused(table(*labelled(), "across/003.png,down")) == (
        "t.csv: the same picture has different targets on line 5 and line 22: 003.png. Keep one of "
        "the rows; several labels of one picture go into one row, separated by ';'."
    )


def test_tables_with_names_that_no_file_can_have() -> None:
    long = "x" * 5000 + ".png"
    reason = "the system can't read it (File name too long)"
    assert warned(table(*labelled(), f"{long},down", "across,across")) == [
        f"2 pictures can't be read and will be left out: {long} ({reason}), across (a folder, not "
        "a picture)."
    ]


@pytest.mark.parametrize(
    ("words", "code", "letter"),
    [
        (["--target", "lable"], 2, "--target: There is no column called 'lable'. Did you mean "
         "'label'? Known: image, label. The file is pics/t.csv."),
        (["--group", "labl"], 2, "--group: There is no column called 'labl'. Did you mean "
         "'label'? Known: image, label. The file is pics/t.csv."),
        (["--split", "part"], 2, "--split: There is no column called 'part'. Known: image, label. "
         "The file is pics/t.csv."),
        (["--target", "label", "--target", "label"], 2, "--target label was given twice. Give it "
         "once."),
        (["--target", "image"], 2, "--target image: this column of t.csv names the pictures. "
         "Choose another one."),
        (["--images", "nopics"], 3, "--images: there is no folder nopics. Name the one that holds "
         "the pictures."),
        (["--split", "train=no.txt"], 3, "The list no.txt of --split can't be read: No such file "
         "or directory. It was looked for here and in pics."),
        (["--split", "train=empty.txt"], 3, "The list empty.txt of --split is empty. Expected one "
         "picture's name a line."),
        (["--split", "train=list.txt"], 3, "list.txt names 1 picture that the source doesn't "
         "hold: nope. Expected names as in the source, one a line."),
        (["--split", "trian=list.txt"], 2, "--split: 'trian=list.txt' isn't one of train=FILE, "
         "val=FILE, test=FILE. Did you mean 'train'?"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit_the_table(words: list[str], code: int, letter: str) -> None:
    Path("list.txt").write_text("across/000\nnope\n")
    Path("empty.txt").write_text("\n")
    assert refused(table(*labelled()), *words, code=code) == letter


@pytest.mark.parametrize("kind", ["semicolons", "bom", "quotes", "no suffix", "crlf"])
def test_tables_as_people_save_them(kind: str) -> None:
    rows = labelled()
    if kind == "semicolons":
        path = table(*(row.replace(",", ";") for row in rows), header="image;label")
    elif kind == "quotes":
        quoted = (row.replace(",", '","') for row in rows)
        path = table(*(f'"{row}, ""so"""' for row in quoted), header='"image","label"')
    elif kind == "no suffix":
        path = table(*(row.replace(".png", "") for row in rows))
    else:
        path = table(*rows)
        text = Path(path).read_text()
        Path(path).write_bytes(
            text.encode("utf-8-sig") if kind == "bom" else text.replace("\n", "\r\n").encode()
        )
    assert warned(path) == []


# Arrays and IDX files


@pytest.mark.parametrize(
    ("arrays", "letter"),
    [
        ({"x": PICTURES, "y": LABELS.astype(object)}, "a.npz can't be read: it holds Python "
         "objects, which are never read; save arrays of numbers or text."),
        ({"x": PICTURES, "y": LABELS[:3]}, "a.npz: 'x' has the shape (8, 16, 16, 3) and 'y' the "
         "shape (3,). Expected one target for every picture."),
        ({"x": PICTURES[:, :, :, :2], "y": LABELS}, "a.npz: The pictures in 'x' have the shape "
         "(8, 16, 16, 2). Expected (N, height, width), or (N, height, width, channels) or (N, "
         "channels, height, width) with 1 or 3 channels."),
        ({"x": PICTURES[:, :0], "y": LABELS}, "a.npz: The pictures in 'x' have the shape (8, 0, "
         "16, 3): there are no pixels in them."),
        ({"x": PICTURES, "y": np.where(LABELS, np.nan, 0.5)}, "a.npz: The target of row 4 is nan. "
         "Expected finite numbers from -1e+30 to 1e+30: correct it, or remove the row and its "
         "picture."),
        ({"x_train": PICTURES, "y_train": LABELS + 0.5, "x_test": PICTURES, "y_test":
          np.where(LABELS, 1e300, 0.5)}, "a.npz: The target of test row 4 is 1e+300. Expected "
         "finite numbers from -1e+30 to 1e+30: correct it, or remove the row and its picture."),
        ({"x": PICTURES}, "a.npz: There is no array of targets among 'x'. Expected pairs such as "
         "'x' and 'y', or 'x_train' and 'y_train'."),
        ({"x": PICTURES, "y": np.array([b"a", b"\xff"])[LABELS]}, "a.npz: The text in an array of "
         "bytes isn't UTF-8. Save it as text: an array of type str."),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit(arrays: dict[str, np.ndarray], letter: str) -> None:
    np.savez("a.npz", **arrays)
    assert refused("a.npz") == letter


def test_arrays_that_were_damaged_on_the_way() -> None:
    np.savez("a.npz", x=PICTURES, y=LABELS)
    whole = Path("a.npz").read_bytes()
    Path("cut.npz").write_bytes(whole[: len(whole) // 2])
    assert refused("cut.npz") == (
        "cut.npz is not a whole .npz file. Copy it again, or write one with numpy.savez."
    )
    Path("bit.npz").write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    assert refused("bit.npz") == (
        "bit.npz can't be read: Bad CRC-32 for file 'x.npy'. Copy it again."
    )


def idx(name: str, array: np.ndarray) -> Path:
    """Write an IDX file, gzipped where its name ends in .gz."""
    path = Path("idx") / name
    path.parent.mkdir(exist_ok=True)
    start = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    data = start + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def test_idx_files_that_are_damaged() -> None:
    images = idx("train-images-idx3-ubyte", PICTURES[..., 0])
    labels = idx("train-labels-idx1-ubyte", LABELS[:5])
    assert refused("idx") == (
        "train-images-idx3-ubyte has the shape (8, 16, 16) and train-labels-idx1-ubyte the shape "
        "(5,). Expected one label for every picture."
    )
    images.write_bytes(images.read_bytes()[:100])
    assert refused("idx") == (
        f"{images} declares 8 × 16 × 16 values, 2,048 bytes, but holds 84. Copy it again."
    )
    images.write_bytes(b"nope" + bytes(100))
    assert refused("idx") == (
        f"{images} is not an IDX file: it begins with the bytes 6e 6f 70 65. Copy it again, or "
        "take it away."
    )
    images.write_bytes(b"")
    assert refused("idx") == f"{images} is empty. Copy it again."
    labels.unlink()
    assert refused("idx") == (
        "The folder idx holds no IDX file with the labels of the train part, though it holds the "
        "other one of the pair."
    )
    images.unlink()
    packed = idx("train-images-idx3-ubyte.gz", PICTURES[..., 0])
    idx("train-labels-idx1-ubyte.gz", LABELS)
    packed.write_bytes(packed.read_bytes()[:100])
    assert refused("idx") == (
        f"{packed} is not a whole gzip file: Compressed file ended before the end-of-stream marker "
        "was reached. Copy it again."
    )


def test_a_data_set_that_cannot_be_fetched(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    from urllib.error import URLError

    def no_net(*_: object, **__: object) -> None:
        raise URLError(OSError(101, "Network is unreachable"))

    monkeypatch.setattr("urllib.request.urlopen", no_net)
    assert refused("mnist") == (
        f"The data set 'mnist' is not in the data folder {here}/nodata, and downloading failed "
        f"(Network is unreachable). Put these files into {here}/nodata/mnist: "
        "train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, "
        "t10k-labels-idx1-ubyte.gz (from https://ossci-datasets.s3.amazonaws.com/mnist/). Another "
        "data folder is named by STRIATE_DATA or --set data.data_folder=FOLDER."
    )
    assert not Path("nodata").exists()


# Names that are meant to do harm

HOSTILE = (
    "<script>alert(1)<", "=cmd|calc", "-dash", "new\nline", "red\x1b[31m", "\u202egnp.exe",
    "e\u0301t\u00e9", " space ", "raw\udcff", "x" * 200,
)  # fmt: skip


def test_hostile_names_break_nothing(here: Path) -> None:
    for kind, name in enumerate(HOSTILE):
        for seed in range(2):
            save(stripes(kind, seed), here / "hostile" / name / f"{name[:100]}{seed}.png")
    (here / "hostile" / HOSTILE[0] / "bad\x1b[2J.png").write_bytes(b"nope")
    done = striate("train", "hostile", "--epochs", "1", "--image-size", "8", "--name", "h")
    assert done.code == 0, done.err
    assert not set("\x1b\u202e") & set(done.out + done.err)
    assert done.err == (
        "warning: 1 picture can't be read and will be left out: "
        f"<script>alert(1)</bad\\x1b[2J.png ({NOPE}).\n"
    )
    report = Path("runs/h/report.html").read_text("utf-8")
    assert "<script>alert" not in report
    answered = striate("predict", "runs/h", "hostile", "--json")
    assert answered.code == 3
    assert len(answered.out.splitlines()) > 20
    for words in (["predict", "runs/h", "hostile"], ["predict", "runs/h", "hostile", "--csv"]):
        out = striate(*words).out
        assert len(out.splitlines()) == 22
        assert not set("\x1b\u202e") & set(out)
    measured = striate("evaluate", "runs/h", "hostile", "--part", "all")
    assert measured.code == 0, measured.err
    assert measured.out.startswith("all: 20 pictures\n")
    assert not set("\x1b\u202e") & set(measured.out + measured.err)
    assert striate("verify", "runs/h").code == 0


def test_hostile_names_in_a_table() -> None:
    rows = [f'{name},"{word}"' for name, word in zip(NAMES, HOSTILE[:3] * 8, strict=False)]
    assert train(table(*rows, header="image,<script>label"), "--name", "t").code == 0
    assert "<script>" not in Path("runs/t/report.html").read_text("utf-8")


# Prediction


@pytest.fixture
def model(here: Path) -> Path:
    return write_tiny_model(here / "model", Classification(("across", "down")))


def bomb() -> bytes:
    """Return a PNG file of some hundred bytes that declares 50,000 × 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    size = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + data + chunk(b"IEND", b"")


def test_what_cannot_be_predicted_stands_in_its_place(model: Path) -> None:
    write_folder(Path("g"), each=1)
    Path("text.txt").write_text("nope")
    Path("bomb.png").write_bytes(bomb())
    Path("link.png").symlink_to("nowhere")
    os.mkfifo("pipe.png")
    good = "g/down/000.png"
    long = "x" * 300 + ".png"
    begun = time.perf_counter()
    done = striate(
        "predict",
        model,
        good,
        "bomb.png",
        "none.png",
        "text.txt",
        "link.png",
        "pipe.png",
        long,
        good,
        "--json",
    )
    assert time.perf_counter() - begun < 5
    first, *failed, last = json.loads(done.out)
    assert done.code == 3
    assert [one["error"] for one in failed] == [
        "50000 × 50000 pixels, more than the limit of 40,000,000 pixels",
        "there is no such file",
        NOPE,
        "there is no such file",
        "not a regular file",
        "the system can't read it (File name too long)",
    ]
    assert first == last
    assert first["path"] == good
    assert done.err == (
        "striate: Pictures that can't be read: 6 of 8; the reasons stand in their place.\n"
    )


def test_words_that_name_no_picture(model: Path) -> None:
    Path("empty").mkdir()
    letters = {
        "empty": "empty: there are no pictures below this folder (found no files). Name another "
        "folder, or the files themselves.",
        "*.jpg": "*.jpg: no file fits this pattern. Check it, or name a folder.",
        "\x1b*.jpg": "\\x1b*.jpg: no file fits this pattern. Check it, or name a folder.",
        "": "One of the names of pictures is empty. Name a file, folder or pattern.",
    }
    for word, letter in letters.items():
        assert striate("predict", model, word) == Done(3, "", f"striate: {letter}\n")


# Models


def test_models_that_are_none() -> None:
    Path("empty").mkdir()
    Path("file").write_text("x")
    expected = (
        "Expected a model folder (it holds model.json), or a run folder with one as model/.\n"
    )
    letters = {
        "empty": f"empty: there is no model in this folder. {expected}",
        "file": f"file: this is not a folder. {expected}",
        "none": f"none: there is no such folder. {expected}",
        "m" * 5000: f"{'m' * 5000}: there is no such folder. {expected}",
    }
    for word, letter in letters.items():
        for words in (["verify", word], ["predict", word, "x.png"], ["evaluate", word, "digits"]):
            assert striate(*words) == Done(4, "", f"striate: {letter}")


@pytest.mark.parametrize("file", ["network.onnx", "weights.safetensors", "samples/0.png"])
def test_files_of_a_model_that_are_not_what_they_were(model: Path, file: str) -> None:
    path, whole = model / file, (model / file).read_bytes()
    again = "Copy the whole model folder again from where it was made.\n"
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    changed = striate("verify", model)
    assert changed.code == 4
    assert changed.err.startswith(
        f"striate: {model}: the file '{file}' was changed after the model was written (SHA-256 "
    )
    assert changed.err.endswith(f"…). {again}")
    path.unlink()
    missing = f"striate: {model}: the file '{file}' is missing, though model.json lists it. {again}"
    assert (striate("verify", model).code, striate("verify", model).err) == (4, missing)
    path.mkdir()
    folder = f"striate: {model}: '{file}' should be a file, but it isn't. {again}"
    assert striate("verify", model).err == folder
    used = striate("predict", model, "x.png")
    assert used.code == (4 if file == "network.onnx" else 3)


def test_a_model_and_a_source_that_do_not_belong_together(model: Path) -> None:
    write_folder(Path("other"), classes=("acros", "down"), each=2)
    assert striate("evaluate", model, "other").err == (
        "striate: other: the source has the class 'acros', which the model doesn't know. Did you "
        "mean 'across'? The model knows: across, down. Rename or leave out those pictures, or "
        "train on this source.\n"
    )
    numbers = write_tiny_model(Path("numbers"), Regression(("angle",)))
    assert striate("evaluate", numbers, "other") == Done(
        3,
        "",
        "striate: The folder other gives each picture one class, but regression needs numbers or "
        "labels for every picture. Use a CSV file with an image column.\n",
    )
    assert striate("evaluate", numbers, table(*numbered())).err == (
        "striate: t: the model answers 'angle', but the source has no target of that name. Its "
        "targets: label.\n"
    )


# Disks


@pytest.fixture
def small_disk(here: Path) -> Iterator[Callable[[str], Path]]:
    """Return what mounts a disk of a size; skip where that is not permitted."""
    mount = shutil.which("mount")
    disk = here / "disk"
    disk.mkdir()
    mounted = False

    def make(size: str) -> Path:
        nonlocal mounted
        if mount is None:
            pytest.skip("there is no program to mount a small disk with")
        words = [mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
        if subprocess.run(words, capture_output=True, check=False).returncode:
            pytest.skip("mounting a small disk is not permitted")
        mounted = True
        return disk

    yield make
    if mounted:
        subprocess.run(["umount", str(disk)], check=True)


def test_no_space_for_the_run(small_disk: Callable[[str], Path]) -> None:
    write_folder(Path("g"), each=6)
    disk = small_disk("40k")
    done = train("g", "--out", disk)
    assert (done.code, done.out) == (74, "")
    assert done.err == (
        f"striate: {disk}/g/model: the model can't be written here: No space left on device. Make "
        "room, or choose another place.\n"
    )
    assert sorted(path.name for path in (disk / "g").iterdir()) == [
        ".lock", "config.yaml", "history.csv", "layers.csv", "steps.csv",
    ]  # fmt: skip


def test_no_space_for_the_store(
    small_disk: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(Path("g"), each=6)
    disk = small_disk("40k")
    monkeypatch.setattr("striate.data._room.IN_MEMORY", 100)
    monkeypatch.setenv("STRIATE_CACHE", str(disk / "cache"))
    assert refused("g", "--image-size", "64", code=74) == (
        f"The pictures need a file of 147,456 bytes, but {disk}/cache has 40,960 bytes free. Free "
        "some space, or set STRIATE_CACHE to a folder on another disk."
    )
    assert list((disk / "cache").iterdir()) == []


def test_folders_that_cannot_be_written_to(
    small_disk: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(Path("g"), each=6)
    disk = small_disk("40k")
    remount = ["mount", "-o", "remount,ro", str(disk)]
    if subprocess.run(remount, capture_output=True, check=False).returncode:
        pytest.skip("remounting a disk is not permitted")
    assert refused("g", "--out", disk, code=74) == (
        f"{disk}: can't be written (Read-only file system). Choose another --out."
    )
    monkeypatch.setattr("striate.data._room.IN_MEMORY", 100)
    monkeypatch.setenv("STRIATE_CACHE", str(disk))
    assert refused("g", "--image-size", "16", code=74) == (
        f"The pictures need a file of 9,216 bytes, but {disk} can't be written to (Read-only file "
        "system). Set STRIATE_CACHE to a folder that can."
    )


# One bad picture among many (RELIABILITY.md row 11)


def spoil(path: Path, way: str) -> None:
    """Make a picture unreadable."""
    data = path.read_bytes()
    spoilt = {
        "empty": b"",
        "truncated": data[: len(data) // 2],
        "html": b"<html><body>404 Not Found</body></html>",
        "bomb": bomb(),
        # The last byte of the pixels' checksum, before the 12 bytes of the last chunk.
        "crc": data[:-13] + bytes([data[-13] ^ 1]) + data[-12:],
    }
    if way in spoilt:
        path.write_bytes(spoilt[way])
    elif way == "link":
        path.unlink()
        path.symlink_to("nowhere")
    else:
        path.chmod(0)


@pytest.mark.slow
def test_bad_pictures_change_nothing_for_the_others(here: Path) -> None:
    write_folder(Path("good/set"), each=1000, size=8)
    for seed in range(10):
        path = here / "good" / "set" / "down" / f"{seed:03d}.png"
        path.rename(path.with_suffix(".jpg"))
    shutil.copytree("good", "bad")
    ways = ["empty", "truncated", "html", "bomb", "crc", "link"]
    # The superuser may read everything.
    ways += ["forbidden"] if os.geteuid() else []
    spoilt = {}
    for kind, way in enumerate(ways):
        for number in range(10):
            name = f"across/{100 + 10 * kind + number:03d}.png"
            spoil(Path("bad/set") / name, way)
            Path("good/set", name).unlink()
            spoilt[name] = way
    for number in range(10):
        Path(f"bad/set/down/folder{number}.png").mkdir()
        spoilt[f"down/folder{number}.png"] = "folder"
        save(stripes(0, number, size=1), here / "bad" / "set" / "across" / f"one{number}.png")
        spoilt[f"across/one{number}.png"] = "one pixel"
    done = train("bad/set", "--name", "bad")
    assert done.code == 0, done.err
    assert train("good/set", "--name", "good").code == 0
    assert audited(Path("bad/set")) == set(spoilt)
    weights = "model/weights.safetensors"
    assert Path("runs/bad", weights).read_bytes() == Path("runs/good", weights).read_bytes()


def audited(folder: Path) -> set[str]:
    """Return the names of the pictures that checking and decoding leave out."""
    source = open_source(folder)
    audit = check(source)
    skip = np.array([one.position for one in audit.unreadable], np.int64)
    stored = store(source, Shape(height=8, width=8, channels=3), skip=skip)
    return {one.name for one in (*audit.unreadable, *stored.unreadable)}


# Signals


def wait_for_handlers(run: subprocess.Popen[str]) -> None:
    """Return when the run handles SIGTERM, which Python by itself doesn't; on Linux, else at once."""
    status = Path(f"/proc/{run.pid}/status")
    while status.exists() and run.poll() is None:
        caught = int(re.search(r"SigCgt:\s*(\w+)", status.read_text())[1], 16)
        if caught >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.05)


@pytest.mark.slow
def test_ctrl_c_while_pictures_are_decoded(here: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), np.uint8)
    first = save(picture, here / "many" / "a" / "0.jpg")
    for name in "ab":
        (here / "many" / name).mkdir(exist_ok=True)
        for number in range(1, 200):
            (here / "many" / name / f"{number}.jpg").hardlink_to(first)
    # Kept pictures are decoded once for each content, and these all have the same.
    words = [sys.executable, "-m", "striate", "train", "many", "--epochs", "1", "--no-cache"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        wait_for_handlers(run)
        time.sleep(3)
        begun = time.perf_counter()
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=60)
    assert run.returncode == 130, err
    assert time.perf_counter() - begun < 5
    assert "Traceback" not in err
    assert not Path("runs").exists()
