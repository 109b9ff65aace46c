"""Pictures to batches: striate's store and batches beside torchvision's ImageFolder and DataLoader.

    python benchmarks/data.py --data FOLDER    # FOLDER holds ants_bees/ and cifar10.zip

Both give shuffled batches of 32 normalised float pictures; nothing is trained. "full" varies all
geometry (rotation, shift, zoom, shear, flip) with bilinear interpolation, "none" nothing.
"""

import argparse
import json
import sys
import tempfile
import zipfile
from pathlib import Path
from statistics import median
from typing import Any

from harness import Contender, compare, main

PEERS = Path(__file__).parent / "peers"
EPOCHS = 3


def _figures(text: str, _folder: Path) -> dict[str, Any]:
    return dict(json.loads(text))


def _contenders(folder: Path, size: int, kind: str, workers: tuple[int, ...]) -> list[Contender]:
    words = [str(folder), str(size)]
    ours = [sys.executable, str(PEERS / "loader_striate.py"), *words, kind, str(EPOCHS)]
    theirs = [sys.executable, str(PEERS / "loader_torchvision.py"), *words]
    peers = [
        Contender(f"torchvision, {n} workers", [*theirs, str(n), kind, str(EPOCHS)], _figures)
        for n in workers
    ]
    return [Contender("striate", ours, _figures), *peers]


def _with_ratios(line: dict[str, Any]) -> dict[str, Any]:
    """Add how many times as fast striate is, by medians over runs: first and later epochs."""
    ours = line["striate"]["figures"]
    for name in [name for name in line if name.startswith("torchvision")]:
        theirs = line[name]["figures"]
        line[f"times as fast as {name}"] = {
            "first batch": _times(theirs, ours, lambda one: one["first_batch"]),
            "first epoch": _times(theirs, ours, lambda one: one["first_epoch"]),
            "later epochs": _times(theirs, ours, lambda one: median(one["later_epochs"])),
        }
    return line


def _times(theirs: list[Any], ours: list[Any], seconds: Any) -> float:
    return round(median(map(seconds, theirs)) / median(map(seconds, ours)), 2)


def ants_bees(kind: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """398 photographs at 224 px."""
    contenders = _contenders(arguments.data / "ants_bees", 224, kind, (0, 2))
    return _with_ratios(compare(f"ants-bees-{kind}", contenders, runs=arguments.runs))


def cifar10(kind: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """60,000 JPEG files of 32 px."""
    with tempfile.TemporaryDirectory() as name:
        with zipfile.ZipFile(arguments.data / "cifar10.zip") as archive:
            archive.extractall(name)  # the project's own test data
        folder = next(path.parent for path in Path(name).rglob("train"))
        contenders = _contenders(folder, 32, kind, (2,))
        return _with_ratios(compare(f"cifar10-{kind}", contenders, runs=1))


def waiting(arguments: argparse.Namespace) -> dict[str, Any]:
    """A ResNet-18 at 224 px with full geometric augmentation: below 2 % is the goal."""
    script = str(PEERS / "waiting_resnet18.py")
    command = [sys.executable, script, str(arguments.data / "ants_bees")]
    return compare("waiting-resnet18", [Contender("striate", command, _figures)], runs=1)


if __name__ == "__main__":
    main(
        "data",
        {
            "ants-bees-full": lambda given: ants_bees("full", given),
            "ants-bees-none": lambda given: ants_bees("none", given),
            "cifar10-full": lambda given: cifar10("full", given),
            "cifar10-none": lambda given: cifar10("none", given),
            "waiting-resnet18": waiting,
        },
    )
