"""Archives from strangers: refused with a letter, quickly, in little memory, and nothing written."""

import gzip
import io
import os
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

from striate.data import SourceOptions, _bounded, open_source
from striate.data._cifar import CIFAR100, read_cifar
from striate.errors import SourceError

MIB = 2**20
LAYOUT = replace(CIFAR100, records={"train.bin": 4, "test.bin": 2})
FOLDER = LAYOUT.folder
TRAIN = f"{FOLDER}/train.bin"
OPTIONS = SourceOptions(download=False)

Build = Callable[[Path], None]


@pytest.fixture(autouse=True)
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run in an empty folder; what lies in and beside it must be the same files afterwards."""
    monkeypatch.setattr(_bounded, "FLOOR", 2 * MIB)
    here = tmp_path / "deep" / "here"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    for name in ("TMPDIR", "TMP", "TEMP"):
        monkeypatch.setenv(name, str(here))
    yield
    assert list(here.iterdir()) == []
    assert [path.name for path in here.parent.iterdir()] == ["here"]


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        found[str(path)] = (status.st_size, status.st_mtime_ns)
    return found


def refused(read: Callable[[], object], folder: Path, *, most: int = 24 * MIB) -> str:
    """Return the letter of a refusal that took little time and memory and wrote nothing."""
    before = listing(folder)
    tracemalloc.start()
    start = perf_counter()
    try:
        with pytest.raises(SourceError) as caught:
            read()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert perf_counter() - start < 10
    assert peak < most
    assert listing(folder) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------- tar


def good_members() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    members = {f"{FOLDER}/{LAYOUT.names}": b"cat\ndog\n"}
    for name, count in LAYOUT.records.items():
        records = rng.integers(0, 256, (count, 2 + 3072), np.uint8)
        records[:, :2] = 1
        members[f"{FOLDER}/{name}"] = records.tobytes()
    return members


def header(name: str, size: int = 0, kind: bytes = b"0", *, size_field: bytes = b"") -> bytes:
    """Return a ustar header, made by hand."""
    block = bytearray(512)
    block[:100] = name.encode().ljust(100, b"\0")
    block[100:108] = b"0000644\0"
    block[124:136] = (size_field or b"%011o\0" % size).ljust(12, b"\0")
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[157:257] = b"/etc/passwd".ljust(100, b"\0")
    block[257:265] = b"ustar\x0000"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def member(name: str, data: bytes, kind: bytes = b"0") -> bytes:
    return header(name, len(data), kind) + data + bytes(-len(data) % 512)


def good_tar(*, without: str = "") -> bytes:
    found = good_members().items()
    return b"".join(member(name, data) for name, data in found if name != without)


END = bytes(1024)


def before_good(hostile: bytes, *, without: str = "") -> bytes:
    return gzip.compress(hostile + good_tar(without=without) + END, 1)


def with_linked_folder() -> bytes:
    return member("out", b"", b"2") + member("out/evil", b"x")


def stream_of_zeros(size: int) -> bytes:
    return gzip.compress(bytes(size), 9)


GOOD_GZIP = before_good(b"")

TARS: dict[str, tuple[bytes, str]] = {
    "link as the data": (before_good(member(TRAIN, b"", b"2"), without=TRAIN), "is a link"),
    "hard link": (before_good(member(TRAIN, b"", b"1"), without=TRAIN), "is a link"),
    "link to a folder": (before_good(with_linked_folder()), "is a link"),
    "link behind the data": (gzip.compress(good_tar() + member("a", b"", b"2") + END), "is a link"),
    "character device": (before_good(member("null", b"", b"3")), "is a device"),
    "block device": (before_good(member("disk", b"", b"4")), "is a device"),
    "pipe": (before_good(member("pipe", b"", b"6")), "is a pipe"),
    "contiguous": (before_good(member("a", b"", b"7")), "of a kind that isn't read"),
    "unknown kind": (before_good(member("a", b"", b"Z")), "of a kind that isn't read"),
    "sparse": (before_good(member("a", b"", b"S")), "of a kind that isn't read"),
    "long name": (before_good(member("a", b"../../evil\0", b"L")), "of a kind that isn't read"),
    "long link": (before_good(member("a", b"../../evil\0", b"K")), "of a kind that isn't read"),
    "chained long names": (before_good(member("a", b"b", b"L") * 900), "isn't read"),
    "absolute name": (before_good(member("/tmp/evil", b"x")), "leads elsewhere"),
    "upward name": (before_good(member("../../evil", b"x")), "leads elsewhere"),
    "upward inside": (before_good(member(f"{FOLDER}/../../evil", b"x")), "leads elsewhere"),
    "upward folder": (before_good(member("..", b"", b"5")), "leads elsewhere"),
    "the same twice": (before_good(member(TRAIN, b"x"), without=""), "has 1 bytes"),
    "twice, both right": (before_good(member(TRAIN, good_members()[TRAIN])), "twice"),
    "twice but for case": (before_good(member(TRAIN.upper(), b"x")), "twice"),
    "huge size": (before_good(header("a", 8**11 - 1)), "unpacks to more than"),
    "base-256 size": (before_good(header("a", size_field=b"\x80" + b"\x7f" * 11)), "octal"),
    "negative size": (before_good(header("a", size_field=b"\xff" * 12)), "octal"),
    "minus size": (before_good(header("a", size_field=b"-0000000012\0")), "octal"),
    "huge extension": (before_good(header("a", 8**10, b"x")), "unpacks to more than"),
    "extension renames": (
        before_good(member("a", b"30 path=cifar-100-binary/train.bin\n", b"x"), without=TRAIN),
        f"holds no {TRAIN}",
    ),
    "extensions without end": (
        before_good(member("a", b"", b"x") * 60_000),
        "more than 1,000 members",
    ),
    "many empty members": (
        before_good(b"".join(member(f"m{number}", b"") for number in range(5000))),
        "more than 1,000 members",
    ),
    "zeros without end": (stream_of_zeros(40 * MIB), "unpacks to more than"),
    "a large member": (
        gzip.compress(header("a", 30 * MIB) + bytes(30 * MIB) + END, 9),
        "unpacks to more than",
    ),
    "cut gzip": (GOOD_GZIP[:-200], "not a whole .tar.gz"),
    "gzip without its end": (GOOD_GZIP[:-8], "not a whole .tar.gz"),
    "wrong checksum of gzip": (GOOD_GZIP[:-8] + bytes(4) + GOOD_GZIP[-4:], "not a whole .tar.gz"),
    "rubbish behind gzip": (GOOD_GZIP + b"rubbish", "not a whole .tar.gz"),
    "cut within a member": (gzip.compress(good_tar()[:3000]), "ends within a member"),
    "cut within a header": (gzip.compress(good_tar()[:300]), "ends within a header"),
    "wrong checksum of a header": (
        gzip.compress(b"x" + good_tar()[1:] + END),
        "checksum is wrong",
    ),
    "an archive in an archive": (
        gzip.compress(member(f"{TRAIN}.tar.gz", GOOD_GZIP) + END),
        "holds no",
    ),
    "an archive as the data": (before_good(member(TRAIN, GOOD_GZIP), without=TRAIN), "Expected"),
    "plain tar": (good_tar() + END, "not a whole .tar.gz"),
    "zip": (b"PK\x05\x06" + bytes(18), "not a whole .tar.gz"),
    "empty": (b"", "holds no"),
    "gzip of nothing": (gzip.compress(b""), "holds no"),
    "only text": (b"nothing\n" * 100, "not a whole .tar.gz"),
}


@pytest.mark.parametrize("name", TARS)
def test_hostile_tar_archives_are_refused(name: str, tmp_path: Path) -> None:
    data, reason = TARS[name]
    path = tmp_path / "a.tar.gz"
    path.write_bytes(data)
    assert reason in refused(lambda: read_cifar(path, LAYOUT), tmp_path)


def test_the_good_archive_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(GOOD_GZIP)
    found = read_cifar(path, LAYOUT)
    assert found.pictures["train"].shape == (4, 32, 32, 3)
    assert found.targets["test"].tolist() == [1, 1]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_tarfile_writes_is_read(form: int, tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz", format=form) as tar:
        folder = tarfile.TarInfo(f"./{FOLDER}")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, data in good_members().items():
            info = tarfile.TarInfo(f"./{name}")
            info.size, info.mtime = len(data), 1234.5  # the format pax writes an extension for it
            tar.addfile(info, io.BytesIO(data))
    assert read_cifar(path, LAYOUT).classes == ("cat", "dog")


# ---------------------------------------------------------------- IDX


def idx(shape: tuple[int, ...], values: bytes = b"", kind: int = 8) -> bytes:
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, kind, len(shape), *shape) + values


LABELS = idx((3,), bytes(3))
PICTURES = idx((3, 4, 4), bytes(48))
MOST = 2**32 - 1

IDX: dict[str, tuple[bytes, str]] = {
    "declares gigabytes": (gzip.compress(idx((2**20, 2**6, 2**6))), "more than the limit"),
    "declares what nobody has": (gzip.compress(idx((MOST,) * 4)), "more than the limit"),
    "declares nothing by much": (gzip.compress(idx((0, MOST, MOST, MOST))), "more than the limit"),
    "declares a little too much": (gzip.compress(idx((3, 700, 1000), bytes(9))), "more than the"),
    "holds less than declared": (gzip.compress(idx((3, 400, 1000), bytes(9))), "but holds 9"),
    "zeros without end behind": (gzip.compress(PICTURES + bytes(40 * MIB), 9), "holds more"),
    "zeros without end": (stream_of_zeros(40 * MIB), "not an IDX file"),
    "cut": (gzip.compress(PICTURES)[:-9], "not a whole gzip"),
    "wrong checksum": (gzip.compress(PICTURES)[:-8] + bytes(8), "not a whole gzip"),
    "gzip in gzip": (gzip.compress(gzip.compress(PICTURES)), "not an IDX file"),
    "not packed": (PICTURES, "not a whole gzip"),
    "no dimensions": (gzip.compress(idx(())), "not an IDX file"),
    "five dimensions": (gzip.compress(idx((1,) * 5, b"x")), "not an IDX file"),
    "unknown type": (gzip.compress(idx((3, 4, 4), bytes(48), 10)), "not an IDX file"),
    "empty": (b"", "empty"),
}


@pytest.mark.parametrize("name", IDX)
def test_hostile_idx_files_are_refused(name: str, tmp_path: Path) -> None:
    data, reason = IDX[name]
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(data)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(LABELS)
    assert reason in refused(lambda: open_source(tmp_path, OPTIONS), tmp_path)


def test_plain_idx_files_may_be_as_large_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx((3, 1000, 1000), bytes(3 * 10**6)))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx((3,), bytes([0, 1, 0])))
    assert open_source(tmp_path, OPTIONS).pictures.size(2) == (1000, 1000, 1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
def test_a_pipe_and_a_device_are_no_idx_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "train-images-idx3-ubyte")
    (tmp_path / "train-labels-idx1-ubyte").symlink_to("/dev/zero")
    refused(lambda: open_source(tmp_path, OPTIONS), tmp_path)


# ---------------------------------------------------------------- npz


def npy(array: np.ndarray) -> bytes:
    written = io.BytesIO()
    np.lib.format.write_array(written, array, allow_pickle=True)
    return written.getvalue()


def raw_npy(text: str, data: bytes = b"", *, length: int | None = None) -> bytes:
    """Return a .npy file of version 2 whose header is `text`."""
    count = len(text) if length is None else length
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", count) + text.encode() + data


def declared(shape: str, descr: str = "'|u1'") -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n"


X, Y = npy(np.zeros((4, 5, 6), np.uint8)), npy(np.array([0, 1, 0, 1]))


def zipped(
    members: list[tuple[str, bytes]], how: int = zipfile.ZIP_DEFLATED, mode: int = 0
) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type, info.external_attr = how, mode << 16
            file.writestr(info, data)
    return written.getvalue()


def with_x(x: bytes) -> bytes:
    return zipped([("x.npy", x), ("y.npy", Y)])


def twice() -> bytes:
    with pytest.warns(UserWarning, match="Duplicate name"):
        return zipped([("x.npy", X), ("x.npy", X), ("y.npy", Y)])


def patched(data: bytes, offset: int, value: bytes) -> bytes:
    """Return a zip with bytes changed in the directory's first entry."""
    start = data.index(b"PK\x01\x02") + offset
    return data[:start] + value + data[start + len(value) :]


def many_entries(count: int) -> bytes:
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<HHHHHII", 5, 0, 0, 0, 0, 0, 0)
    names = b"".join(entry + b"%05d" % number for number in range(count))
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(names), 0, 0)
    return names + end


def overlapping() -> bytes:
    data = zipped([("x.npy", X), ("y.npy", Y)], zipfile.ZIP_STORED)
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    return data[: second + 42] + bytes(4) + data[second + 46 :]


GOOD_NPZ = with_x(X)
HUGE = struct.pack("<I", 2**32 - 2)

NPZ: dict[str, tuple[bytes, str]] = {
    "upward name": (zipped([("../x.npy", X), ("x.npy", X), ("y.npy", Y)]), "leads elsewhere"),
    "absolute name": (zipped([("/tmp/x.npy", X), ("x.npy", X), ("y.npy", Y)]), "leads elsewhere"),
    "upward inside": (zipped([("a/../../x.npy", X), ("y.npy", Y)]), "leads elsewhere"),
    "link": (zipped([("x.npy", b"/etc/passwd")], mode=stat.S_IFLNK | 0o777), "no ordinary file"),
    "device": (zipped([("x.npy", X)], mode=stat.S_IFCHR | 0o666), "no ordinary file"),
    "pipe": (zipped([("x.npy", X)], mode=stat.S_IFIFO | 0o666), "no ordinary file"),
    "the same twice": (twice(), "twice"),
    "the same name": (zipped([("x.npy", X), ("x", X), ("y.npy", Y)]), "twice"),
    "declares gigabytes": (patched(GOOD_NPZ, 24, HUGE), "more than the limit"),
    "a bomb": (with_x(npy(np.zeros(4 * MIB, np.uint8))), "more than the limit"),
    "a bomb in pieces": (
        zipped([(f"x{number}.npy", npy(np.zeros(MIB, np.uint8))) for number in range(5)]),
        "more than the limit",
    ),
    "many entries": (many_entries(30_000), "is not a whole .npz file"),
    "overlapping": (overlapping(), "can't be read"),
    "a zip in a zip": (zipped([("x.npy", GOOD_NPZ), ("y.npy", GOOD_NPZ)]), "no arrays"),
    "flag that isn't known": (patched(GOOD_NPZ, 8, b"\x20\x00"), "packed in a way"),
    "encrypted": (patched(GOOD_NPZ, 8, b"\x01\x00"), "is encrypted"),
    "bzip2": (zipped([("x.npy", X)], zipfile.ZIP_BZIP2), "packed in a way"),
    "lzma": (zipped([("x.npy", X)], zipfile.ZIP_LZMA), "packed in a way"),
    "unknown packing": (patched(GOOD_NPZ, 10, b"\x63\x00"), "packed in a way"),
    "a pickle": (with_x(npy(np.array([print], object))), "Python objects"),
    "a hidden pickle": (with_x(raw_npy(declared("(1,)", "[('a', '|O')]"), bytes(8))), "objects"),
    "huge shape": (with_x(raw_npy(declared("(1000000, 1000000)"), b"x")), "declares"),
    "huge side of nothing": (with_x(raw_npy(declared("(0, 10000000000000)"))), "declares"),
    "huge item": (with_x(raw_npy(declared("(1,)", "'<U500000000'"), b"x")), "declares"),
    "no item": (with_x(raw_npy(declared("(9,)", "'|V0'"))), "Expected numbers or text"),
    "negative shape": (with_x(raw_npy(declared("(-1, -9)"), bytes(9))), "has the shape"),
    "40 axes": (with_x(raw_npy(declared(f"({'1, ' * 40})"), b"x")), "has the shape"),
    "huge header": (with_x(raw_npy("", bytes(100), length=2**32 - 1)), "no header"),
    "long header": (with_x(raw_npy(" " * MIB)), "no header"),
    "deep header": (with_x(raw_npy("(" * 9000)), "damaged header"),
    "steep header": (with_x(raw_npy("-" * 9000 + "1")), "damaged header"),
    "a call as header": (with_x(raw_npy("__import__('os').mkdir('evil')")), "damaged header"),
    "unknown version": (with_x(b"\x93NUMPY\x09\x00" + bytes(50)), "no header"),
    "cut header": (with_x(raw_npy("{'descr'", length=100)), "damaged header"),
    "only the magic": (with_x(b"\x93NUMPY\x01\x00"), "damaged header"),
    "cut": (GOOD_NPZ[:-30], "is not a whole .npz file"),
    "the first half": (GOOD_NPZ[: len(GOOD_NPZ) // 2], "is not a whole .npz file"),
    "wrong checksum": (patched(GOOD_NPZ, 16, b"abcd"), "Bad CRC-32"),
    "less than there is": (patched(GOOD_NPZ, 24, struct.pack("<I", 130)), "can't be read"),
    "a directory elsewhere": (GOOD_NPZ[:-6] + HUGE + bytes(2), "can't be read"),
    "name that is no text": (
        patched(patched(zipped([("ab.npy", X)]), 8, b"\x00\x08"), 46, b"\xff\xfe"),
        "is not a whole .npz file",
    ),
    "only an end": (b"PK\x05\x06" + bytes(18), "no arrays"),
    "a gzip file": (gzip.compress(X), "is not a whole .npz file"),
    "a plain .npy": (X, "is not a whole .npz file"),
    "empty": (b"", "is not a whole .npz file"),
}


@pytest.mark.parametrize("name", NPZ)
def test_hostile_npz_files_are_refused(name: str, tmp_path: Path) -> None:
    data, reason = NPZ[name]
    path = tmp_path / "a.npz"
    path.write_bytes(data)
    assert reason in refused(lambda: open_source(path, OPTIONS), tmp_path)


def test_arrays_are_what_numpy_reads(tmp_path: Path) -> None:
    from striate.data._npz import read_npz

    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {
        "c": rng.integers(0, 256, (3, 4, 5), np.uint8),
        "f": np.asfortranarray(rng.normal(size=(3, 4))),
        "big": rng.integers(0, 9, 7).astype(">i4"),
        "text": np.array(["a", "bcd", "é"]),
        "bytes": np.array([b"a", b"bc"]),
        "flag": np.array([True, False]),
        "none": np.zeros((0, 3), np.float32),
        "one": np.array(2.5, np.float32),
        "when": np.array(["2026-01-01"], "datetime64[D]"),
    }
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
        found = read_npz(tmp_path / "a.npz")
        assert list(found) == list(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == array.dtype


# ---------------------------------------------------------------- mutants


def mutant(data: bytes, number: int) -> bytes:
    """Return the data with a few bytes changed, a piece cut, doubled, or replaced."""
    rng = np.random.default_rng(number)
    changed = bytearray(data)
    a, b = sorted(rng.integers(0, len(data), 2).tolist())
    kind = number % 5
    if kind == 0:
        for place in rng.integers(0, len(data), 8).tolist():
            changed[place] ^= int(rng.integers(1, 256))
    elif kind == 1:
        del changed[b:]
    elif kind == 2:
        del changed[a : a + int(rng.integers(1, 64))]
    elif kind == 3:
        changed[a:a] = changed[a : min(b, a + 600)]
    else:
        end = min(b, a + 16)
        changed[a:end] = bytes([int(rng.choice([0, 127, 255]))]) * (end - a)
    return bytes(changed)


def read_or_refuse(read: Callable[[], object]) -> bool:
    """Return whether a mutant was read; anything but reading and SourceError comes out."""
    try:
        read()
    except SourceError:
        return False
    return True


def small_npz() -> bytes:
    return zipped([("x.npy", X), ("y.npy", Y)], zipfile.ZIP_STORED)


def unpacked_tar(data: bytes) -> bytes:
    return gzip.compress(data, 1)


MUTANTS: dict[str, tuple[bytes, Callable[[bytes], bytes], str]] = {
    "packed tar": (GOOD_GZIP, bytes, "a.tar.gz"),
    "tar": (good_tar() + END, unpacked_tar, "a.tar.gz"),
    "packed idx": (gzip.compress(PICTURES), bytes, "train-images-idx3-ubyte.gz"),
    "idx": (PICTURES, bytes, "train-images-idx3-ubyte"),
    "stored npz": (small_npz(), bytes, "a.npz"),
    "packed npz": (GOOD_NPZ, bytes, "a.npz"),
}


@pytest.mark.parametrize("seed", MUTANTS)
def test_mutants_are_read_or_refused(seed: str, tmp_path: Path) -> None:
    data, pack, name = MUTANTS[seed]
    path = tmp_path / name
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx((3,), bytes([0, 1, 0])))

    def read() -> object:
        if name == "a.tar.gz":
            return read_cifar(path, LAYOUT)
        return open_source(path if name == "a.npz" else tmp_path, OPTIONS)

    path.write_bytes(pack(data))
    before = sorted(tmp_path.rglob("*"))
    assert read_or_refuse(read)
    tracemalloc.start()
    outcomes = []
    for number in range(100):
        path.write_bytes(pack(mutant(data, number)))
        outcomes.append(read_or_refuse(read))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * MIB
    assert sorted(tmp_path.rglob("*")) == before
    assert False in outcomes
