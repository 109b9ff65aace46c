"""Small files that ask for far too much are refused, in one process that is watched."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from image import bombs
from striate.errors import PictureError
from striate.image import FORMATS, Shape, decode, header, load
from striate.image._formats import SUFFIXES
from striate.image._pillow import _PLUGINS

MOST_MIB = 400

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="memory is watched through Linux's /proc"
)


@needs_proc
def test_every_bomb_is_refused_in_little_memory() -> None:
    tests = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "image.bombs"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": tests},
        timeout=300,
    )
    found = {name: (reason, peak) for name, reason, _, peak in json.loads(done.stdout)}
    bad, good = [name for name, _ in bombs.refused()], [name for name, _ in bombs.harmless()]
    assert len(bad) >= 40 and [*found] == bad + good
    assert [name for name in bad if not found[name][0]] == []
    assert [(name, found[name][0]) for name in good if found[name][0]] == []
    assert {name: peak for name, (_, peak) in found.items() if peak > MOST_MIB} == {}


def test_what_is_said_of_them() -> None:
    said = {
        "PNG of 50,000 × 50,000, RGB": (
            "50000 × 50000 pixels, more than the limit of 40,000,000 pixels"
        ),
        "PNG whose iTXt unpacks to 100 MB": ("its text or colour profile unpacks to far too much"),
        "JPEG of 39 MP and 10,000 scans": "damaged (more than 100 scans of the picture)",
        "JPEG of 100,000 remarks": "damaged (too much stands before its pixels)",
        "JPEG of 101 MP": "10100 × 10000 pixels, more than the limit of 100,000,000 pixels",
        "JPEG of 99 MP, progressive": (
            "9900 × 10000 pixels, more than the limit of 40,000,000 pixels"
        ),
        "GIF whose frame is larger than its screen": "far too many pixels",
        "TIFF of 70,000 strips": "damaged (it lists more than 65,536 pieces)",
        "TIFF of 60,000 strips on each other": "damaged (its pieces lie over each other)",
        "TIFF of 20,000 tags on each other": "damaged (it has more than 4,096 tags)",
    }
    found = {}
    for name, data in bombs.refused():
        if name in said:
            with pytest.raises(PictureError) as caught:
                load(data, Shape(height=64, width=64, channels=3), name="a.png")
            found[name] = caught.value.reason
    assert found == said


def test_headers_of_bombs_give_a_size_or_a_picture_error() -> None:
    for _, data in [*bombs.refused(), *bombs.harmless()]:
        try:
            height, width, channels = header(data, name="x")
        except PictureError:
            continue
        assert height > 0 and width > 0 and channels in (1, 3)


def test_formats_are_those_of_a_list_and_no_others() -> None:
    assert set(_PLUGINS) == set(FORMATS) == set(SUFFIXES.values())
    for name, data in bombs._other_formats():
        with pytest.raises(PictureError) as caught:
            decode(data, name="x")
        assert caught.value.reason.startswith("not a picture in a format striate reads"), name
