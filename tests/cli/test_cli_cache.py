"""`striate cache`."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from command_line import striate
from pictures import write_folder
from striate.data import Store, open_source, store
from striate.data._cache_features import keep_features
from striate.data._cache_folder import kept_stores
from striate.image import Shape


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def keep(folder: Path) -> Store:
    if not folder.exists():
        write_folder(folder, each=3)
    return store(open_source(folder), Shape(height=8, width=8, channels=3), keep=True)


def test_an_empty_cache(cache: Path) -> None:
    done = striate("cache")
    assert (done.code, done.out, done.err) == (0, f"{cache} holds no decoded pictures.\n", "")
    assert striate("cache", "--clear").out == "There was nothing to remove.\n"
    assert json.loads(striate("cache", "--json").out) == {
        "folder": str(cache),
        "bytes": 0,
        "limit": 20 * 1024**3,
        "stores": [],
    }


def test_listed_and_cleared(cache: Path, tmp_path: Path) -> None:
    keep(tmp_path / "ants").close()
    (one,) = kept_stores()
    os.utime(one.path.with_name(f"{one.path.name}.lock"), (86400, 86400))
    size = f"{one.size / 1024:.1f} KiB"
    wide = len(str(tmp_path / "ants"))
    assert striate("cache").out.splitlines() == [
        f"{'source':{wide}}  pictures  {'size':{len(size)}}  last used",
        f"{tmp_path / 'ants'}         6  {size}  1970-01-02T00:00:00+00:00",
        f"1 store, {size} in {cache}. Remove: striate cache --clear",
    ]
    entry = {
        "source": str(tmp_path / "ants"),
        "pictures": 6,
        "bytes": one.size,
        "used": "1970-01-02T00:00:00+00:00",
        "path": str(one.path),
    }
    assert json.loads(striate("cache", "--json").out)["stores"] == [entry]
    with keep(tmp_path / "bees"):
        assert striate("cache", "--clear").out == (
            f"Removed 1 store, {size}. In use and left: 1 store, {size}.\n"
        )
        cleared = json.loads(striate("cache", "--clear", "--json").out)
        assert cleared["removed"] == [] and len(cleared["in_use"]) == 1
    cleared = json.loads(striate("cache", "--clear", "--json").out)
    assert cleared["in_use"] == [] and cleared["removed"][0]["source"] == str(tmp_path / "bees")
    assert list(cache.iterdir()) == []


def test_features_count_with_their_store_and_go_with_it_but_fetched_weights_stay(
    cache: Path, tmp_path: Path
) -> None:
    weights, backbone = cache / "weights" / "resnet18.pth", cache / "backbones" / "0123"
    for path in (weights, backbone):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"kept" * 1000)
    with keep(tmp_path / "ants") as stored:
        assert stored.folder is not None
        before = json.loads(striate("cache", "--json").out)
        features_NF = np.ones((len(stored.digests), 5000), np.float32)
        keep_features(stored.folder, "0123", stored.digests, features_NF)
    after = json.loads(striate("cache", "--json").out)
    added = after["bytes"] - before["bytes"]
    assert added == after["stores"][0]["bytes"] - before["stores"][0]["bytes"]
    # Each content once, in blocks of the disk.
    contents = len(np.unique(stored.digests, axis=0))
    assert 0 <= added - contents * 5000 * 4 < 16384
    assert striate("cache", "--clear").out.startswith("Removed 1 store, ")
    assert list(cache.iterdir()) == [weights.parent] and weights.exists()


def test_names_do_not_command_the_terminal(cache: Path, tmp_path: Path) -> None:
    keep(tmp_path / "a\x1b[2J").close()
    keep(tmp_path / os.fsdecode(b"caf\xe9")).close()
    (cache / "pictures-00").mkdir()
    done = striate("cache")
    assert done.code == 0 and "\x1b" not in done.out
    for name in ("a\\x1b[2J  ", "caf\\xe9  ", "(unfinished or damaged)  "):
        assert name in done.out
    assert len(json.loads(striate("cache", "--json").out)["stores"]) == 3
