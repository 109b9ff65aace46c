"""What is found in headers and pixels is kept with the store, and never believed where it is wrong."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pictures import save, stripes, write_folder
from striate.data import (
    Audit,
    Source,
    _cache_headers,
    _cache_key,
    _cache_looks,
    _headers,
    check,
    exclude,
    keep_headers,
    open_source,
    store,
)
from striate.data._cache_looks import Looks, look_at_pixels
from striate.image import Shape

SHAPE = Shape(height=48, width=48, channels=3)


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files just written count as old."""
    monkeypatch.setattr(_cache_key, "_RACY", -(10**12))


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count headers read and searches for duplicates."""
    counted: Counter[str] = Counter()
    read, find = _headers._read, _cache_looks.find_duplicates

    def reading(*given: object) -> object:
        counted["headers"] += 1
        return read(*given)  # type: ignore[arg-type]

    def finding(*given: object, **options: object) -> object:
        counted["searches"] += 1
        return find(*given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(_headers, "_read", reading)
    monkeypatch.setattr(_cache_looks, "find_duplicates", finding)
    return counted


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """48 pictures, two of them the same, one nearly the same as another, one of one colour."""
    made = write_folder(tmp_path / "g", each=22, size=64)
    data = (made / "down" / "000.png").read_bytes()
    (made / "down" / "same.png").write_bytes(data)
    save(np.full((64, 64, 3), 70, np.uint8), made / "across" / "blank.png")
    near = stripes(0, 3, size=64).astype(np.float64) * 0.95
    save(near.astype(np.uint8), made / "across" / "darker.png")
    (made / "across" / "wrong.jpg").write_bytes((made / "across" / "005.png").read_bytes())
    (made / "across" / "empty.png").write_bytes(b"")
    return made


def looked(source: Source | Path, cache: Path, *, keep: bool = True, **options: int) -> Looks:
    opened = source if isinstance(source, Source) else open_source(source)
    audit = check(opened, allow_unreadable=True)
    positions = np.flatnonzero(audit.sizes[:, 0] > 0)
    skip = np.flatnonzero(audit.sizes[:, 0] == 0)
    with store(opened, SHAPE, keep=keep, cache=cache, skip=skip) as stored:
        return look_at_pixels(stored, opened, positions, **options)


def same(one: Looks, other: Looks) -> bool:
    return one.findings == other.findings and one.duplicates.to_json() == other.duplicates.to_json()


def checked(folder: Path, cache: Path, **options: int) -> Audit:
    """Return what headers tell, and keep it as a training does."""
    source = open_source(folder)
    audit = check(source, allow_unreadable=True, keep=True, cache=cache, **options)
    lost = np.array([one.position for one in audit.unreadable], np.int64)
    with store(source, SHAPE, keep=True, cache=cache, skip=lost) as stored:
        assert audit.headers and stored.folder
        keep_headers(audit.headers, stored.folder)
    return audit


def only(cache: Path, pattern: str) -> Path:
    (found,) = cache.glob(f"pictures-*/{pattern}")
    return found


def test_pixels_are_looked_at_once(folder: Path, cache: Path, work: Counter[str]) -> None:
    first = looked(folder, cache)
    assert work["searches"] == 1
    assert [one.kind for one in first.findings] == ["blank"]
    kinds = Counter(group.kind for group in first.duplicates.groups)
    assert kinds == {"bytes": 2, "near": 1}
    for options in ({}, {"threads": 1}, {"largest": 48}, {"largest": 10**6}):
        assert same(looked(folder, cache, **options), first)
    assert work["searches"] == 1
    assert same(looked(folder, cache / "other"), first)
    # A limit that is passed is another question.
    assert not looked(folder, cache, largest=5).duplicates.near_acted
    assert work["searches"] == 3


def test_whatever_decides_on_them_makes_pixels_be_looked_at_again(
    folder: Path, cache: Path, work: Counter[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fresh(what: Source | Path = folder) -> Looks:
        """Look twice, and once more without anything kept; only the second time is free."""
        work.clear()
        first = looked(what, cache)
        assert work["searches"] == 1
        assert same(looked(what, cache), first)
        assert work["searches"] == 1
        assert same(looked(what, cache, keep=False), first)
        return first

    before = fresh()
    save(stripes(1, 7, size=64), folder / "down" / "021a.png")
    assert not same(fresh(), before)
    (folder / "down" / "021a.png").unlink()
    assert same(fresh(), before)
    (folder / "across" / "blank.png").rename(folder / "across" / "blank2.png")
    assert "blank2" in fresh().findings[0].sentence
    save(stripes(1, 8, size=64), folder / "across" / "blank2.png")
    assert fresh().findings == ()
    listed = tmp_path / "list.txt"
    listed.write_text("down/same.png\n", encoding="utf-8")
    assert len(fresh(exclude(open_source(folder), listed)).duplicates.groups) == 2
    monkeypatch.setattr(_cache_looks, "RULES", _cache_looks.RULES + 1)
    fresh()


def test_labels_and_parts_decide_on_nothing_that_is_kept(
    folder: Path, cache: Path, work: Counter[str]
) -> None:
    source = open_source(folder)
    first = looked(source, cache)
    other = replace(
        source, targets=source.targets[::-1].copy(), parts=np.zeros(len(source), np.int8)
    )
    assert same(looked(other, cache), first)
    assert work["searches"] == 1


@pytest.mark.parametrize("what", ["looks", "headers-*"])
def test_a_damaged_file_is_found_out_and_replaced(
    folder: Path, cache: Path, work: Counter[str], what: str
) -> None:
    first, audit = looked(folder, cache), checked(folder, cache)
    path = only(cache, what)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for damage in (
        b"",
        whole[:20],
        whole[: len(whole) // 2],
        whole[:-1],
        bytes(flipped),
        b"x" * 99,
    ):
        path.write_bytes(damage)
        work.clear()
        assert same(looked(folder, cache), first)
        assert checked(folder, cache).findings == audit.findings
        assert path.read_bytes() == whole
        assert work["searches"] == (what == "looks")


def test_nothing_is_kept_where_it_should_not_be(folder: Path, cache: Path) -> None:
    looked(folder, cache, keep=False)
    assert check(open_source(folder), allow_unreadable=True, cache=cache).headers is None
    assert not cache.exists() or not any(cache.iterdir())


def test_two_processes_may_keep_it_together(folder: Path, cache: Path) -> None:
    expected = looked(folder, cache)
    code = (
        "import sys; from pathlib import Path; import test_data_cache_looks as t;"
        "from striate.data import _cache_key; _cache_key._RACY = -10**12;"
        "folder, cache = map(Path, sys.argv[1:]);"
        "first = t.looked(folder, cache)\n"
        "for turn in range(12):\n"
        "    [one.unlink(missing_ok=True) for one in cache.glob('pictures-*/looks')]\n"
        "    assert t.same(t.looked(folder, cache), first)\n"
        "    t.checked(folder, cache)\n"
    )
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here), str(here.parent), *filter(None, sys.path)])
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(folder), str(cache)],
            env=os.environ | {"PYTHONPATH": paths},
        )
        for _ in range(2)
    ]
    assert [child.wait(120) for child in children] == [0, 0]
    assert same(looked(folder, cache), expected)


def test_headers_are_read_once(folder: Path, cache: Path, work: Counter[str]) -> None:
    first = checked(folder, cache)
    assert work["headers"] == 48 + 1
    assert [one.kind for one in first.findings][:2] == ["unreadable", "suffix"]
    work.clear()
    seen: list[tuple[int, int]] = []
    again = check(
        open_source(folder),
        allow_unreadable=True,
        keep=True,
        cache=cache,
        progress=lambda done, total: seen.append((done, total)),
    )
    # What can't be read is tried again.
    assert work["headers"] == 1 and seen == [(49, 49)]
    for audit in (again, check(open_source(folder), allow_unreadable=True)):
        assert np.array_equal(audit.sizes, first.sizes)
        assert (audit.unreadable, audit.findings) == (first.unreadable, first.findings)


def test_headers_of_changed_files_are_read_again(
    folder: Path, cache: Path, work: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checked(folder, cache)
    work.clear()
    save(stripes(1, 7, size=30), folder / "down" / "003.png")
    save(stripes(1, 7, size=80), folder / "down" / "new.png")
    (folder / "down" / "004.png").unlink()
    (folder / "across" / "empty.png").unlink()
    audit = checked(folder, cache)
    assert work["headers"] == 2
    assert np.array_equal(audit.sizes, check(open_source(folder)).sizes)
    work.clear()
    checked(folder, cache)
    assert work["headers"] == 0
    # Another limit may refuse other files.
    small = check(
        open_source(folder), allow_unreadable=True, keep=True, cache=cache, max_pixels=5000
    )
    assert work["headers"] == 48 and len(small.unreadable) == 1
    work.clear()
    monkeypatch.setattr(_cache_headers, "RULES", _cache_headers.RULES + 1)
    checked(folder, cache)
    assert work["headers"] == 48


def test_headers_of_files_just_written_are_not_kept(
    folder: Path, cache: Path, work: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_cache_key, "_RACY", 10**15)
    checked(folder, cache)
    work.clear()
    checked(folder, cache)
    assert work["headers"] == 49
