"""Broken pictures: named before training, left out, and nothing else changes."""

import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import striate
from pictures import save, stripes, write_folder
from striate.flow import Run

CLASSES = ("across", "down")


def png_of(seed: int) -> bytes:
    """Return a whole PNG file of 16 × 16 pixels."""
    from striate.image import encode_png

    return encode_png(stripes(0, 1000 + seed))


def bomb(seed: int) -> bytes:
    """Return a PNG file that declares 50,000 × 50,000 pixels."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000 - seed, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    checked = struct.pack(">I", zlib.crc32(chunk))
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(header)) + chunk + checked + png_of(seed)[33:]
    )


def wrong_checksum(seed: int) -> bytes:
    """Return a PNG file whose pixels' checksum is wrong."""
    data = bytearray(png_of(seed))
    place = data.index(b"IDAT") + 20
    data[place] ^= 0x10
    return bytes(data)


def write(make: Callable[[int], bytes]) -> Callable[[Path, int], None]:
    def written(path: Path, seed: int) -> None:
        path.write_bytes(make(seed))

    return written


def html(seed: int) -> bytes:
    return f"<!DOCTYPE html><html><body>404: no picture {seed}</body></html>".encode()


def text_in_place_of_pixels(seed: int) -> bytes:
    return b"\xff\xd8\xff\xe0" + f"not a JPEG {seed}".encode()


def link_to_nothing(path: Path, seed: int) -> None:
    path.symlink_to(f"gone-{seed}.png")


def forbidden(path: Path, seed: int) -> None:
    path.write_bytes(png_of(seed))
    path.chmod(0)


# What lies in the way, its suffix, and how it is made.
BROKEN: dict[str, tuple[str, Callable[[Path, int], None]]] = {
    "empty": (".png", write(lambda _: b"")),
    "torn": (".png", write(lambda seed: png_of(seed)[:250])),
    "html": (".jpg", write(html)),
    "bomb": (".png", write(bomb)),
    "link": (".png", link_to_nothing),
    "checksum": (".png", write(wrong_checksum)),
    "folder": (".png", lambda path, _: path.mkdir()),
    "pixels": (".jpg", write(text_in_place_of_pixels)),
    "forbidden": (".png", forbidden),
}
if os.name == "nt" or os.geteuid() == 0:
    del BROKEN["forbidden"]  # the superuser may read everything


@pytest.fixture
def dirty(tmp_path: Path) -> tuple[Path, list[str]]:
    """Return a folder of 520 pictures, some of them odd, and the names of 32 broken ones."""
    made = write_folder(tmp_path / "dirty" / "stripes", classes=CLASSES, each=258)
    names = break_some(made, 32)
    for kind in CLASSES:
        # Odd, but readable: the content decides, and one pixel is a picture.
        (made / kind / "png.jpg").write_bytes(png_of(500))
        save(np.full((1, 1, 3), 200, np.uint8), made / kind / "one.png")
    return made, names


def break_some(made: Path, count: int) -> list[str]:
    """Put broken pictures of every kind among the others; return their names, sorted."""
    names = []
    for number in range(count):
        kind, (suffix, make) = list(BROKEN.items())[number % len(BROKEN)]
        name = f"{CLASSES[number // len(BROKEN) % 2]}/{kind}-{number}{suffix}"
        make(made / name, number)
        names.append(name)
    return sorted(names)


def without(made: Path, names: list[str], copy: Path) -> Path:
    shutil.copytree(made, copy, symlinks=True)
    for name in names:
        path = copy / name
        path.rmdir() if path.is_dir() else path.unlink()
    return copy


def unreadable(run: Run) -> dict[str, str]:
    results = json.loads((run.folder / "results.json").read_text(encoding="utf-8"))
    return {one["name"]: one["reason"] for one in results["unreadable"]}


def same_weights(one: Run, other: Run) -> bool:
    first, second = (load_file(run.model / "weights.safetensors") for run in (one, other))
    return list(first) == list(second) and all(
        first[name].tobytes() == second[name].tobytes() for name in first
    )


@pytest.mark.slow
def test_broken_pictures_are_named_exactly_and_change_no_weight(
    dirty: tuple[Path, list[str]], tmp_path: Path
) -> None:
    made, names = dirty
    clean = without(made, names, tmp_path / "clean" / "stripes")
    runs = [
        striate.train(source, epochs=2, out=tmp_path / f"runs-{number}", threads=1)
        for number, source in enumerate((made, clean))
    ]
    assert sorted(unreadable(runs[0])) == names
    assert unreadable(runs[1]) == {}
    assert same_weights(*runs)
    for part in ("train", "validation"):
        assert runs[0].metrics[part]["samples"] == runs[1].metrics[part]["samples"]
    assert sum(runs[0].metrics[part]["samples"] for part in ("train", "validation")) == 520
    # The comparison can fail: some pictures less, one of them trained on, is another training.
    for number in range(7, 14):
        (clean / "down" / f"{number:03d}.png").unlink()
    other = striate.train(clean, epochs=2, out=tmp_path / "runs-2", threads=1)
    assert not same_weights(runs[1], other)


@pytest.mark.slow
def test_one_of_each_kind_is_named_with_its_reason(tmp_path: Path) -> None:
    made = write_folder(tmp_path / "stripes", classes=CLASSES, each=24)
    names = break_some(made, len(BROKEN))
    run = striate.train(made, epochs=1, out=tmp_path / "runs", threads=1)
    found = unreadable(run)
    assert sorted(found) == names
    reasons = {name.partition("/")[2].partition("-")[0]: found[name] for name in names}
    assert reasons["empty"] == "the file is empty"
    assert reasons["link"] == "there is no such file"
    assert reasons["html"].endswith("it begins with '<!DOCTYPE'")
    assert "more than the limit of 40,000,000 pixels" in reasons["bomb"]
    assert all(reasons[kind] for kind in BROKEN)
    assert run.metrics["validation"]["samples"] + run.metrics["train"]["samples"] == 48
