"""Several processes for tests, started as `torchrun` does: together_child.py SIZE PHASE...

Everything is imported once; then each phase forks SIZE processes, one after the other. Prints, as JSON,
exit code and stderr of every process of every phase. Phases work in the current folder.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import striate
from striate.data import open_source
from striate.flow import _fit, _train
from striate.training import _distributed, _loop
from striate.training._checkpoints import Pace
from striate.training._measure import measure

# 1,150 training and 287 validation pictures. Four batches an epoch: 383 pictures three times, one in
# the last: of two processes the second has 191 and none. Validation takes two batches.
SETTINGS: dict[str, Any] = {
    "training": {"samples": "none"},
    "loss": {"class_weights": "balanced"},
    "augmentation": {"rotation": 10},
    "optimizer": {"name": "sgd", "learning_rate": 0.05},
    "schedule": {"name": "constant"},
}

# 96 training pictures: six steps an epoch.
VARIED: dict[str, Any] = {
    "training": {"samples": "none"},
    "network": {"dropout": 0.3},
    "augmentation": {"mixup": 0.3, "rotation": 10, "noise": 0.05},
    "schedule": {"name": "plateau", "patience": 0, "factor": 0.5},
    "optimizer": {"name": "sgd", "momentum": 0.9, "learning_rate": 0.02},
}

Ended = list[tuple[int, str]]
"""Exit code and stderr of each process."""


def run_together(size: int, phases: list[str], folder: Path) -> list[Ended]:
    """Run these phases in a folder, in fresh processes."""
    words = [sys.executable, __file__, str(size), *phases]
    done = subprocess.run(
        words, cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return [[(code, error) for code, error in phase] for phase in json.loads(done.stdout)]


def record(out: Path) -> None:
    """Train for 20 steps; write steps' gradients, and whether validation equals one process's."""
    steps: list[np.ndarray] = []
    same: list[bool] = []
    gradients = _loop.gradients

    def watched(plan: Any, pictures: Any, targets: Any, parameters: Any, *more: Any) -> Any:
        told = gradients(plan, pictures, targets, parameters, *more)
        steps.append(np.concatenate([p.grad.numpy().reshape(-1) for p in parameters]))
        return told

    def twice(*words: Any) -> dict[str, float]:
        together, alone = measure(*words), measure(*words[:-1])
        same.append(together == alone)
        return together

    with ExitStack() as patches:
        patches.enter_context(patch.object(_loop, "gradients", watched))
        patches.enter_context(patch.object(_fit, "measure", twice))
        run = striate.train(
            "digits",
            network="cnn3",
            epochs=5,
            batch_size=383,
            threads=1,
            out=out,
            settings=SETTINGS,
        )
    if run.metrics:
        np.savez(out / "recorded.npz", steps=np.stack(steps), same=np.array(same))


class Faulty:
    """Cross-entropy; in the second process something happens at a call, counted from 1.

    With mixup a step has two calls.
    """

    def __init__(self, fault: str, call: int) -> None:
        self.fault, self.left = fault, call

    def __call__(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        self.left -= 1
        loss = functional.cross_entropy(logits, targets)
        if self.left == 0 and os.environ.get("RANK") == "1":
            match self.fault:
                case "nan":
                    return loss * float("nan")
                case "signal":
                    signal.raise_signal(signal.SIGTERM)
                case "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "hang":
                    time.sleep(30)
        return loss


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Return 120 digits."""
    source = open_source("digits")
    return np.stack([source.pictures.read(at) for at in range(120)]), source.targets[:120]


class Unused(nn.Module):
    """A network with a layer that it doesn't use."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.unused = nn.Linear(64, 10), nn.Linear(2, 2)

    def forward(self, pictures_BCHW: torch.Tensor) -> torch.Tensor:
        logits_BK: torch.Tensor = self.used(pictures_BCHW.flatten(1))
        return logits_BK


def phase(name: str) -> int:
    """Do a phase here: FAULT@CALL, resume, resume-FAULT@CALL, whole, record or unused."""
    if name == "record":
        record(Path.cwd())
        return 0
    if name == "unused":
        return striate.train(pictures(), network=Unused(), name="unused").exit_code
    fault, _, call = name.removeprefix("resume-").partition("@")
    begin: dict[str, Any] = {
        "epochs": 3, "batch_size": 16, "threads": 1, "settings": VARIED,
        "name": "whole" if name == "whole" else "run",
    }  # fmt: skip
    how = {"resume": "runs/run"} if name.startswith("resume") else begin
    patience = timedelta(seconds=10 if fault == "hang" else 100)
    with (
        patch.object(_train, "join", lambda: _distributed.Together(patience)),
        patch.object(Pace, "due", lambda _self, _now: True),
    ):
        return striate.train(pictures(), loss=Faulty(fault, int(call or 0)), **how).exit_code


def forked(name: str, rank: int, size: int, port: int) -> int:
    """Start a process for a phase; return its number."""
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        numbers = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size}
        own = {**numbers, "GROUP_RANK": 0, "MASTER_PORT": port, "MASTER_ADDR": "127.0.0.1"}
        os.environ.update({key: str(value) for key, value in own.items()})
        file = os.open(f"stderr-{rank}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 2)
        code = phase(name)
    except striate.StriateError as error:
        os.write(2, f"{error}\n".encode())
        code = error.exit_code
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Run the phases that the command line names."""
    # What training would import in every process.
    for module in (
        "torch.nn.parallel",
        "torch._dynamo",
        "striate.flow._finish",
        "striate.flow._follow",
    ):
        import_module(module)
    size, phases = int(sys.argv[1]), sys.argv[2:]
    told = []
    for name in phases:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        children = [forked(name, rank, size, port) for rank in range(size)]
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        told.append([(code, Path(f"stderr-{rank}").read_text()) for rank, code in enumerate(codes)])
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
