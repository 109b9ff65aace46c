"""Broken pictures: named before training, left out, and nothing else changes."""

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command_line import striate
from onnx_models import write_tiny_model
from pictures import save, stripes, write_folder
from striate.answer import Classification
from striate.model import load

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


def one_pixel(path: Path, seed: int) -> None:
    save(np.full((1, 1, 3), seed % 256, np.uint8), path)


# What lies in the way: its suffix, how it is made, and what is said of it.
BROKEN: dict[str, tuple[str, Callable[[Path, int], None], str]] = {
    "empty": (".png", write(lambda _: b""), "the file is empty"),
    "torn": (".png", write(lambda seed: png_of(seed)[:250]), "truncated"),
    "html": (".jpg", write(html), "it begins with '<!DOCTYPE'"),
    "bomb": (".png", write(bomb), "more than the limit of 40,000,000 pixels"),
    "folder": (".png", lambda path, _: path.mkdir(), "a folder, not a picture"),
    "link": (".png", link_to_nothing, "there is no such file"),
    "forbidden": (".png", forbidden, "no permission to read it"),
    "pixel": (".png", one_pixel, "1 × 1 pixel: nothing to see"),
    "checksum": (".png", write(wrong_checksum), "damaged (a checksum is wrong)"),
    "pixels": (".jpg", write(text_in_place_of_pixels), "truncated"),
}
# Nothing is wrong with its pixels: it is named, but it isn't left out.
SUFFIX = ("suffix", ".jpg")

# The superuser may read everything. A child process that lost two of his privileges, CAP_DAC_OVERRIDE
# and CAP_DAC_READ_SEARCH, may read only what files permit their owner; prctl's 24 is PR_CAPBSET_DROP.
DROP = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
for capability in (1, 2):
    if libc.prctl(24, capability, 0, 0, 0):
        sys.exit("the system doesn't let go of privileges: " + os.strerror(ctypes.get_errno()))
os.execv(sys.executable, [sys.executable, "-c", *sys.argv[1:]])
"""
MAIN = "from striate.cli import main; main()"


def child(code: str, *words: object) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own that no file opens itself to without permission."""
    command = ["-c", code, *map(str, words)]
    if os.name != "nt" and os.geteuid() == 0:
        command = ["-c", DROP, *command[1:]]
    paths = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The kinds of broken files that can be made here."""
    file = tmp_path_factory.mktemp("forbidden") / "file"
    file.write_bytes(b"")
    file.chmod(0)
    tried = child("import sys; open(sys.argv[1])", file)
    return tuple(kind for kind in BROKEN if kind != "forbidden" or "Permission" in tried.stderr)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))


def break_some(made: Path, kinds: tuple[str, ...], each: int) -> dict[str, str]:
    """Put broken pictures of every kind among the others; return names and what is said of them."""
    broken = {}
    for number in range(each * len(kinds)):
        kind = kinds[number % len(kinds)]
        suffix, make, reason = BROKEN[kind]
        name = f"{CLASSES[number // len(kinds) % 2]}/{kind}-{number}{suffix}"
        make(made / name, number)
        broken[name] = reason
    return broken


def disguise_some(made: Path, each: int) -> list[str]:
    """Put pictures with a wrong suffix among the others; return their names, sorted."""
    kind, suffix = SUFFIX
    names = [f"{CLASSES[number % 2]}/{kind}-{number}{suffix}" for number in range(each)]
    for number, name in enumerate(names):
        (made / name).write_bytes(png_of(500 + number))
    return sorted(names)


def without(made: Path, names: Any, copy: Path) -> Path:
    """Return a copy of a folder that lacks some files."""
    left_out = {str(made / name) for name in names}
    return shutil.copytree(
        made,
        copy,
        symlinks=True,
        ignore=lambda folder, files: [f for f in files if f"{folder}/{f}" in left_out],
    )


def checked(source: Path) -> dict[str, Any]:
    done = child(MAIN, "check", source, "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def trained(source: Path, out: Path) -> tuple[dict[str, Any], str, str]:
    """Train; return the results, what was said to stderr, and the hash of the weights."""
    done = child(MAIN, "train", source, "--epochs", 2, "--threads", 1, "--out", out, "--name", "a")
    assert done.returncode == 0, done.stderr
    weights = (out / "a" / "model" / "weights.safetensors").read_bytes()
    results = json.loads((out / "a" / "results.json").read_text(encoding="utf-8"))
    return results, done.stderr, hashlib.sha256(weights).hexdigest()


def fits(found: list[dict[str, str]], key: str, broken: dict[str, str]) -> bool:
    """Return whether just the broken files were named, each with its reason."""
    reasons = {one[key]: one["reason"] for one in found}
    named = len(reasons) == len(found) and sorted(reasons) == sorted(broken)
    return named and all(broken[name] in reason for name, reason in reasons.items())


@pytest.mark.slow
def test_broken_pictures_are_named_exactly_and_change_no_weight(
    tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    made = write_folder(tmp_path / "dirty" / "stripes", classes=CLASSES, each=150)
    disguised = disguise_some(made, 3)
    broken = break_some(made, kinds, 3)
    clean = without(made, broken, tmp_path / "clean" / "stripes")
    # All ten are told by check, in JSON ...
    document = checked(made)
    assert fits(document["unreadable"], "path", broken)
    findings = {one["kind"]: one for one in document["findings"]}
    assert sorted(findings["unreadable"]["paths"]) == sorted(broken)
    assert sorted(findings["suffix"]["paths"]) == disguised
    assert (findings["unreadable"]["fault"], findings["suffix"]["fault"]) == (True, False)
    assert checked(clean)["unreadable"] == []
    # ... and by a training, which takes the others as if these had never been there.
    results, said, weights = trained(made, tmp_path / "runs-0")
    assert fits(results["unreadable"], "name", broken)
    assert all(f"{name} (PNG)" in said for name in disguised)
    of_clean, _, same = trained(clean, tmp_path / "runs-1")
    assert (of_clean["unreadable"], same) == ([], weights)
    # The comparison can fail: some pictures less, one of them trained on, is another training.
    for number in range(7, 14):
        (clean / "down" / f"{number:03d}.png").unlink()
    assert trained(clean, tmp_path / "runs-2")[2] != weights


@pytest.mark.slow
def test_a_file_that_may_not_be_read_is_left_out(tmp_path: Path, kinds: tuple[str, ...]) -> None:
    if "forbidden" not in kinds:
        pytest.skip("this system lets the user read files without permission")
    made = write_folder(tmp_path / "stripes", classes=CLASSES, each=10)
    broken = break_some(made, ("forbidden",), 2)
    assert fits(checked(made)["unreadable"], "path", broken)
    # Permission counts each time, whatever was kept.
    for name in broken:
        (made / name).chmod(0o600)
    assert checked(made)["unreadable"] == []
    for name in broken:
        (made / name).chmod(0)
    assert fits(checked(made)["unreadable"], "path", broken)


def test_predict_and_evaluate_refuse_what_check_refuses(
    tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    made = write_folder(tmp_path / "stripes", classes=CLASSES, each=30)
    broken = break_some(made, tuple(kind for kind in kinds if kind != "forbidden"), 1)
    model = write_tiny_model(tmp_path / "model", Classification(CLASSES))
    for name, one in zip(broken, load(model).predict_each(made / name for name in broken)):
        assert one.error is not None and broken[name] in one.error.reason
    done = striate("evaluate", model, made, "--part", "all")
    assert done.code == 0 and "all: 60 pictures" in done.out
    for name, reason in broken.items():
        (line,) = (line for line in done.err.splitlines() if f"{name}: " in line)
        assert reason in line
