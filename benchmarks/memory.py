"""Memory for pictures: 1,000 and 100,000 files of 64 px, stored and passed through once.

python benchmarks/memory.py

RssAnon is what a process holds for itself; the store's file lies in the page cache, which the system
takes back when it needs it. So RssAnon must hardly grow with the number of pictures.
"""

import argparse
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from harness import Contender, compare, main

COUNTS = (1_000, 100_000)
SIDE = 64
FOLDERS = ("across", "down")

# The peaks of RssAnon in MiB up to the end of each stage, read every 2 ms.
CODE = """
import json, sys, threading, time
from pathlib import Path
import numpy, PIL.Image
from striate.data import Batches, open_source, store
from striate.image import Shape

def anonymous():
    for line in open("/proc/self/status"):
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024

peak, ended = [anonymous()], threading.Event()

def watch():
    while not ended.wait(0.002):
        peak[0] = max(peak[0], anonymous())

threading.Thread(target=watch, daemon=True).start()
stages, begun = {}, time.perf_counter()

def stage(name):
    peak[0] = max(peak[0], anonymous())
    stages[name] = round(peak[0], 1)
    stages[name + "_seconds"] = round(time.perf_counter() - begun, 2)

stage("import")
source = open_source(sys.argv[1])
stage("open")
stored = store(source, Shape(height=64, width=64, channels=3), keep=True, cache=Path(sys.argv[2]))
stage("store")
batches = Batches(
    stored, targets=source.targets, ids=source.ids, positions=numpy.arange(len(source)),
    batch_size=64, shuffle=True,
)
taken = sum(len(batch.positions) for batch in batches.epoch(0))
stage("epoch")
ended.set()
print(json.dumps(stages | {"pictures": taken}))
"""


def pictures(_: argparse.Namespace) -> dict[str, Any]:
    """RssAnon at its peak, for a first run (everything is decoded) and a second (all is kept)."""
    with tempfile.TemporaryDirectory() as name:
        contenders = []
        for count in COUNTS:
            folder = Path(name) / str(count)
            write_pictures(folder, count)
            command = [sys.executable, "-c", CODE, str(folder), str(Path(name) / "cache")]
            for run in ("first", "second"):
                contenders.append(Contender(f"{count} {run}", command, _figures))  # noqa: PERF401
        line = compare(
            "pictures-64px", contenders, runs=1, note="RssAnon in MiB, peak up to each stage's end"
        )
    few, many = (line[f"{count} first"]["figures"][0]["epoch"] for count in COUNTS)
    grown = (many - few) * 2**20 / (COUNTS[1] - COUNTS[0])
    return line | {"bytes_per_picture": round(grown), "pixels_per_picture": SIDE * SIDE * 3}


def _figures(text: str, _folder: Path) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(text)
    return figures


def write_pictures(folder: Path, count: int) -> None:
    """Write JPEG files, all different, half of them in each of two folders."""
    rng = np.random.default_rng(0)
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    for number in range(count):
        small = rng.integers(0, 256, (8, 8, 3), np.uint8)
        data = io.BytesIO()
        picture = Image.fromarray(small).resize((SIDE, SIDE), Image.Resampling.NEAREST)
        picture.save(data, "JPEG")
        (folder / FOLDERS[number % 2] / f"{number:06d}.jpg").write_bytes(data.getvalue())


if __name__ == "__main__":
    main("memory", {"pictures-64px": pictures})
