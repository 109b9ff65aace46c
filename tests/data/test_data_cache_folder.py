"""The folder of kept stores: what is listed, what goes first, what stays."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pictures import write_folder
from striate.data import _cache_folder, open_source
from striate.data._cache_folder import kept_stores, make_space, remove, remove_all
from striate.data._cache_lock import hold
from striate.data._store import Store, store
from striate.image import Shape

SHAPE = Shape(height=64, width=64, channels=3)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def kept(name: str, cache: Path) -> Store:
    folder = cache.parent / name
    if not folder.exists():
        write_folder(folder, each=3)
    return store(open_source(folder), SHAPE, keep=True, cache=cache)


def sources(cache: Path) -> list[str]:
    return [Path(one.source).name for one in kept_stores(cache)]


def make(cache: Path, *names: str) -> None:
    """Keep stores whose last uses were in this order, long ago."""
    for name in names:
        kept(name, cache).close()
    for one in kept_stores(cache):
        at = names.index(Path(one.source).name) + 1
        os.utime(one.path.with_name(one.path.name + ".lock"), (at, at))


def test_the_last_used_is_listed_first(cache: Path) -> None:
    assert kept_stores(cache) == []
    make(cache, "a", "b", "c")
    assert sources(cache) == ["c", "b", "a"]
    one = kept_stores(cache)[-1]
    assert (one.source, one.pictures, one.used) == (str(cache.parent / "a"), 6, 1.0)
    files = [path.stat() for path in one.path.iterdir()]
    assert one.size == sum(found.st_blocks * 512 for found in files)
    assert one.size >= sum(found.st_size for found in files) >= 6 * 64 * 64 * 3
    kept("a", cache).close()
    assert sources(cache) == ["a", "c", "b"] and kept_stores(cache)[0].used > 1e9


def test_a_damaged_store_is_listed_without_a_source(cache: Path) -> None:
    make(cache, "a")
    (one,) = kept_stores(cache)
    os.truncate(one.path / "index", 100)
    (damaged,) = kept_stores(cache)
    assert (damaged.source, damaged.pictures, damaged.path) == ("", 0, one.path)


def test_the_longest_unused_goes_first_and_never_what_is_used(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(cache, "a", "b", "c", "d")
    sizes = {Path(one.source).name: one.size for one in kept_stores(cache)}
    monkeypatch.setattr(_cache_folder, "LIMIT", sum(sizes.values()) + 100)
    make_space(cache, 100)
    assert sources(cache) == ["d", "c", "b", "a"]
    with kept("a", cache) as used:
        (one,) = (one for one in kept_stores(cache) if Path(one.source).name == "a")
        os.utime(one.path.with_name(one.path.name + ".lock"), (1, 1))
        make_space(cache, 101)
        assert sources(cache) == ["d", "c", "a"]
        make_space(cache, 10**9)
        assert sources(cache) == ["a"]
        assert used.take(np.arange(6)).any()
        assert not remove(one.path)
    make_space(cache, 10**9)
    assert sorted(cache.iterdir()) == []


def test_a_new_store_pushes_out_old_ones(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(cache, "a", "b")
    monkeypatch.setattr(_cache_folder, "LIMIT", kept_stores(cache)[0].size * 5 // 2)
    kept("c", cache).close()
    assert sources(cache) == ["c", "b"]


def test_old_stores_make_way_where_the_disk_is_full(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(cache, "a", "b")

    def usage(_: Path) -> object:
        return shutil._ntuple_diskusage(0, 0, 1000 * (3 - len(list(cache.glob("*/")))))

    monkeypatch.setattr(shutil, "disk_usage", usage)
    make_space(cache, 1000)
    assert len(kept_stores(cache)) == 2
    make_space(cache, 1001)
    assert sources(cache) == ["b"]


def test_what_killed_processes_left_goes_whatever_the_space(cache: Path) -> None:
    make(cache, "a")
    (cache / "pictures-00").mkdir()
    (cache / "pictures-00" / "pixels-1").write_bytes(b"x")
    (cache / "pictures-01").mkdir()
    lock = hold(cache / "pictures-01.lock")
    make_space(cache, 0)
    assert len(kept_stores(cache)) == 2
    assert lock is not None
    lock.release()
    make_space(cache, 0)
    assert sources(cache) == ["a"]


def test_all_are_removed_but_those_in_use(cache: Path) -> None:
    make(cache, "a", "b")
    (cache / "store-00.lock").touch()
    (cache / "mine.txt").touch()
    with kept("b", cache):
        removed, left = remove_all(cache)
        assert [Path(one.source).name for one in removed] == ["a"]
        assert [Path(one.source).name for one in left] == ["b"]
    removed, left = remove_all(cache)
    assert (len(removed), left) == (1, [])
    assert [path.name for path in cache.iterdir()] == ["mine.txt"]


def test_a_folder_that_moved_is_another_one(cache: Path) -> None:
    make(cache, "a")
    (cache.parent / "a").rename(cache.parent / "b")
    kept("b", cache).close()
    assert sources(cache) == ["b", "a"]


def test_locks(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    shared, too = hold(path, shared=True), hold(path, shared=True)
    assert shared and too and hold(path) is None
    shared.release()
    shared.release()
    assert hold(path) is None
    too.release()
    with hold(path) or pytest.fail("free") as alone:
        assert hold(path) is None and hold(path, shared=True) is None
        alone.remove()
        assert not path.exists()
    with pytest.raises(NotADirectoryError):
        (tmp_path / "file").touch()
        hold(tmp_path / "file" / "lock")


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = (
        "import sys; from pathlib import Path; from striate.data._cache_lock import hold\n"
        "lock = hold(Path(sys.argv[1])); print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        assert hold(path) is None
        process.kill()
    lock = hold(path)
    assert lock is not None
    lock.release()


def test_a_lock_whose_file_was_removed_meanwhile_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening and locking, the last holder may remove the file: then it must be made anew."""
    from striate.data import _cache_lock

    path, take = tmp_path / "lock", _cache_lock._take
    calls: list[int] = []

    def late(file: int, shared: bool) -> None:
        if not calls:
            path.unlink()
        calls.append(file)
        take(file, shared)

    monkeypatch.setattr(_cache_lock, "_take", late)
    lock = hold(path)
    assert lock is not None and len(calls) == 2 and path.exists()
    assert hold(path) is None
    lock.release()
