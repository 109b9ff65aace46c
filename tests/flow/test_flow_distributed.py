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
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]

FAULTS = str(Path(__file__).parents[1] / "together_faults.py")


def newest(folder: Path) -> dict[str, Any]:
    state = Checkpoints(folder / "checkpoints", tell=print).newest()
    assert state is not None
    return dict(state.tree["position"])


def test_a_number_that_is_not_finite_in_one_process_slows_all_down(tmp_path: Path) -> None:
    assert [code for code, _ in run_together([FAULTS, "nan"], 2, tmp_path)] == [0, 0]
    rows = list(csv.DictReader((tmp_path / "runs/run/steps.csv").read_text().splitlines()))
    # 96 pictures: 6 steps an epoch. Back to step 0, and on at half the rate.
    assert [int(row["step"]) for row in rows] == list(range(12))
    assert all(float(row["learning_rate"]) < 0.011 for row in rows)


def test_a_signal_to_one_process_stops_all_after_the_same_step(tmp_path: Path) -> None:
    (first, error), (second, silence) = run_together([FAULTS, "signal"], 2, tmp_path)
    assert (first, second, silence) == (143, 143, "")
    assert error == (
        "Stopped before the first epoch was done. Go on with: torchrun … -m striate train "
        "--resume runs/run\n"
    )
    # Asked in the third step, agreed on before the fourth.
    assert newest(tmp_path / "runs/run")["step"] == 4


def test_a_process_that_does_not_answer_ends_the_run(tmp_path: Path) -> None:
    (first, error), (second, _) = run_together([FAULTS, "hang"], 2, tmp_path)
    assert first == 1
    assert second != 0
    assert error.startswith("Another process of this run has ended or doesn't answer (")
    assert error.endswith(
        "What was done before is saved. Go on with: torchrun … -m striate train --resume runs/run\n"
    )
    assert newest(tmp_path / "runs/run")["step"] == 2


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


def wait_for_save(kept: Path, process: "subprocess.Popen[str]") -> None:
    before = set(kept.glob("*.json")) if kept.exists() else set()
    deadline = time.monotonic() + 200
    while not (kept.exists() and set(kept.glob("*.json")) - before):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(run: Path) -> list[Any]:
    """Return what must not depend on what happened on the way."""
    files = ("model/weights.safetensors", "steps.csv", "layers.csv", "config.yaml")
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    return [(run / name).read_bytes() for name in files] + [metrics["parts"], metrics["best_epoch"]]


def test_a_killed_process_ends_the_run_which_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    run = Path("runs/run")
    words = ["digits", "--name", "run", "--epochs", "30", "--threads", "1"]
    words += ["--set", "augmentation.mixup=0.3", "--set", "network.dropout=0.3"]
    words += ["--set", "training.checkpoint_seconds=0"]
    process = subprocess.Popen(torchrun(*words), stderr=subprocess.PIPE, text=True)
    wait_for_save(run / "checkpoints", process)
    os.kill(worker(process.pid, 1), signal.SIGKILL)
    begun = time.monotonic()
    _, error = process.communicate(timeout=120)
    assert time.monotonic() - begun < 60
    assert process.returncode != 0
    own = error.partition("torch/distributed/elastic")[0]
    assert "Traceback" not in own
    assert newest(run)["step"] > 0

    alone = command_line.striate("train", "--resume", run)
    assert alone.code == 2
    assert "the number of processes was 2 and is 1" in alone.err

    process = subprocess.Popen(torchrun("--resume", str(run)), stderr=subprocess.PIPE, text=True)
    wait_for_save(run / "checkpoints", process)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "Go on with: torchrun … -m striate train --resume runs/run" in error

    for more in (["--resume", str(run)], ["--config", str(run / "config.yaml"), "--name", "again"]):
        done = subprocess.run(torchrun(*more), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert ended(run) == ended(Path("runs/again"))
