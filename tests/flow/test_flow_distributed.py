"""Several processes that meet a fault: they end together, and the run goes on."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import command_line
from striate.training._checkpoints import Checkpoints
from together_child import run_together

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="forks, and looks into /proc"),
]

AGAIN = "Go on with: torchrun … -m striate train --resume runs/run\n"


def newest(folder: Path) -> dict[str, Any]:
    state = Checkpoints(folder / "checkpoints", tell=print).newest()
    assert state is not None
    return dict(state.tree["position"])


def ended(run: Path) -> list[Any]:
    """Return what must not depend on what happened on the way."""
    files = ("model/weights.safetensors", "steps.csv", "layers.csv", "config.yaml")
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    return [(run / name).read_bytes() for name in files] + [metrics["parts"], metrics["best_epoch"]]


def test_a_number_that_is_not_finite_in_one_process_slows_all_down(tmp_path: Path) -> None:
    assert run_together(2, ["nan@3"], tmp_path) == [[(0, ""), (0, "")]]
    rows = list(csv.DictReader((tmp_path / "runs/run/steps.csv").read_text().splitlines()))
    # Back to step 0, and on at half the rate.
    assert [int(row["step"]) for row in rows] == list(range(18))
    assert all(float(row["learning_rate"]) < 0.011 for row in rows)


def test_a_process_that_does_not_answer_ends_the_run(tmp_path: Path) -> None:
    ((first, error), (second, _)) = run_together(2, ["hang@3"], tmp_path)[0]
    assert first == 8
    assert second != 0
    assert error.startswith("Another process of this run has ended or doesn't answer (")
    assert error.endswith(f"What was done before is saved. {AGAIN}")
    assert newest(tmp_path / "runs/run")["step"] == 1


@pytest.mark.parametrize("size", [2, 3])
def test_after_a_kill_and_a_signal_the_run_ends_as_if_there_had_been_none(
    tmp_path: Path, size: int
) -> None:
    """The kill is in the eighth step of 18, the signal in the first one after the resume."""
    phases = ["kill@15", "resume-signal@2", "resume", "whole"]
    killed, stopped, resumed, whole = run_together(size, phases, tmp_path)
    assert [code for code, _ in killed] == [8, -signal.SIGKILL] + [8] * (size - 2)
    assert killed[0][1].startswith("Another process of this run has ended or doesn't answer (")
    assert killed[0][1].endswith(f"What was done before is saved. {AGAIN}")
    assert stopped == [(143, f"Stopped; what is done is saved. {AGAIN}")] + [(143, "")] * (size - 1)
    assert resumed == whole == [(0, "")] * size
    assert ended(tmp_path / "runs/run") == ended(tmp_path / "runs/whole")


def test_a_parameter_without_a_gradient_is_named(tmp_path: Path) -> None:
    sentence = (
        "The network's parameter 'unused.weight' takes no part in its output, but several processes "
        "wait for every gradient. Remove it, or set its requires_grad to False.\n"
    )
    assert run_together(2, ["unused"], tmp_path) == [[(2, sentence)] * 2]


def torchrun(*words: str) -> list[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    return [*launcher, "-m", "striate", "train", *words, "--quiet"]


def worker(launcher: int, rank: int) -> int:
    """Return the number of the launcher's process of that rank."""
    children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
    for child in children:
        if f"\0RANK={rank}\0" in Path(f"/proc/{child}/environ").read_text():
            return int(child)
    raise AssertionError(f"no process of rank {rank} among {children}")


def test_torchrun_ends_a_run_that_lost_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    words = ["digits", "--name", "run", "--epochs", "200", "--threads", "1"]
    words += ["--set", "training.checkpoint_seconds=0"]
    process = subprocess.Popen(torchrun(*words), stderr=subprocess.PIPE, text=True)
    kept = Path("runs/run/checkpoints")
    deadline = time.monotonic() + 300
    while not list(kept.glob("*.json")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(worker(process.pid, 1), signal.SIGKILL)
    begun = time.monotonic()
    _, error = process.communicate(timeout=120)
    assert time.monotonic() - begun < 60
    assert process.returncode != 0
    assert "Traceback" not in error.partition("torch/distributed/elastic")[0]
    assert newest(Path("runs/run"))["step"] > 0
    alone = command_line.striate("train", "--resume", "runs/run")
    assert alone.code == 2
    assert "the number of processes was 2 and is 1" in alone.err
