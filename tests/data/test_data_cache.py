"""The kept store: nothing is done twice, nothing half-done or damaged is believed."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pictures import save, stripes, write_folder
from striate.data import _cache_key, _cache_pixels, _cache_store, _filling, _store, open_source
from striate.data._cache_folder import INDEX
from striate.data._cache_index import read_index
from striate.data._cache_key import settings_text
from striate.data._store import Store, store
from striate.errors import DiskError
from striate.image import Fitted, Shape, load
from striate.image._file import content

SHAPE = Shape(height=8, width=8, channels=3)
ROW = 8 * 8 * 3


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files just written count as old."""
    monkeypatch.setattr(_cache_key, "_RACY", -(10**12))


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count files read and pictures decoded."""
    counted: Counter[str] = Counter()

    def counting(data: Path, *, name: str) -> bytes:
        counted["read"] += 1
        return content(data, name=name)

    def decoding(data: bytes, shape: Shape, *, name: str, max_pixels: int) -> Fitted:
        counted["decoded"] += 1
        fitted = load(data, shape, name=name, max_pixels=max_pixels)
        return fitted._replace(notes=("it is odd",)) if name.endswith("001.png") else fitted

    monkeypatch.setattr(_filling, "content", counting)
    monkeypatch.setattr(_filling, "load", decoding)
    return counted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "g", each=3)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def kept(folder: Path, cache: Path, shape: Shape = SHAPE, **options: object) -> Store:
    return store(open_source(folder), shape, keep=True, cache=cache, **options)  # type: ignore[arg-type]


def right(s: Store, folder: Path) -> bool:
    """Return whether every picture is what its file gives now."""
    names = [str(open_source(folder).pictures.name(i)) for i in range(len(s))]
    lost = {one.name for one in s.unreadable}
    good = [i for i, name in enumerate(names) if name not in lost]
    expected = [load(folder / names[i], s.shape.wide, name="x").picture_HWC for i in good]
    return np.array_equal(s.take_wide(np.array(good)), np.stack(expected))


def names_in(cache: Path) -> list[str]:
    return sorted(str(one.relative_to(cache)) for one in cache.rglob("*"))


def only(cache: Path) -> Path:
    (found,) = (path for path in cache.iterdir() if path.is_dir())
    return found


def pixel_file(cache: Path) -> Path:
    (found,) = only(cache).glob("pixels-*")
    return found


def test_the_second_time_nothing_is_read(folder: Path, cache: Path, work: Counter[str]) -> None:
    (folder / "down" / "000.png").write_bytes(b"nothing")
    shape = replace(SHAPE, margin=2)
    done: list[tuple[int, int]] = []
    with kept(folder, cache, shape, progress=lambda *at: done.append(at)) as first:
        assert work == {"read": 6, "decoded": 6} and done[-1] == (6, 6)
        assert right(first, folder) and not first.in_memory and len(first) == 6
        with store(open_source(folder), shape) as unkept:
            for s in (first, unkept):
                assert [one.name for one in s.unreadable] == ["down/000.png"]
                assert s.notes == ("2 pictures: it is odd: across/001.png, down/001.png.",)
            assert first.unreadable == unkept.unreadable
            assert np.array_equal(first.matrices, unkept.matrices)
            assert np.array_equal(first.digests, unkept.digests)
            assert np.array_equal(first[4], unkept[4])
    work.clear()
    with kept(folder, cache, shape) as again:
        assert not work
        assert right(again, folder)
        assert again.unreadable == first.unreadable and again.notes == first.notes
        assert np.array_equal(again.matrices, first.matrices)
        assert np.array_equal(again.digests, first.digests)
        with pytest.raises(ValueError, match="at position 3 could not be read"):
            again.take(np.array([3]))
        with pytest.raises(ValueError, match="read-only"):
            again._room.array[0] = 0
    path = only(cache).name
    assert names_in(cache) == sorted(
        [path, f"{path}.lock", f"{path}/{INDEX}", f"{path}/{pixel_file(cache).name}"]
    )
    assert pixel_file(cache).stat().st_size == 6 * 12 * 12 * 3


def test_only_what_changed_is_done_again(folder: Path, cache: Path, work: Counter[str]) -> None:
    (folder / "down" / "000.png").write_bytes(b"nothing")
    kept(folder, cache).close()
    work.clear()
    save(stripes(1, 77), folder / "across" / "000.png")
    save(stripes(1, 78), folder / "across" / "new.png")
    save(stripes(1, 79), folder / "down" / "000.png")
    (folder / "across" / "001.png").unlink()
    (folder / "down" / "001.png").rename(folder / "down" / "moved.png")
    with kept(folder, cache) as s:
        assert work == {"read": 4, "decoded": 3}
        assert right(s, folder) and s.unreadable == ()
    work.clear()
    os.utime(folder / "across" / "002.png")
    with kept(folder, cache) as s:
        assert work == {"read": 1}
        assert right(s, folder)
    work.clear()
    with kept(folder, cache) as s:
        assert not work and right(s, folder)


def test_parts_of_a_folder_share_a_store(folder: Path, cache: Path, work: Counter[str]) -> None:
    with kept(folder, cache, skip=np.array([0, 4])) as s:
        assert work["decoded"] == 4 and not s.digests[[0, 4]].any()
        with pytest.raises(ValueError, match="at position 0"):
            s.take(np.array([0]))
    with kept(folder, cache) as s:
        assert work["decoded"] == 6 and right(s, folder)
    with kept(folder, cache, skip=np.array([1])) as s:
        assert work["decoded"] == 6 and s.take(np.array([0, 4])).any()


def test_pictures_with_the_same_bytes(tmp_path: Path, cache: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/1.png"):
        save(stripes(0, 1), tmp_path / "g" / name)
    save(stripes(0, 2), tmp_path / "g" / "b" / "2.png")
    for _ in range(2):
        with kept(tmp_path / "g", cache, threads=3) as s:
            assert right(s, tmp_path / "g")
            assert len(np.unique(s.digests, axis=0)) == 2


def test_a_change_that_leaves_no_trace_is_noticed_while_the_file_is_fresh(
    folder: Path, cache: Path, work: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As git does: a clock too coarse to tell two moments apart must not hide the second change."""
    stat = os.stat

    def coarse(path: str) -> SimpleNamespace:
        found = stat(path)
        tick = 10**15
        now = found.st_mtime_ns // tick * tick
        return SimpleNamespace(st_size=1, st_mtime_ns=now, st_ctime_ns=now, st_ino=1)

    monkeypatch.setattr(_cache_key, "os", SimpleNamespace(**vars(os) | {"stat": coarse}))
    monkeypatch.setattr(_cache_key, "_RACY", 2 * 10**15)
    kept(folder, cache).close()
    work.clear()
    save(stripes(1, 77), folder / "across" / "000.png")
    with kept(folder, cache) as s:
        assert work == {"read": 6, "decoded": 1}
        assert right(s, folder)


def test_what_a_store_depends_on() -> None:
    base = settings_text(SHAPE, 100)
    other = {
        "height": 9, "width": 9, "channels": 1, "rule": "pad", "interpolation": "bicubic",
        "plane": "red", "background": 0, "margin": 1,
    }  # fmt: skip
    assert set(other) == {field.name for field in fields(Shape)}
    texts = [settings_text(replace(SHAPE, **{key: value}), 100) for key, value in other.items()]  # type: ignore[arg-type]
    assert len({base, settings_text(SHAPE, 101), *texts}) == len(other) + 2


def test_settings_have_stores_of_their_own(
    folder: Path, cache: Path, work: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for shape in (SHAPE, replace(SHAPE, channels=1)):
        with kept(folder, cache, shape) as s:
            assert right(s, folder)
    assert work["decoded"] == 12
    monkeypatch.setattr(_cache_key, "FORMAT", 0)
    kept(folder, cache).close()
    assert work["decoded"] == 18 and len(list(cache.glob("*.lock"))) == 3


def test_an_index_of_other_settings_is_not_believed(
    folder: Path, cache: Path, work: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(folder, cache).close()
    monkeypatch.setattr(_cache_store, "store_name", lambda *_: only(cache).name[9:])
    with kept(folder, cache, replace(SHAPE, channels=1)) as s:
        assert work["decoded"] == 12 and right(s, folder)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "first bit": lambda path: flip(path / INDEX, 0),
    "middle bit": lambda path: flip(path / INDEX, 900),
    "last bit": lambda path: flip(path / INDEX, -1),
    "short index": lambda path: os.truncate(path / INDEX, 700),
    "empty index": lambda path: os.truncate(path / INDEX, 0),
    "no index": lambda path: (path / INDEX).unlink(),
    "short pixels": lambda path: os.truncate(next(path.glob("pixels*")), 6 * ROW - 1),
    "no pixels": lambda path: next(path.glob("pixels*")).unlink(),
    "no folder": shutil.rmtree,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_noticed(
    folder: Path, cache: Path, work: Counter[str], damage: Callable[[Path], object]
) -> None:
    kept(folder, cache).close()
    damage(only(cache))
    work.clear()
    with kept(folder, cache) as s:
        assert work["decoded"] == 6 and right(s, folder) and s.notes
    work.clear()
    with kept(folder, cache) as s:
        assert not work and right(s, folder)
    assert len(names_in(cache)) == 4


def test_what_a_killed_process_left_is_removed(
    folder: Path, cache: Path, work: Counter[str]
) -> None:
    kept(folder, cache).close()
    path = only(cache)
    (path / "pixels-00000000").write_bytes(b"x")
    (path / ".index.123").write_bytes(b"x")
    with pixel_file_of(path).open("ab") as file:
        file.write(b"x" * 5000)
    unfinished = cache / "pictures-0123"
    unfinished.mkdir()
    (unfinished / "pixels-1").write_bytes(b"x")
    os.utime(folder / "across" / "000.png")
    with kept(folder, cache) as s:
        assert work["decoded"] == 6 and right(s, folder)
    assert len(names_in(cache)) == 4
    assert pixel_file(cache).stat().st_size == 6 * ROW


def pixel_file_of(path: Path) -> Path:
    index = read_index(path / INDEX)
    assert index is not None
    return path / index.pixels


KILLED = """
import os, signal, sys
from pathlib import Path
from striate.data import _cache_pixels, _cache_store, open_source, store
from striate.image import Shape

when, folder, cache = sys.argv[1:]

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

if when == "before the index":
    _cache_store.write_index = die
if when == "in the index":
    os.fsync, fsync = (lambda file, calls=[]: die() if calls else calls.append(fsync(file))), os.fsync
if when == "after the index":
    _cache_store._stored = die
store(open_source(folder), Shape(height=8, width=8, channels=3), keep=True, cache=Path(cache),
      progress=die if when == "decoding" else None)
"""


@pytest.mark.parametrize(
    "when", ["decoding", "before the index", "in the index", "after the index"]
)
def test_killed_at_any_moment(folder: Path, cache: Path, work: Counter[str], when: str) -> None:
    code = subprocess.run(
        [sys.executable, "-c", KILLED, when, str(folder), str(cache)], check=False
    )
    assert code.returncode == -signal.SIGKILL
    with kept(folder, cache) as s:
        assert right(s, folder)
        # Whether a finished store's files are read again depends on how old they were.
        assert work["decoded"] == (0 if when == "after the index" else 6)
    assert len(names_in(cache)) == 4


def test_two_at_once(folder: Path, cache: Path, work: Counter[str]) -> None:
    """Who comes second gets the pictures for himself, and changes nothing."""
    inner: list[bool] = []

    def meanwhile(*_: int) -> None:
        with kept(folder, cache) as s:
            inner.append(right(s, folder) and s.in_memory and len(s.notes) == 1)

    with kept(folder, cache, progress=meanwhile) as s:
        assert inner == [True] and right(s, folder) and not s.in_memory
    work.clear()
    with kept(folder, cache) as s:
        assert not work and right(s, folder)


def test_readers_keep_what_they_have_while_it_is_changed(folder: Path, cache: Path) -> None:
    with kept(folder, cache) as reader:
        before = reader.take(np.arange(6))
        save(stripes(1, 77), folder / "across" / "000.png")
        with kept(folder, cache) as s:
            assert right(s, folder)
        flip(only(cache) / INDEX, 900)
        with kept(folder, cache) as s:
            assert right(s, folder)
        assert np.array_equal(reader.take(np.arange(6)), before)


def test_what_nobody_asks_for_is_given_up(
    folder: Path, cache: Path, work: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_cache_pixels, "_WASTE", 0)
    monkeypatch.setattr(_cache_pixels, "_COPIED", 2)
    (folder / "down" / "000.png").write_bytes(b"nothing")
    for turn in range(9):
        work.clear()
        for name in ("000.png", "001.png"):
            save(stripes(1, 100 + turn), folder / "across" / name)
        (folder / "across" / "000.png").write_bytes(bytes(turn + 1))
        with kept(folder, cache) as s:
            assert right(s, folder) and work["decoded"] <= 6
            assert [one.name for one in s.unreadable] == ["across/000.png", "down/000.png"]
            assert s.notes == ("2 pictures: it is odd: across/001.png, down/001.png.",)
        assert turn == 0 or work["decoded"] == 2
        assert pixel_file(cache).stat().st_size <= 13 * ROW
    with kept(folder, cache) as s:
        assert right(s, folder)


def test_interrupted(folder: Path, cache: Path, work: Counter[str]) -> None:
    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(folder, cache, progress=interrupt)
    assert names_in(cache) == []
    kept(folder, cache).close()
    save(stripes(1, 77), folder / "across" / "000.png")
    with pytest.raises(KeyboardInterrupt):
        kept(folder, cache, progress=interrupt)
    assert pixel_file(cache).stat().st_size == 6 * ROW
    work.clear()
    with kept(folder, cache) as s:
        assert work["decoded"] == 1 and right(s, folder)


def test_files_that_cannot_be_opened_are_tried_again(
    folder: Path, cache: Path, work: Counter[str]
) -> None:
    opened = open_source(folder)
    missing = folder / "down" / "000.png"
    data = missing.read_bytes()
    missing.unlink()
    for _ in range(2):
        with store(opened, SHAPE, keep=True, cache=cache) as s:
            assert [one.reason for one in s.unreadable] == ["there is no such file"]
            assert not s.digests[3].any() and s.digests[2].any()
    assert work == {"read": 7, "decoded": 5}
    missing.write_bytes(data)
    with store(opened, SHAPE, keep=True, cache=cache) as s:
        assert s.unreadable == () and right(s, folder)


def test_nothing_but_files_that_cannot_be_opened(folder: Path, cache: Path) -> None:
    opened = open_source(folder)
    shutil.rmtree(folder)
    for _ in range(2):
        with store(opened, SHAPE, keep=True, cache=cache) as s:
            assert len(s.unreadable) == 6 and not s.matrices.any()


def test_a_cache_that_cannot_be_written_to(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with kept(folder, tmp_path / "file" / "below") as s:
        assert right(s, folder) and s.in_memory
        assert s.notes == (
            f"Decoded pictures aren't kept for the next run: {tmp_path / 'file' / 'below'} can't "
            "be written to (Not a directory). Set STRIATE_CACHE to a folder that can.",
        )


def test_a_disk_with_little_space(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 2303))
    with kept(folder, cache) as s:
        assert right(s, folder) and s.in_memory
        assert s.notes == (
            "Decoded pictures aren't kept for the next run: they need 1.1 KiB, more than half of "
            f"the 2.2 KiB that {cache} has free.",
        )
    assert names_in(cache) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 2304))
    with kept(folder, cache) as s:
        assert right(s, folder) and not s.in_memory and s.notes == ()


def test_a_disk_that_fills_up_meanwhile(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with kept(folder, cache) as s:
        assert right(s, folder) and s.in_memory
        assert "can't be written to (No space left on device)" in s.notes[0]
    assert names_in(cache) == []
    monkeypatch.setattr("striate.data._room.IN_MEMORY", 1000)
    with pytest.raises(DiskError, match=r"need a file of 1,152 bytes, but .* bytes free\."):
        kept(folder, cache)
    assert names_in(cache) == []


def test_an_index_that_cannot_be_written(
    folder: Path, cache: Path, work: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pictures serve this run, and nobody cuts them off."""
    with monkeypatch.context() as patched:

        def full(*_: object) -> None:
            raise DiskError("full")

        patched.setattr(_cache_store, "write_index", full)
        first = kept(folder, cache)
    with kept(folder, cache) as second:
        assert second.in_memory and right(second, folder)
    assert not first.in_memory and right(first, folder)
    first.close()
    work.clear()
    with kept(folder, cache) as s:
        assert work["decoded"] == 6 and not s.in_memory and right(s, folder)
    assert len(names_in(cache)) == 4


def test_nothing_is_left_where_nothing_is_kept(folder: Path, cache: Path) -> None:
    store(open_source(folder), SHAPE, cache=cache).close()
    array = np.stack([stripes(0, i) for i in range(4)])
    arrays = open_source((array, np.arange(4) % 2))
    with store(arrays, SHAPE, keep=True, cache=cache) as s:
        assert s.in_memory and s.notes == ()
    assert not cache.exists()


def test_large_stores_are_told_beforehand(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_store, "_TOLD", 1000)
    said: list[str] = []
    for _ in range(2):
        kept(folder, cache, say=said.append).close()
    assert said == [
        f"Decoded pictures will take 1.1 KiB in {cache}; they are kept for the next run "
        "(striate cache)."
    ]
