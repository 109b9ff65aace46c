"""One of several processes that are to meet a fault: together_faults.py FAULT.

In the third step the second process has a loss that is NaN (`nan`), gets SIGTERM (`signal`), or
sleeps (`hang`), where processes wait for each other for two seconds only.
"""

import os
import signal
import sys
import time
from datetime import timedelta
from unittest.mock import patch

import numpy as np
import torch
from torch.nn import functional

import striate
from striate.data import open_source
from striate.errors import StriateError
from striate.flow import _train
from striate.training._distributed import Together

CALLS = 0


def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    global CALLS
    CALLS += 1
    value = functional.cross_entropy(logits, targets)
    if CALLS == 3 and os.environ["RANK"] == "1":
        match sys.argv[1]:
            case "nan":
                return value * float("nan")
            case "signal":
                signal.raise_signal(signal.SIGTERM)
            case "hang":
                time.sleep(20)
    return value


def main() -> int:
    source = open_source("digits")
    pictures = np.stack([source.pictures.read(position) for position in range(120)])
    settings = {
        "optimizer": {"name": "sgd", "learning_rate": 0.02},
        "training": {"samples": "none"},
    }
    patience = timedelta(seconds=2 if sys.argv[1] == "hang" else 60)
    with patch.object(_train, "join", lambda: Together(patience)):
        try:
            return striate.train(
                (pictures, source.targets[:120]),
                loss=loss, epochs=2, batch_size=16, threads=1, name="run", settings=settings,
            ).exit_code  # fmt: skip
        except StriateError as error:
            sys.stderr.write(f"{error}\n")
            return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
