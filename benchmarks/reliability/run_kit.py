"""Whole runs of `striate train` for the reliability benchmarks: data, processes, what came out."""

import csv
import functools
import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from run_changes import PLACE
from safetensors.numpy import load_file

from pictures import save, stripes
from run_states import state_of
from striate.errors import RunFolderError
from striate.training._checkpoints import Checkpoints

HERE = Path(__file__).parent
TASKS = ("classification", "regression", "multi-label")
LONGEST = 300.0
"""Seconds that a run may take, its worst case many times over."""

SETTINGS = (
    "training.patience=3", "training.samples=synthetic", "network.width=4", "network.dropout=0.3",
    "augmentation.rotation=10", "augmentation.noise=0.05", "schedule.name=plateau",
    "schedule.patience=0", "schedule.factor=0.5", "optimizer.name=sgd", "optimizer.momentum=0.9",
    "optimizer.learning_rate=0.02",
)  # fmt: skip
EPOCHS = 5
BATCH = 2
PICTURES = 100  # of these 80 are trained on: 40 steps an epoch


def write_data(folder: Path) -> dict[str, Path]:
    """Write a source for each task: 100 striped pictures of 16x16 in colour."""
    folder.mkdir(parents=True, exist_ok=True)
    classes = folder / "classes"
    pictures = folder / "pictures"
    rows: dict[str, list[tuple[str, Any]]] = {"regression": [], "multi-label": []}
    for number in range(PICTURES):
        kind = number % 3
        picture = stripes(kind, number)
        save(picture, classes / f"kind{kind}" / f"{number:03d}.png")
        save(picture, pictures / f"{number:03d}.png")
        rows["regression"].append((f"{number:03d}.png", round(float(picture.mean()) / 8, 3)))
        words = ["flat" if kind else "steep", *(["dark"] if picture.mean() < 128 else [])]
        rows["multi-label"].append((f"{number:03d}.png", ";".join(words)))
    for name, lines in rows.items():
        with (pictures / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("file", "target"), *lines])
    return {
        "classification": classes,
        "regression": pictures / "regression.csv",
        "multi-label": pictures / "multi-label.csv",
    }


def words_for(task: str, source: Path, *, epochs: int = EPOCHS, **sets: Any) -> list[str]:
    """Return what follows `striate train`; `sets` are settings, '__' for the dot."""
    mixing = () if task == "regression" else ("augmentation.mixup=0.3",)
    given = [f"{key.replace('__', '.')}={value}" for key, value in sets.items()]
    return [
        str(source), "--task", task, "--epochs", str(epochs), "--batch-size", str(BATCH),
        "--threads", "1", "--quiet",
        *(word for one in (*SETTINGS, *mixing, *given) for word in ("--set", one)),
    ]  # fmt: skip


@dataclass
class Process:
    """A run under way."""

    number: int
    begun: float
    wait: Any
    folder: Path
    run: Path | None = None  # of a run that tells no places: its first save tells one

    def __post_init__(self) -> None:
        """Remember what was saved before."""
        self._before = saved_step(self.run)[0] if self.run else 0

    def place(self) -> tuple[int, int, float]:
        """Return steps done, the epoch and when, as last told; (0, 0, begun) before the first."""
        places = self.places()
        return places[-1] if places else (0, 0, self.begun)

    def places(self) -> list[tuple[int, int, float]]:
        """Return all that this process has told."""
        if self.run:
            step, epoch = saved_step(self.run)
            return [(step, epoch, time.monotonic())] if step > self._before else []
        try:
            told = (self.folder / f"{self.number}.places").read_bytes()
        except FileNotFoundError:
            return []
        return list(PLACE.iter_unpack(told[: len(told) // PLACE.size * PLACE.size]))

    def said(self) -> str:
        """Return what it printed, both streams."""
        name = "cold.said" if self.run else f"{self.number}.said"
        return (self.folder / name).read_text(encoding="utf-8")

    def kill(self, number: int) -> bool:
        """Send a signal; return whether the process was there to get it."""
        try:
            os.kill(self.number, number)
        except ProcessLookupError:
            return False
        return True

    def wait_for_place(self) -> None:
        """Return when the first step is done, or the process has ended."""
        while not self.places() and self.alive():
            time.sleep(0.005)

    def alive(self) -> bool:
        """Return whether it still runs."""
        try:
            state = Path(f"/proc/{self.number}/stat").read_text(encoding="ascii")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return state.rpartition(")")[2].split()[0] != "Z"

    def end(self) -> int:
        """Wait and return the exit code, minus a signal's number."""
        return int(self.wait())

    def orphans(self) -> int:
        """Return how many processes of its group are left, itself ended."""
        try:
            os.killpg(self.number, 0)
        except ProcessLookupError:
            return 0
        return 1


class Server:
    """run_server.py in a process of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        places = [str(HERE), str(HERE.parents[1] / "src"), str(HERE.parents[1] / "tests")]
        self.environment = {
            **os.environ, "OPENBLAS_NUM_THREADS": "1", "GOMP_SPINCOUNT": "10000",
            "PYTHONPATH": os.pathsep.join(places), **environment,
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-B", str(HERE / "run_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=self.environment,
        )
        self._answer("ready")

    def _answer(self, key: str) -> int:
        assert self.process.stdout is not None
        return int(json.loads(self.process.stdout.readline())[key])

    def start(
        self, words: Sequence[str], *, cwd: Path, environment: dict[str, str] | None = None,
        **changes: Any,
    ) -> Process:  # fmt: skip
        """Start `striate train` with these words."""
        assert self.process.stdin is not None
        job = {
            "words": ["train", *words],
            "cwd": str(cwd),
            "environment": {"STRIATE_CACHE": str(self.folder / "cache"), **(environment or {})},
            "said": str(self.folder / "%d.said"),
            "changes": {"tell_place": str(self.folder / "%d.places"), **changes},
        }
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        number = self._answer("process")
        return Process(number, time.monotonic(), lambda: self._answer("code"), self.folder)

    def run(self, words: Sequence[str], *, cwd: Path, **changes: Any) -> Process:
        """Run to the end; it must end well."""
        process = self.start(words, cwd=cwd, **changes)
        code = process.end()
        assert code == 0, f"{code}: {words}\n{process.said()}"
        return process

    def close(self) -> None:
        """End the server."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class Cold:
    """Starts the command itself; as slow as it is, and as real."""

    server: Server
    count: int = field(default=0)

    def start(self, words: Sequence[str], *, cwd: Path, run: Path) -> Process:
        """Start `python -m striate train` with these words; nothing in it is changed."""
        folder = self.server.folder
        said = (folder / "cold.said").open("a", encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "striate", "train", *words],
            cwd=cwd,
            env={**self.server.environment, "STRIATE_CACHE": str(folder / "cache")},
            stdout=said,
            stderr=said,
        )
        said.close()
        return Process(process.pid, time.monotonic(), process.wait, folder, run)


def outcome(run: Path) -> str:
    """Return one hash over what must not depend on kills or places."""
    return hashlib.sha256(repr(sorted(state_of(run).items())).encode()).hexdigest()


def weights_hash(run: Path) -> str:
    """Return the SHA-256 of the final weights."""
    return str(state_of(run)["weights"])


def checkpoint_outcome(run: Path) -> str:
    """Return a hash over the newest checkpoint: weights, optimizer, best, place; not its seconds."""
    state = Checkpoints(run / "checkpoints", tell=sys.exit).newest()
    assert state is not None
    digest = hashlib.sha256()
    for name in sorted(state.tensors):
        digest.update(name.encode() + np.asarray(state.tensors[name]).tobytes())
    position = {key: value for key, value in state.tree["position"].items() if "seconds" not in key}
    digest.update(repr(sorted(position.items())).encode())
    return digest.hexdigest()


def saved_step(run: Path) -> tuple[int, int]:
    """Return steps and epoch of the newest whole checkpoint; (0, 1) where there is none.

    A damaged generation ends the benchmark.
    """
    for _ in range(20):
        try:
            state = Checkpoints(run / "checkpoints", tell=sys.exit).newest()
            break
        except RunFolderError:  # a save under way may remove what was listed
            time.sleep(0.01)
    else:
        raise RuntimeError(f"{run} holds no whole checkpoint")
    if state is None:
        return 0, 1
    return state.tree["position"]["step"], state.tree["position"]["epoch"]


def not_finite(run: Path) -> list[str]:
    """Return the files of a run that hold a number that isn't finite: tensors, tables, JSON."""
    found = []
    for path in sorted(run.rglob("*.safetensors")):
        tensors = load_file(path).values()
        if not all(np.isfinite(one).all() for one in tensors if one.dtype.kind == "f"):
            found.append(path.name)
    for path in sorted(run.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            cells = {cell for row in csv.reader(file) for cell in row}
        if any(cell in ("nan", "inf", "-inf") for cell in cells):
            found.append(path.name)
    documents = {path.name: json.loads(path.read_bytes()) for path in sorted(run.glob("*.json"))}
    return found + [
        name for name, one in documents.items() if not all(map(math.isfinite, _numbers(one)))
    ]


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, float):
        yield value


def copied(run: Path, to: Path) -> Path:
    """Copy a run folder in place of what is there."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(run, to)
    return to


@functools.cache
def commit() -> str:
    """Return the commit that is measured."""
    words = ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
