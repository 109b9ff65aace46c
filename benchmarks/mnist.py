"""MNIST: from the command to a model, whole process, beside the plain script of cnn3.

python benchmarks/mnist.py --data FOLDER     # FOLDER holds mnist/MNIST/raw/*.gz
"""

import argparse
import gzip
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from harness import Contender, compare, main

PEER = Path(__file__).parent / "peers" / "mnist_plain.py"


def _ours(text: str, _folder: Path) -> dict[str, Any]:
    test = json.loads(text)["parts"]["test"]
    return {"loss": test["loss"], "accuracy": test["accuracy"]}


def _plain(text: str, _folder: Path) -> dict[str, Any]:
    return dict(json.loads(text))


def to_99(arguments: argparse.Namespace) -> dict[str, Any]:
    """The default recipe against the plain script; both must reach 99.0 % to count."""
    data = str(arguments.data)
    # torchvision wants the four files unpacked, and the data folder may be read-only.
    unpacked = Path(tempfile.mkdtemp())
    raw = unpacked / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for packed in (arguments.data / "mnist" / "MNIST" / "raw").glob("*.gz"):
        (raw / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    python = sys.executable
    ours = [python, "-m", "striate", "train", "mnist", "--data-folder", data, "--json", "--quiet"]
    return compare(
        "mnist-to-99",
        [
            Contender("striate", ours, _ours),
            Contender("striate, 2 epochs", [*ours, "--epochs", "2"], _ours),
            Contender("striate, quick", [*ours, "--recipe", "quick"], _ours),
            Contender("plain", [python, str(PEER), str(unpacked)], _plain),
        ],
        runs=arguments.runs,
        peer="plain",
        note="whole process, empty cache; accuracy on the 10,000 test pictures",
    )


def seeds(arguments: argparse.Namespace) -> dict[str, Any]:
    """The quick recipe with five seeds, on one thread: accuracies only."""
    words = [sys.executable, "-m", "striate", "train", "mnist", "--data-folder"]
    words += [str(arguments.data), "--recipe", "quick", "--threads", "1", "--json", "--quiet"]
    return compare(
        "mnist-quick-seeds",
        [Contender(f"seed {seed}", [*words, "--seed", str(seed)], _ours) for seed in range(5)],
        runs=1,
        note="accuracy on the 10,000 test pictures; 1 thread, beside other work",
    )


def best(arguments: argparse.Namespace) -> dict[str, Any]:
    """The slow recipe for the best accuracy without pretrained weights."""
    words = [sys.executable, "-m", "striate", "train", "mnist", "--data-folder"]
    words += [str(arguments.data), "--recipe", "digits-best", "--json", "--quiet"]
    return compare(
        "mnist-best",
        [Contender("seed 0", [*words, "--seed", "0"], _ours)],
        runs=1,
        note="recipe digits-best, whole process, empty cache; accuracy on the 10,000 test pictures",
    )


if __name__ == "__main__":
    main("mnist", {"mnist-to-99": to_99, "mnist-quick-seeds": seeds, "mnist-best": best})
