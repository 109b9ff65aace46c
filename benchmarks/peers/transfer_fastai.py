"""Peer of transfer.py: fastai's vision_learner and fine_tune, from the same weights.

    python transfer_fastai.py FOLDER TRAIN TEST --epochs 3 --seed 0

FOLDER holds the parts TRAIN and TEST with a folder per class. fastai's defaults but for the scaling,
which is the weights' own, and with Resize(224), as its quick start does; one epoch of the head alone,
then EPOCHS of the whole network. It looks at TEST after every epoch, as it always does; --once looks at
the end only, which changes no weights. Prints one JSON line.
"""

import argparse
import json
import logging
import warnings
from importlib.metadata import version
from pathlib import Path

warnings.filterwarnings("ignore")  # it runs on a newer PyTorch than it was written for

from fastai.callback.core import Callback, CancelValidException  # noqa: E402
from fastai.vision.all import (  # noqa: E402
    ImageDataLoaders,
    Normalize,
    Resize,
    accuracy,
    set_seed,
    vision_learner,
)
from lite0 import DEVIATION, MEAN, NAME, SIZE, fill  # noqa: E402


class WithoutLooking(Callback):
    """Leaves out the look at the judged part that ends each epoch."""

    def before_validate(self) -> None:
        raise CancelValidException


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--once", action="store_true")
    given = parser.parse_args()
    logging.disable()
    set_seed(given.seed)
    pictures = ImageDataLoaders.from_folder(
        given.folder,
        train=given.train,
        valid=given.test,
        item_tfms=Resize(SIZE),
        batch_tfms=Normalize.from_stats(MEAN, DEVIATION, cuda=False),
        bs=given.batch,
    )
    learner = vision_learner(pictures, NAME, pretrained=False, metrics=accuracy)
    fill(learner.model[0].model)
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(given.epochs, cbs=[WithoutLooking()] if given.once else [])
        judged = learner.validate()
    figures = {
        "accuracy": float(judged[1]),
        "trained_on": len(pictures.train_ds),
        "judged_on": len(pictures.valid_ds),
        "epochs": given.epochs,
        "fastai": version("fastai"),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
