"""Several processes beside one: accuracy, images a second, and what docs/scaling.md is computed from.

python benchmarks/distributed.py
"""

import argparse
import csv
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import mean, median
from time import perf_counter, process_time
from typing import Any

import numpy as np
from PIL import Image

from harness import Contender, compare, main
from striate.data import open_source, store
from striate.data._cache_folder import kept_stores
from striate.flow._conditions import machine, versions
from striate.image import Shape

PEERS = Path(__file__).parent / "peers"
ALONE = [sys.executable, "-m", "striate", "train"]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
TOGETHER = [*TORCHRUN, "-m", "striate", "train"]
PICTURES = 300
SIDE = 224


def _figures(text: str, _folder: Path) -> dict[str, Any]:
    return dict(json.loads(text))


def digits(_arguments: argparse.Namespace) -> dict[str, Any]:
    """Test accuracy on `digits` with batch norm and dropout; seeds 0 to 4, one and two processes."""
    script = [str(PEERS / "digits_seeds.py"), "{folder}"]
    contenders = [
        Contender("one process", [sys.executable, *script], _figures),
        Contender("two processes", [*TORCHRUN, *script], _figures),
    ]
    line = compare("digits", contenders, runs=1)
    one, two = (line[each.name]["figures"][0]["accuracies"] for each in contenders)
    return line | {
        "note": "10 epochs, dropout 0.2, one thread a process, CPU",
        "means": [mean(one), mean(two)],
        "in range": min(one) <= mean(two) <= max(one),
    }


def _rate(_text: str, folder: Path) -> dict[str, Any]:
    (table,) = folder.rglob("history.csv")
    with table.open(encoding="utf-8") as file:
        rates = [float(row["images_per_second"]) for row in csv.DictReader(file)]
    return {"images_per_second": median(rates[1:])}


def speed(arguments: argparse.Namespace) -> dict[str, Any]:
    """Images a second: one process with two threads, two with one each; 8,000 pictures of 28 px."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "made.npz"
        rng = np.random.default_rng(0)
        pictures = rng.integers(0, 256, (8_000, 28, 28), dtype=np.uint8)
        np.savez(file, x_train=pictures, y_train=np.arange(8_000) % 10)
        words = [str(file), "--network", "cnn3", "--epochs", "4", "--batch-size", "128", "--quiet"]
        words += ["--set", "data.validation=0", "--set", "training.samples=none"]
        words += ["--out", "{folder}/runs"]
        contenders = [
            Contender("one process, two threads", [*ALONE, *words, "--threads", "2"], _rate),
            Contender("two processes, one thread", [*TOGETHER, *words, "--threads", "1"], _rate),
        ]
        return compare("speed", contenders, runs=arguments.runs)


def all_reduce(arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds of gloo's all-reduce between two processes over the loopback device."""
    contender = Contender("gloo", [*TORCHRUN, str(PEERS / "all_reduce.py")], _figures)
    return compare("all-reduce", [contender], runs=arguments.runs)


def stored(_arguments: argparse.Namespace) -> dict[str, Any]:
    """Decoding seconds and bytes on the disk of a picture at 224 px with the default margin."""
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_photographs(folder / "pictures")
        source = open_source(folder / "pictures")
        shape = Shape(height=SIDE, width=SIDE, channels=3, margin=SIDE // 14)
        walls, cpus = [], []
        for _ in range(2):
            begun, cpu = perf_counter(), process_time()
            with store(source, shape, threads=1, keep=True, cache=folder / "cache"):
                walls.append(perf_counter() - begun)
                cpus.append(process_time() - cpu)
        (kept,) = kept_stores(folder / "cache")
        return {
            "name": "stored",
            "note": "generated JPEG files of 500x375, quality 90; one thread; margin 16",
            "pictures": PICTURES,
            "first": {"seconds": round(walls[0], 3), "cpu_seconds": round(cpus[0], 3)},
            "second": {"seconds": round(walls[1], 3), "cpu_seconds": round(cpus[1], 3)},
            "bytes_per_picture": kept.size / PICTURES,
            "machine": machine(),
            "versions": versions(),
        }


def _write_photographs(folder: Path) -> None:
    """Write smooth noise, whose JPEG files are about as large as photographs'."""
    rng = np.random.default_rng(0)
    for number in range(PICTURES):
        small = rng.integers(0, 256, (94, 125, 3), dtype=np.uint8)
        picture = Image.fromarray(small).resize((500, 375), Image.Resampling.BICUBIC)
        path = folder / "ab"[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, quality=90)


if __name__ == "__main__":
    main(
        "distributed",
        {"digits": digits, "speed": speed, "all-reduce": all_reduce, "stored": stored},
    )
