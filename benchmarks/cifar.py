"""CIFAR-10 from JPEG files: the record recipe's accuracy, and how long ours takes to reach it.

python benchmarks/cifar.py --data FOLDER [ENTRY...]     # FOLDER holds cifar10.zip

Runs take up to an hour on two processors. Nothing is chosen by the test part: recipes were tuned on a
tenth of the training part that was held out.
"""

import argparse
import json
import sys
import tempfile
import zipfile
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


def _striate(arguments: argparse.Namespace, recipe: str, *words: str) -> list[str]:
    folder = unpacked(arguments.data / "cifar10.zip")
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
    """Seconds of a step of the record recipe (2,000 pictures) now, and of its share of ours."""
    contenders = [
        Contender(
            f"airbench94, {kind}", _record(arguments, "--steps", "4", "--precision", kind), _peer
        )
        for kind in ("float32", "bfloat16")
    ]
    return compare(
        "steps", contenders, runs=arguments.runs, note="4 steps each; step_seconds counts"
    )


def same_accuracy(arguments: argparse.Namespace) -> dict[str, Any]:
    """Ours to the record recipe's accuracy, whole process, two seeds."""
    return compare(
        "same-accuracy",
        [
            Contender(f"seed {seed}", _striate(arguments, "cifar10", "--seed", str(seed)), _ours)
            for seed in range(2)
        ],
        runs=1,
        note="whole process with an empty cache; accuracy on the 10,000 test pictures, six views",
    )


def to_90(arguments: argparse.Namespace) -> dict[str, Any]:
    """Ours to 90 %, whole process, three seeds."""
    return compare(
        "to-90",
        [
            Contender(
                f"seed {seed}", _striate(arguments, "cifar10-quick", "--seed", str(seed)), _ours
            )
            for seed in range(3)
        ],
        runs=1,
        note="whole process with an empty cache; accuracy on the 10,000 test pictures",
    )


def best(arguments: argparse.Namespace) -> dict[str, Any]:
    """The most that 45 minutes reach."""
    words = _striate(arguments, "cifar10-best", "--minutes", "45")
    return compare("best", [Contender("seed 0", words, _ours)], runs=1, note="--minutes 45")


if __name__ == "__main__":
    main(
        "cifar",
        {
            "record": record,
            "steps": steps,
            "same-accuracy": same_accuracy,
            "to-90": to_90,
            "best": best,
        },
    )
