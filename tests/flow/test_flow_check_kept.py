"""What a check keeps changes no later check and no training: only the time they take."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
import pytest

import striate
from pictures import save, stripes, write_folder
from striate.data import _cache_key, _cache_looks, _headers
from striate.flow._check import Checked
from striate.flow._check_run import document_of, run_check


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    # Files just written count as old.
    monkeypatch.setattr(_cache_key, "_RACY", -(10**12))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures of two classes with everything that a look at pixels finds."""
    made = write_folder(tmp_path / "x", each=24, size=64)
    copy(made / "across" / "001.png", made / "across" / "again.png")
    copy(made / "across" / "002.png", made / "down" / "other.png")
    darker = stripes(0, 3, size=64).astype(np.float64) * 0.95
    save(darker.astype(np.uint8), made / "across" / "near.png")
    save(np.full((64, 64, 3), 70, np.uint8), made / "down" / "blank.png")
    (made / "down" / "wrong.jpg").write_bytes((made / "down" / "004.png").read_bytes())
    (made / "down" / "broken.png").write_bytes(b"no picture")
    return made


def checked(folder: Path, *, keep: bool, **groups: dict[str, Any]) -> Checked:
    data = groups.pop("data", {}) | {"cache": keep}
    return run_check(str(folder), settings={"data": data, **groups})


def told(found: Checked) -> dict[str, Any]:
    """Return all that a check says, in full."""
    closer = found.closer
    return document_of(found) | {
        "sizes": found.audit.sizes.tolist(),
        "findings": [*found.audit.findings, *closer.findings],
        "groups": closer.duplicates.to_json(),
        "split": {name: part.tolist() for name, part in closer.split.parts().items()},
        "reason": closer.split.reason,
    }


def nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("this was known")

    monkeypatch.setattr(_cache_looks, "find_duplicates", refuse)
    monkeypatch.setattr(_cache_looks, "pixel_findings", refuse)


def test_a_second_check_says_the_same_and_compares_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = told(checked(folder, keep=True))
    kinds = {"unreadable", "suffix", "contradiction", "repeat", "blank", "format"}
    assert {one.kind for one in first["findings"]} == kinds
    assert {one["kind"] for one in first["duplicates"]} == {"bytes", "near"}
    assert told(checked(folder, keep=False)) == first
    nothing_again(monkeypatch)
    monkeypatch.setattr(_headers, "_read", _only_broken(_headers._read))
    assert told(checked(folder, keep=True)) == first


def _only_broken(read: Callable[..., Any]) -> Callable[..., Any]:
    def reading(pictures: Any, max_pixels: int, position: int) -> Any:
        assert pictures.name(position) == "down/broken.png"
        return read(pictures, max_pixels, position)

    return reading


def add(folder: Path) -> None:
    save(stripes(1, 99, size=64), folder / "across" / "0new.png")


def relabel(folder: Path) -> None:
    (folder / "across" / "again.png").rename(folder / "down" / "again.png")


def replace(folder: Path) -> None:
    save(stripes(1, 98, size=64), folder / "down" / "blank.png")


def repair(folder: Path) -> None:
    save(stripes(1, 97, size=64), folder / "down" / "broken.png")


@pytest.mark.parametrize("change", [add, relabel, replace, repair])
def test_a_changed_folder_is_told_as_if_nothing_had_been_kept(
    folder: Path, change: Callable[[Path], None]
) -> None:
    before = told(checked(folder, keep=True))
    change(folder)
    after = told(checked(folder, keep=True))
    assert after != before
    assert after == told(checked(folder, keep=False))


@pytest.mark.parametrize(
    "settings",
    [
        {"training": {"seed": 5}},
        {"data": {"validation": 0.4}},
        {"data": {"exclude": "list.txt"}},
        {"data": {"max_pixels": 5000}},
        {"data": {"image_size": 40}},
    ],
)
def test_other_settings_are_told_as_if_nothing_had_been_kept(
    folder: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    Path("list.txt").write_text("across/again.png\ndown/blank.png\n", encoding="utf-8")
    for kind in ("across", "down"):
        save(stripes(1, 55, size=80), folder / kind / "larger.png")
    before = told(checked(folder, keep=True))
    after = told(checked(folder, keep=True, **settings))
    assert after != before
    assert after == told(checked(folder, keep=False, **settings))
    assert told(checked(folder, keep=True)) == before


def test_labels_in_a_table_are_told_as_they_are_now(folder: Path, tmp_path: Path) -> None:
    names = sorted(str(one.relative_to(folder)) for one in folder.glob("*/0*.png"))
    table = tmp_path / "t.csv"

    def write(names_down: set[str]) -> None:
        rows = [f"{name},{'down' if name in names_down else 'across'}" for name in names]
        table.write_text("\n".join(["file,label", *rows]) + "\n", encoding="utf-8")

    down = {name for name in names if name.startswith("down")}
    copy(folder / "across" / "001.png", folder / "across" / "020.png")
    write(down)
    options = {"data": {"images": folder}}
    before = told(checked(table, keep=True, **options))
    assert not any(one.kind == "contradiction" for one in before["findings"])
    write(down | {"across/020.png"})
    after = told(checked(table, keep=True, **options))
    assert any(one.kind == "contradiction" for one in after["findings"])
    assert after == told(checked(table, keep=False, **options))


@pytest.mark.slow
def test_weights_are_the_same_with_and_without(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def weights(name: str, *, keep: bool) -> str:
        run = striate.train(
            folder,
            epochs=1,
            threads=1,
            out=tmp_path / "runs",
            name=name,
            settings={"data": {"cache": keep}},
        )
        return hashlib.sha256((run.model / "weights.safetensors").read_bytes()).hexdigest()

    found = [weights("none", keep=False), weights("first", keep=True)]
    nothing_again(monkeypatch)
    found.append(weights("second", keep=True))
    assert len(set(found)) == 1
    with pytest.raises(AssertionError, match="this was known"):
        weights("none again", keep=False)
