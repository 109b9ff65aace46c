"""The course networks on the full MNIST, each with its published recipe, measured rightly.

    python benchmarks/courses.py --data FOLDER     # FOLDER holds mnist/MNIST/raw/*.gz

One run is one line; entries are named RECIPE-OPTIONS-SEED.
"""

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from harness import Contender, compare, main

SEEDS = (0, 1, 2)
VARIANTS = {
    "cnn3": ["--recipe", "cnn3"],
    "cnn3-plateau": ["--recipe", "cnn3-plateau"],
    "cnn5": ["--recipe", "cnn5"],
    "cnn-gap-max": ["--recipe", "cnn-gap", "--set", "network.pooling=max"],
    "cnn-gap-average": ["--recipe", "cnn-gap", "--set", "network.pooling=average"],
    "cnn-gap-min": ["--recipe", "cnn-gap", "--set", "network.pooling=min"],
    "mlp": ["--recipe", "cnn3", "--network", "mlp"],
}


def _figures(text: str, _folder: Path) -> dict[str, Any]:
    document = json.loads(text)
    test = document["parts"]["test"]
    kept = ("loss", "correct", "total", "accuracy")
    return {key: test[key] for key in kept} | {
        "train_accuracy": document["parts"]["train"]["accuracy"],
        "best_epoch": document["best_epoch"],
        "stopped": document["stopped"],
    }


def run(words: list[str], name: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Train once and return the line."""
    command = [sys.executable, "-m", "striate", "train", "mnist", "--json", "--quiet"]
    command += ["--data-folder", str(arguments.data), "--seed", str(seed), *words]
    return compare(
        name,
        [Contender("striate", command, _figures)],
        runs=1,
        note="the 10,000 test pictures, evaluation mode; train_accuracy on a sample of 5,000",
    )


def entries() -> dict[str, Callable[[argparse.Namespace], dict[str, Any]]]:
    """Return every run by name."""
    return {
        f"{variant}-{seed}": partial(run, words, f"{variant}-{seed}", seed)
        for seed in SEEDS
        for variant, words in VARIANTS.items()
    }


if __name__ == "__main__":
    main("courses", entries())
