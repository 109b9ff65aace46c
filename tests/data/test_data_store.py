"""The store: what is kept, what is left out, threads, files, full disks."""

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from pictures import stripes, write_folder
from striate.answer import Answer
from striate.data import _cache_none, _filling, _room, _store, open_source
from striate.data._filling import Block
from striate.data._room import cache_folder, make_room
from striate.data._source import Source, Unreadable
from striate.data._store import store
from striate.errors import DiskError, PictureError
from striate.image import MAX_PIXELS, Fitted, Shape, fit, fit_array, fit_matrix

Pixels = npt.NDArray[np.uint8]
SMALL = Shape(height=8, width=8, channels=3)


@dataclass
class Fake:
    """Pictures from a function of the position."""

    count: int
    make: Callable[[int], Pixels]
    read_positions: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return self.count

    def name(self, position: int) -> str:
        return f"{position}.png"

    def size(self, position: int) -> tuple[int, int, int]:
        height, width, channels = self.make(position).shape
        return height, width, channels

    def read(self, position: int, channels: int | None = None) -> Pixels:
        assert channels in (1, 3)
        return self.make(position)

    def load(self, position: int, shape: Shape, max_pixels: int = MAX_PIXELS) -> Fitted:  # noqa: ARG002
        self.read_positions.append(position)
        return fit_array(self.make(position), shape)

    def file(self, position: int) -> Path | None:  # noqa: ARG002
        return None


class Array(Fake):
    """Pictures that lie in one array."""

    def __init__(self, array: Pixels) -> None:
        super().__init__(len(array), lambda position: array[position])
        self.array = array


class Nothing:
    """Stands where a source needs an answer; the store asks it nothing."""


def source(pictures: Fake) -> Source:
    count = len(pictures)
    answer: Answer = Nothing()  # type: ignore[assignment]
    return Source(
        name="fake",
        kind="arrays",
        pictures=pictures,
        ids=np.arange(count, dtype=np.uint64),
        answer=answer,
        targets=np.zeros(count, np.int64),
        parts=np.full(count, -1, np.int8),
    )


def sized(position: int) -> Pixels:
    """Return a picture whose size depends on the position."""
    return stripes(position % 4, position, size=12 + position % 5)[: 10 + position % 3]


@pytest.mark.parametrize("threads", [1, 3])
def test_pictures_are_fitted_once_and_kept(threads: int) -> None:
    pictures = Fake(100, sized)
    done: list[tuple[int, int]] = []
    with store(source(pictures), SMALL, threads=threads, progress=lambda *at: done.append(at)) as s:
        assert len(s) == 100 and s.shape == SMALL and s.unreadable == () and s.in_memory
        assert sorted(pictures.read_positions) == list(range(100))
        assert done[-1] == (100, 100) and [one for one, _ in done] == sorted(one for one, _ in done)
        taken = s.take(np.array([7, 3, 7]))
        assert taken.dtype == np.uint8 and taken.shape == (3, 8, 8, 3)
        assert np.array_equal(taken, np.stack([fit(sized(i), SMALL) for i in (7, 3, 7)]))
        assert np.array_equal(s[3], taken[1])
        assert s.matrices.dtype == np.float32 and s.matrices.shape == (100, 2, 3)
        height, width = sized(7).shape[:2]
        assert np.allclose(s.matrices[7], fit_matrix(height, width, SMALL), atol=1e-6)
        with pytest.raises(IndexError):
            s.take(np.array([100]))
        taken[...] = 0
        assert s[3].any()
    assert len(pictures.read_positions) == 100


def test_an_array_of_the_right_shape_is_used_as_it_is() -> None:
    array = np.stack([stripes(0, i, size=8) for i in range(5)])
    pictures = Array(array)
    assert isinstance(pictures, Block) and not isinstance(Fake(0, sized), Block)
    with store(source(pictures), SMALL, skip=np.array([2])) as s:
        assert pictures.read_positions == []
        assert np.array_equal(s.take(np.array([4, 0])), array[[4, 0]])
        assert np.array_equal(s.matrices, np.broadcast_to(np.eye(2, 3), (5, 2, 3)))
        with pytest.raises(ValueError, match="at position 2 could not be read"):
            s.take(np.array([0, 2]))


def test_an_array_of_another_shape_is_fitted() -> None:
    array = np.stack([stripes(0, i, size=8) for i in range(5)])
    shape = Shape(height=8, width=8, channels=1)
    with store(source(Array(array)), shape) as s:
        assert np.array_equal(s[1], fit(array[1], shape))


def test_unreadable_pictures_are_named_and_refused() -> None:
    def make(position: int) -> Pixels:
        if position in (3, 1):
            raise PictureError(f"folder/{position}.png", "truncated")
        return sized(position)

    pictures = Fake(6, make)
    with store(source(pictures), SMALL, skip=np.array([5])) as s:
        assert s.unreadable == (
            Unreadable(position=1, name="folder/1.png", reason="truncated"),
            Unreadable(position=3, name="folder/3.png", reason="truncated"),
        )
        assert 5 not in pictures.read_positions
        assert s.take(np.array([0, 2, 4])).any()
        for position in (1, 3, 5):
            assert not s.matrices[position].any()
            with pytest.raises(ValueError) as caught:
                s.take(np.array([0, position, 2]))
            assert str(caught.value) == (
                f"The picture at position {position} could not be read; leave it out."
            )
            with pytest.raises(ValueError):
                s[position]


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyboardInterrupt()])
def test_other_errors_come_out_promptly_and_end_the_threads(error: BaseException) -> None:
    def make(position: int) -> Pixels:
        if position == 40:
            raise error
        time.sleep(0.001)
        return sized(position)

    pictures = Fake(100_000, make)
    with pytest.raises(type(error)):
        store(source(pictures), SMALL, threads=2)
    assert len(pictures.read_positions) < 5000
    assert not [one for one in threading.enumerate() if one.name.startswith("striate-store")]


class Stuck(Fake):
    """Pictures of which some are read until they are let go."""

    def __init__(self, count: int, stuck: tuple[int, ...]) -> None:
        super().__init__(count, lambda position: stripes(position, 0))
        self.stuck, self.let_go = stuck, threading.Event()

    def load(self, position: int, shape: Shape, max_pixels: int = MAX_PIXELS) -> Fitted:
        if position in self.stuck:
            self.let_go.wait(60)
        return super().load(position, shape, max_pixels)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_picture_that_takes_too_long_is_left_out_by_name(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More stuck ones than threads; first and last of a piece, and one alone."""
    monkeypatch.setattr(_filling, "_LONGEST", 1.0)
    pictures, done = Stuck(70, (0, 31, 40, 69)), []
    with store(source(pictures), SMALL, threads=threads, progress=lambda *at: done.append(at)) as s:
        assert sorted(s.unreadable, key=lambda one: one.position) == [
            Unreadable(
                position=position,
                name=f"{position}.png",
                reason="reading it took more than 1 seconds",
            )
            for position in pictures.stuck
        ]
        assert done[-1] == (70, 70)
        others = np.setdiff1d(np.arange(70), pictures.stuck)
        before = s.take(others)
        pictures.let_go.set()
        late = [one for one in threading.enumerate() if one.name == "striate-store"]
        for one in late:
            one.join(10)
        assert np.array_equal(s.take(others), before)
        with pytest.raises(ValueError, match="position 40 could not be read"):
            s.take(np.array([40]))
        for position in others[:3].tolist():
            expected = fit_array(stripes(position, 0), SMALL).picture_HWC
            assert np.array_equal(s[position], expected)


def test_large_stores_lie_in_a_file_that_goes_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_room, "IN_MEMORY", 1000)
    s = store(source(Fake(20, sized)), SMALL, cache=tmp_path / "cache")
    files = list((tmp_path / "cache").rglob("pixels"))
    assert len(files) == 1 and files[0].stat().st_size == 20 * 8 * 8 * 3
    assert not s.in_memory
    taken = s.take(np.array([19, 0]))
    assert type(taken) is np.ndarray
    assert np.array_equal(taken, np.stack([fit(sized(i), SMALL) for i in (19, 0)]))
    s.close()
    s.close()
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_forgotten_store_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_room, "IN_MEMORY", 1000)
    s = store(source(Fake(20, sized)), SMALL, cache=tmp_path)
    folder, lock = sorted(tmp_path.iterdir())
    assert folder.is_dir() and lock.name == f"{folder.name}.lock"
    del s
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_room, "IN_MEMORY", 1000)
    used = make_room((2000,), tmp_path)
    left = tmp_path / "store-0123456789abcdef"
    left.mkdir()
    (left / "pixels").write_bytes(b"x")
    (tmp_path / f"{left.name}.lock").touch()
    (tmp_path / "store-00.lock").touch()
    (tmp_path / "other").touch()
    make_room((2000,), tmp_path).close()
    assert len(list(tmp_path.iterdir())) == 3 and not left.exists()
    used.array[...] = 7
    used.close()
    assert [one.name for one in tmp_path.iterdir()] == ["other"]


def test_digests_tell_equal_pictures(tmp_path: Path) -> None:
    array = np.stack([stripes(0, i % 2, size=8) for i in range(4)])
    by_hand = [list(sha256(one.tobytes()).digest()[:16]) for one in array]
    for shape in (SMALL, Shape(height=4, width=4, channels=3)):
        digests = store(source(Array(array)), shape).digests
        assert digests.dtype == np.uint8 and digests.tolist() == by_hand
    write_folder(tmp_path, each=2)
    (tmp_path / "down" / "000.png").write_bytes(b"nothing")
    opened = open_source(tmp_path)
    with store(opened, SMALL, skip=np.array([1])) as s:
        files = [(tmp_path / opened.pictures.name(i)).read_bytes() for i in range(4)]
        expected = [list(sha256(data).digest()[:16]) for data in files]
        assert s.digests.tolist() == [expected[0], [0] * 16, *expected[2:]]
    assert not store(source(Fake(3, sized)), SMALL).digests.any()


def test_odd_pictures_are_told_by_what_is_odd(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(self: Fake, position: int, shape: Shape, max_pixels: int) -> Fitted:
        assert max_pixels == 99
        fitted = fit_array(self.make(position), shape)
        odd = ("it is grey",) if position % 2 else ()
        return fitted._replace(notes=(*odd, "it is small") if position == 3 else odd)

    monkeypatch.setattr(Fake, "load", load)
    with store(source(Fake(10, sized)), SMALL, max_pixels=99) as s:
        assert s.notes == (
            "5 pictures: it is grey: 1.png, 3.png, 5.png and 2 more.",
            "1 picture: it is small: 3.png.",
        )


def test_large_files_are_told_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_room, "IN_MEMORY", 1000)
    monkeypatch.setattr(_cache_none, "IN_MEMORY", 1000)
    monkeypatch.setattr(_store, "_TOLD", 3840)
    said: list[str] = []
    store(source(Fake(20, sized)), SMALL, cache=tmp_path, say=said.append).close()
    store(source(Fake(19, sized)), SMALL, cache=tmp_path, say=said.append).close()
    assert said == [
        f"Decoded pictures will take 3.8 KiB in {tmp_path}; the file is removed at the end."
    ]


def test_a_failing_store_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_room, "IN_MEMORY", 1000)

    def make(_: int) -> Pixels:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        store(source(Fake(20, make)), SMALL, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_too_little_space_is_seen_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 5000))
    with pytest.raises(DiskError) as caught:
        make_room((2 << 30, 1), tmp_path)
    assert str(caught.value) == (
        f"The pictures need a file of 2,147,483,648 bytes, but {tmp_path} has 5,000 bytes free. "
        "Free some space, or set STRIATE_CACHE to a folder on another disk."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_room, "IN_MEMORY", 1000)
    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(DiskError, match=r"need a file of 2,000 bytes, but .* bytes free\."):
        make_room((2000,), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_systems_without_fallocate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_room, "IN_MEMORY", 1000)
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    room = make_room((3, 1_000_000), tmp_path)
    assert room.array.shape == (3, 1_000_000) and not room.array.any()
    room.close()


def test_a_cache_folder_that_can_not_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_room, "IN_MEMORY", 1000)
    (tmp_path / "file").touch()
    with pytest.raises(DiskError) as caught:
        make_room((2000,), tmp_path / "file" / "below")
    assert str(caught.value) == (
        f"The pictures need a file of 2,000 bytes, but {tmp_path / 'file' / 'below'} can't be "
        "written to (Not a directory). Set STRIATE_CACHE to a folder that can."
    )


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_CACHE", "/a/b")
    assert cache_folder() == Path("/a/b")
    monkeypatch.delenv("STRIATE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert cache_folder() == Path("/c/striate")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert cache_folder() == Path("/home/me/.cache/striate")


@pytest.mark.parametrize("channels", [(1, 1), (1, 3), (3, 1), (3, 3)])
@pytest.mark.parametrize(
    ("size", "to", "rule"),
    [
        ((28, 28), (32, 32), "crop"),
        ((28, 28), (20, 20), "pad"),
        ((9, 14), (31, 12), "squash"),
        ((6, 8), (9, 12), "crop"),
        ((28, 28), (20, 24), "crop"),
        ((28, 28), (20, 24), "pad"),
    ],
)
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_arrays_are_resized_as_single_pictures_are(
    channels: tuple[int, int],
    size: tuple[int, int],
    to: tuple[int, int],
    rule: str,
    interpolation: str,
) -> None:
    """Many at once, for speed; not a byte may differ."""
    rng = np.random.default_rng(3)
    pictures = rng.integers(0, 256, (600, *size, channels[0]), np.uint8)
    shape = Shape(
        height=to[0], width=to[1], channels=channels[1], rule=rule, interpolation=interpolation
    )
    stored = store(open_source((pictures, np.arange(600) % 2)), shape, skip=np.array([7]))
    some = np.array([0, 1, 8, 511, 512, 599])
    assert np.array_equal(stored.take(some), np.stack([fit(pictures[i], shape) for i in some]))
    assert np.array_equal(stored.matrices[8], fit_matrix(*size, shape).astype(np.float32))
    assert not stored.matrices[7].any()
