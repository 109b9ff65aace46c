"""Several processes for tests: starting them as `torchrun` does, and what they record."""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

import striate
from striate.flow import _fit
from striate.training import _loop
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


def environment(rank: int, size: int, port: int) -> dict[str, str]:
    """Return what `torchrun` sets for one of `size` processes on this machine."""
    numbers = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size}
    own = {**numbers, "GROUP_RANK": 0, "MASTER_PORT": port, "OMP_NUM_THREADS": 1}
    return {"MASTER_ADDR": "127.0.0.1", **{name: str(value) for name, value in own.items()}}


def run_together(words: list[str], size: int, folder: Path) -> list[tuple[int, str]]:
    """Run Python with these words in `size` processes; return their exit codes and stderr."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = [
        subprocess.Popen(
            [sys.executable, *words],
            env=os.environ | environment(rank, size, port),
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]
    done = []
    for one in started:
        try:
            error = one.communicate(timeout=300)[1]
        except subprocess.TimeoutExpired:
            one.kill()
            error = one.communicate()[1]
        done.append((one.returncode, error))
    return done


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


if __name__ == "__main__":
    record(Path(sys.argv[1]))
