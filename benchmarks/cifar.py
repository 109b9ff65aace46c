"""CIFAR-10 from JPEG files: the record recipe's accuracy, and how long ours takes to reach it.

python benchmarks/cifar.py --data FOLDER [ENTRY...]     # FOLDER holds cifar10.zip

Runs take up to an hour on two processors. Nothing is chosen by the test part: recipes were tuned on a
tenth of the training part that was held out.
"""

import argparse
import csv
import json
import sys
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from harness import Contender, compare, main

PEER = Path(__file__).parent / "peers" / "airbench94_cpu.py"


@cache
def unpacked(archive: Path) -> str:
    """Return a folder with train/<class>/ and test/<class>/, unpacked once in a call."""
    folder = Path(tempfile.mkdtemp())
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(folder)
    inside = [one for one in folder.iterdir() if one.is_dir()]
    return str(inside[0] if len(inside) == 1 else folder)


def _ours(text: str, folder: Path) -> dict[str, Any]:
    document = json.loads(text)
    test = document["parts"]["test"]
    rows = (folder / "runs").glob("*/metrics.json")
    conditions = json.loads(next(rows).read_text())["conditions"]
    return {"accuracy": test["accuracy"], "loss": test["loss"], "inside": conditions["seconds"]}


def _peer(text: str, _folder: Path) -> dict[str, Any]:
    return dict(json.loads(text.strip().splitlines()[-1]))


def _striate(arguments: argparse.Namespace, recipe: str, *words: str, part: str = "") -> list[str]:
    folder = str(Path(unpacked(arguments.data / "cifar10.zip")) / part)
    return [
        *(sys.executable, "-m", "striate", "train", folder),
        *("--recipe", recipe, "--json", "--quiet", *words),
    ]


def _record(arguments: argparse.Namespace, *words: str) -> list[str]:
    return [sys.executable, str(PEER), unpacked(arguments.data / "cifar10.zip"), *words]


def record(arguments: argparse.Namespace) -> dict[str, Any]:
    """The record recipe, once: the accuracy to reach, and its time."""
    return compare(
        "record",
        [Contender("airbench94", _record(arguments), _peer)],
        runs=1,
        note="rewritten for the CPU, float32; accuracy with one view and with six",
    )


def steps(arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds that 2,000 pictures take: a step of the record recipe, and four of ours."""
    contenders = [
        Contender(
            f"airbench94, {kind}", _record(arguments, "--steps", "4", "--precision", kind), _peer
        )
        for kind in ("float32", "bfloat16")
    ]
    # 10,000 pictures without a part to judge on.
    ours = _striate(arguments, "cifar10", "--epochs", "1", part="test")
    return compare(
        "steps",
        [*contenders, Contender("striate", ours, _our_steps)],
        runs=arguments.runs,
        note="4 steps each, ours 20 of 500 pictures; step_seconds counts: 2,000 pictures",
    )


def _our_steps(_text: str, folder: Path) -> dict[str, Any]:
    (history,) = (folder / "runs").glob("*/history.csv")
    with history.open(newline="") as file:
        (row,) = csv.DictReader(file)
    return {"step_seconds": 2000 / float(row["images_per_second"])}


def _whole(
    entry: str, recipe: str, seed: int, *words: str
) -> tuple[str, Callable[[argparse.Namespace], dict[str, Any]]]:
    """Return an entry of one seed, whole process: each takes too long for two in one call."""
    name = f"{entry}-seed-{seed}"

    def run(arguments: argparse.Namespace) -> dict[str, Any]:
        command = _striate(arguments, recipe, "--seed", str(seed), *words)
        return compare(
            name,
            [Contender("striate", command, _ours)],
            runs=1,
            note=f"recipe {recipe}, {' '.join(words) or 'its own epochs'}; whole process, empty cache; "
            "accuracy on the 10,000 test pictures",
        )

    return name, run


if __name__ == "__main__":
    main(
        "cifar",
        {
            "record": record,
            "steps": steps,
            **dict(_whole("same-accuracy", "cifar10", seed) for seed in range(2)),
            **dict(_whole("to-90", "cifar10-quick", seed) for seed in range(3)),
            **dict([_whole("best", "cifar10-best", 0, "--minutes", "45")]),
        },
    )
