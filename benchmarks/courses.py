"""The course networks on the full MNIST, each with its published recipe, measured rightly.

    python benchmarks/courses.py --data FOLDER     # FOLDER holds mnist/MNIST/raw/*.gz

One run is one line; entries are named RECIPE-OPTIONS-SEED. Those with "shuffled" see the pixels of
every picture in one fixed order drawn at random: to a dense network that is the same data, to a
convolution it is not. Those with "norm" or "plain" are cnn-gap for one epoch with and without batch
norm, for every learning rate and initialisation of the grid.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from harness import Contender, compare, main
from striate.data._idx import idx_files, read_idx

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
SHUFFLED = {"cnn3-shuffled": VARIANTS["cnn3"], "mlp-shuffled": VARIANTS["mlp"]}
RATES = (0.001, 0.01, 0.1)
STARTS = {
    "default": [],
    "normal": ["convolution=normal", "dense=normal", "bias=zeros"],
    "kaiming": ["convolution=kaiming-normal", "dense=kaiming-normal", "bias=zeros"],
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


def shuffled(data: Path, to: Path) -> Path:
    """Write MNIST with the pixels of every picture in one fixed random order; return the file."""
    order = np.random.default_rng(0).permutation(28 * 28)
    arrays: dict[str, Any] = {}
    for (part, kind), path in idx_files(data / "mnist" / "MNIST" / "raw").items():
        values = read_idx(path)
        if kind == "images":
            values = values.reshape(len(values), -1)[:, order].reshape(values.shape)
        arrays[f"{'x' if kind == 'images' else 'y'}_{part}"] = values
    np.savez(to / "shuffled.npz", **arrays)
    return to / "shuffled.npz"


def train(source: list[str], words: list[str], name: str, seed: int) -> dict[str, Any]:
    """Train once and return the line."""
    command = [sys.executable, "-m", "striate", "train", *source, "--json", "--quiet"]
    # Accuracies are what counts here, and one thread wastes no time waiting beside other work.
    command += ["--threads", "1"]
    return compare(
        name,
        [Contender("striate", [*command, "--seed", str(seed), *words], _figures)],
        runs=1,
        note="the 10,000 test pictures, evaluation mode; train_accuracy on a sample of 5,000; 1 thread",
    )


def run(words: list[str], name: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Train once on MNIST."""
    return train(["mnist", "--data-folder", str(arguments.data)], words, name, seed)


def run_shuffled(
    words: list[str], name: str, seed: int, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Train once on MNIST with its pixels shuffled."""
    with tempfile.TemporaryDirectory() as folder:
        source = shuffled(arguments.data, Path(folder))
        return train([str(source)], words, name, seed)


def run_cnn64(name: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Train cnn64 once on ants and bees, with its published augmentation."""
    command = [sys.executable, "-m", "striate", "train", str(arguments.data / "ants_bees")]
    command += ["--recipe", "cnn64", "--seed", str(seed), "--threads", "1", "--json", "--quiet"]
    return compare(
        name,
        [Contender("striate", command, lambda text, _folder: _parts(text))],
        runs=1,
        note="153 validation pictures, by which the best of 10 epochs was chosen too; 1 thread",
    )


def _parts(text: str) -> dict[str, Any]:
    document = json.loads(text)
    parts = {name: part["accuracy"] for name, part in document["parts"].items()}
    return {**parts, "best_epoch": document["best_epoch"]}


def grid() -> dict[str, list[str]]:
    """Return the settings of every point of batch norm x learning rate x initialisation."""
    points = {}
    for norm, rate, (start, drawn) in product((True, False), RATES, STARTS.items()):
        words = ["--recipe", "cnn-gap", "--epochs", "1", "--learning-rate", str(rate)]
        words += ["--set", f"network.batch_norm={str(norm).lower()}"]
        for setting in drawn:
            words += ["--set", f"network.initialisation.{setting}"]
        points[f"{'norm' if norm else 'plain'}-{rate}-{start}"] = words
    return points


def entries() -> dict[str, Callable[[argparse.Namespace], dict[str, Any]]]:
    """Return every run by name."""
    runs: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {}
    for seed in SEEDS:
        for variant, words in VARIANTS.items():
            runs[f"{variant}-{seed}"] = partial(run, words, f"{variant}-{seed}", seed)
        for variant, words in SHUFFLED.items():
            runs[f"{variant}-{seed}"] = partial(run_shuffled, words, f"{variant}-{seed}", seed)
        runs[f"cnn64-{seed}"] = partial(run_cnn64, f"cnn64-{seed}", seed)
    for point, words in grid().items():
        runs[f"{point}-0"] = partial(run, words, f"{point}-0", 0)
    return runs


if __name__ == "__main__":
    main("courses", entries())
