"""Regression beside the constant prediction: red cells per picture, and the angle of digits.

python benchmarks/regression.py --data FOLDER     # FOLDER holds bccd/
"""

import argparse
import csv
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from harness import Contender, compare, main
from striate.data import TEST, TRAIN, open_source

TRAIN_COMMAND = [sys.executable, "-m", "striate", "train"]


def test_figures(text: str, _folder: Path) -> dict[str, Any]:
    """Return a run's errors on the test part."""
    test = json.loads(text)["parts"]["test"]
    return {"mae": test["mae"], "rmse": test["rmse"], "r2": test["r2"]}


def _sets(folder: Path) -> dict[str, Path]:
    return {
        part: folder / "ImageSets" / "Main" / f"{part}.txt" for part in ("train", "val", "test")
    }


def cells_command(folder: Path) -> list[str]:
    """Return the command that trains on the red cells of bccd/, on the published split."""
    split = ",".join(f"{part}={file}" for part, file in _sets(folder).items())
    return [
        *(*TRAIN_COMMAND, str(folder / "cells.csv"), "--target", "red_cells"),
        *("--split", split, "--json", "--quiet"),
    ]


def cells_constant(folder: Path) -> dict[str, float]:
    """Return the errors of the training part's median and mean, for every picture."""
    counts = {
        Path(row["image"]).stem: float(row["red_cells"])
        for row in csv.DictReader((folder / "cells.csv").open(encoding="utf-8"))
    }
    known = {
        part: [counts[name] for name in file.read_text().split()]
        for part, file in _sets(folder).items()
    }
    return _constant(known["train"], known["test"])


def cells(arguments: argparse.Namespace) -> dict[str, Any]:
    """Red cells per picture on the published split."""
    folder = arguments.data / "bccd"
    line = compare(
        "red-cells",
        [Contender("striate", cells_command(folder), test_figures)],
        runs=arguments.runs,
    )
    return line | {"constant": cells_constant(folder)}


def angles(arguments: argparse.Namespace) -> dict[str, Any]:
    """Angle of rotated digits in degrees, −45 to 45, at 28 px; the fixed test part of `digits`."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "angles.npz"
        known = write_angles(file, seed=0)
        command = [*TRAIN_COMMAND, str(file), "--json", "--quiet"]
        line = compare(
            "digit-angle", [Contender("striate", command, test_figures)], runs=arguments.runs
        )
    return line | {"constant": _constant(*known), "unit": "degrees"}


def write_angles(file: Path, *, seed: int) -> tuple[list[float], list[float]]:
    """Write digits turned by seeded angles as .npz; return the angles of training and test part."""
    digits = open_source("digits")
    rng = np.random.default_rng(seed)
    turned, drawn = [], rng.uniform(-45, 45, len(digits))
    for position, angle in enumerate(drawn):
        picture = Image.fromarray(digits.pictures.read(position)[..., 0]).resize(
            (28, 28), Image.Resampling.BICUBIC
        )
        turned.append(np.asarray(picture.rotate(angle, Image.Resampling.BICUBIC)))
    pictures, test = np.stack(turned), digits.parts == TEST
    np.savez(
        file,
        x_train=pictures[~test],
        y_train=drawn[~test],
        x_test=pictures[test],
        y_test=drawn[test],
    )
    assert set(digits.parts[~test]) != {TRAIN}, "the split into train and validation is striate's"
    return drawn[~test].tolist(), drawn[test].tolist()


def _constant(train: list[float], test: list[float]) -> dict[str, float]:
    """Return the best constants' errors: the median for MAE, the mean for RMSE."""
    errors = np.abs(np.array(test) - np.median(train))
    squares = (np.array(test) - np.mean(train)) ** 2
    return {"mae": float(errors.mean()), "rmse": float(squares.mean() ** 0.5)}


if __name__ == "__main__":
    main("regression", {"red-cells": cells, "digit-angle": angles})
