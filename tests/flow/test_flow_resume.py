"""A run that was killed goes on and ends as if it had not been: weights, tables, best epoch."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import striate
from run_states import state_of
from striate.data import open_source
from striate.errors import StoppedError
from striate.flow import Run
from striate.training import Silent, Step
from striate.training._checkpoints import Pace
from striate.training._device import step_seed
from striate.training._lock import RunLock

SETTINGS: dict[str, Any] = {
    "training": {"patience": 3, "samples": "synthetic", "precision": "float32"},
    "network": {"dropout": 0.3},
    "augmentation": {"mixup": 0.3, "rotation": 10, "noise": 0.05},
    "schedule": {"name": "plateau", "patience": 0, "factor": 0.5},
    "optimizer": {"name": "sgd", "momentum": 0.9, "learning_rate": 0.02},
}


class Crash(BaseException):
    """What a kill is to a test that must live on."""


class Killer(Silent):
    """Ends the run at a step of this process, counted from 1."""

    def __init__(self, at: int) -> None:
        self.left = at

    def step(self, step: Step) -> None:  # noqa: ARG002
        self.left -= 1
        if self.left == 0:
            raise Crash


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Return 120 digits, colours made up, so that kernels have several channels."""
    source = open_source("digits")
    grey = np.stack([source.pictures.read(position) for position in range(120)])
    return np.concatenate([grey, 255 - grey, grey // 2], axis=3), source.targets[:120] % 3


def begin(
    out: Path, listener: Silent | None = None, settings: Mapping[str, Any] = SETTINGS, **more: Any
) -> Run:
    return striate.train(
        pictures(),
        epochs=4,
        batch_size=16,
        threads=1,
        out=out,
        name="run",
        settings=settings,
        listener=listener,
        **more,
    )


def go_on(out: Path, listener: Silent | None = None, **more: Any) -> Run:
    return striate.train(pictures(), resume=out / "run", listener=listener, **more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the state of the run that nothing has stopped, which never saved."""
    out = tmp_path_factory.mktemp("whole")
    run = begin(out)
    assert not (run.folder / "checkpoints").exists()
    return state_of(run.folder)


@pytest.fixture
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "due", lambda _self, _now: True)


# An epoch has 6 steps: in the first; in one epoch again and again; around the end of epochs.
@pytest.mark.usefixtures("always_due")
@pytest.mark.parametrize("kills", [[1], [2, 1, 1, 1], [6, 1, 5, 1], [13, 7], [24]])
def test_kills_change_nothing(tmp_path: Path, whole: dict[str, Any], kills: list[int]) -> None:
    with pytest.raises(Crash):
        begin(tmp_path, Killer(kills[0]))
    for at in kills[1:]:
        with pytest.raises(Crash):
            go_on(tmp_path, Killer(at))
    assert state_of(go_on(tmp_path).folder) == whole


class Signaller(Killer):
    """Sends SIGTERM at a step: the run ends after it, in order."""

    def step(self, step: Step) -> None:  # noqa: ARG002
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("at", [6, 12, 24])
def test_a_stop_between_an_epochs_last_step_and_its_validation_changes_nothing(
    tmp_path: Path, whole: dict[str, Any], at: int
) -> None:
    with pytest.raises(StoppedError):
        begin(tmp_path, Signaller(at))
    assert len(rows(tmp_path / "run" / "history.csv")) == at // 6 - 1
    assert state_of(go_on(tmp_path).folder) == whole


def rows(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()[1:]


def with_training(**more: Any) -> dict[str, Any]:
    """Return the settings of these tests with a few more under `training`."""
    return {**SETTINGS, "training": {**SETTINGS["training"], **more}}


@pytest.fixture(scope="module")
def whole_in_bfloat16(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return state_of(begin(tmp_path_factory.mktemp("w"), settings=BFLOAT16).folder)


BFLOAT16 = with_training(precision="bfloat16")


@pytest.fixture(scope="module")
def whole_averaged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return state_of(begin(tmp_path_factory.mktemp("w"), settings=AVERAGED).folder)


AVERAGED = with_training(average=0.9)


@pytest.mark.usefixtures("always_due")
@pytest.mark.parametrize("kills", [[1], [2, 1, 1], [6, 1, 5, 1], [19]])
def test_kills_change_nothing_in_an_average(
    tmp_path: Path, whole: dict[str, Any], whole_averaged: dict[str, Any], kills: list[int]
) -> None:
    assert whole_averaged["weights"] != whole["weights"]
    assert whole_averaged["steps"][:400] == whole["steps"][:400]
    with pytest.raises(Crash):
        begin(tmp_path, Killer(kills[0]), AVERAGED)
    for at in kills[1:]:
        with pytest.raises(Crash):
            go_on(tmp_path, Killer(at))
    assert state_of(go_on(tmp_path).folder) == whole_averaged


@pytest.mark.usefixtures("always_due")
@pytest.mark.parametrize("kills", [[2, 1], [6, 8]])
def test_kills_change_nothing_in_bfloat16(
    tmp_path: Path, whole: dict[str, Any], whole_in_bfloat16: dict[str, Any], kills: list[int]
) -> None:
    assert whole_in_bfloat16["weights"] != whole["weights"]
    with pytest.raises(Crash):
        begin(tmp_path, Killer(kills[0]), BFLOAT16)
    for at in kills[1:]:
        with pytest.raises(Crash):
            go_on(tmp_path, Killer(at))
    assert state_of(go_on(tmp_path).folder) == whole_in_bfloat16


@pytest.mark.usefixtures("always_due")
def test_another_precision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Crash):
        begin(tmp_path, Killer(2), BFLOAT16)
    config = tmp_path / "run" / "config.yaml"
    written = config.read_text(encoding="utf-8")
    assert "precision: bfloat16\n" in written
    config.write_text(written.replace("bfloat16", "float32"), encoding="utf-8")
    with pytest.raises(striate.UsageError, match="precision was 'bfloat16' and is 'float32'"):
        go_on(tmp_path)


def test_a_run_killed_before_its_first_save_begins_again(
    tmp_path: Path, whole: dict[str, Any]
) -> None:
    with pytest.raises(Crash):
        begin(tmp_path, Killer(9))
    assert not (tmp_path / "run" / "checkpoints").exists()
    assert state_of(go_on(tmp_path).folder) == whole


@pytest.mark.usefixtures("always_due")
def test_a_damaged_checkpoint_is_told_and_the_one_before_used(
    tmp_path: Path, whole: dict[str, Any]
) -> None:
    with pytest.raises(Crash):
        begin(tmp_path, Killer(10))
    newest = max((tmp_path / "run" / "checkpoints").glob("*.safetensors"))
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(bytes(data))
    heard = Ear()
    run = go_on(tmp_path, heard)
    assert [sentence for sentence in heard.warnings if newest.name in sentence]
    assert state_of(run.folder) == whole


class Ear(Silent):
    """Remembers warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)


@pytest.mark.usefixtures("always_due")
def test_what_differs_is_named_and_refused(tmp_path: Path) -> None:
    with pytest.raises(Crash):
        begin(tmp_path, Killer(8))
    config = tmp_path / "run" / "config.yaml"
    before = config.read_text(encoding="utf-8")
    config.write_text(before.replace("threads: 1", "threads: 2"), encoding="utf-8")
    with pytest.raises(striate.UsageError) as caught:
        go_on(tmp_path)
    assert str(caught.value) == (
        f"--resume {tmp_path / 'run'}: the result would not be that of an uninterrupted run: "
        "training.threads was 1 and is 2. Restore what was, or go on all the same with "
        "--allow-inexact."
    )
    config.write_text(before, encoding="utf-8")
    arrays, targets = pictures()
    arrays[0, 0, 0, 0] ^= 1
    with pytest.raises(
        striate.UsageError, match="the pictures, their targets or their parts have changed"
    ):
        striate.train((arrays, targets), resume=tmp_path / "run")
    heard = Ear()
    run = striate.train(
        (arrays, targets), resume=tmp_path / "run", allow_inexact=True, listener=heard
    )
    assert run.stopped == "all epochs done" or "early" in run.stopped
    assert "Not an exact resume: the pictures, their targets or their parts have changed." in (
        heard.warnings
    )


@pytest.mark.usefixtures("always_due")
def test_a_run_killed_before_its_report_writes_it(
    tmp_path: Path, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_folder: Path) -> Path:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr("striate.flow._finish.write_report", crash)
        with pytest.raises(Crash):
            begin(tmp_path)
    assert (tmp_path / "run" / "metrics.json").exists()
    run = go_on(tmp_path)
    assert run.report.exists()
    assert state_of(run.folder) == whole


def test_what_can_not_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(striate.RunFolderError) as none:
        go_on(tmp_path)
    assert str(none.value) == (
        f"--resume {tmp_path / 'run'}: there is no config.yaml, so this is no run folder. Name the "
        "folder that an earlier `striate train` has made, such as runs/NAME."
    )
    begin(tmp_path)
    with pytest.raises(striate.RunFolderError) as done:
        go_on(tmp_path)
    assert str(done.value) == (
        f"--resume {tmp_path / 'run'}: the run is finished. Train anew with --config "
        f"{tmp_path / 'run' / 'config.yaml'}, and more epochs (--epochs) if there should be."
    )
    with pytest.raises(striate.UsageError) as more:
        go_on(tmp_path, epochs=7, name="other")
    assert str(more.value) == (
        "--resume goes on with the run's own settings, but training.epochs, --name were given too. "
        "Leave them out, or train anew."
    )


@pytest.mark.usefixtures("always_due")
def test_a_run_has_one_writer(tmp_path: Path) -> None:
    with pytest.raises(Crash):
        begin(tmp_path, Killer(3))
    with RunLock(tmp_path / "run"), pytest.raises(striate.RunFolderError, match=f"{os.getpid()}"):
        go_on(tmp_path)


# ---------------------------------------------------------------- numbers that aren't finite


def failing(times: int, first: int) -> Callable[..., torch.Tensor]:
    """Return cross-entropy that is NaN so many times, from its call number `first` on."""
    calls = 0

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        value = torch.nn.functional.cross_entropy(logits, targets)
        return value * float("nan") if first <= calls < first + times else value

    return loss


def test_a_run_goes_back_from_what_is_not_finite_at_half_the_rate(tmp_path: Path) -> None:
    heard = Ear()
    settings = {**SETTINGS, "augmentation": {}}
    run = striate.train(
        pictures(), epochs=1, batch_size=16, out=tmp_path, settings=settings,
        loss=failing(2, 3), listener=heard,
    )  # fmt: skip
    told = [one for one in heard.warnings if "The loss is nan at step 2" in one]
    assert [one.partition("The run goes")[2] for one in told] == [
        " back to step 0, and on at 0.5 times the rate.",
    ]
    assert heard.warnings[-1].startswith("The loss is nan at step 0")
    with (run.folder / "steps.csv").open(encoding="utf-8") as file:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(file)]
    assert rates == pytest.approx([0.005] * 6)


def test_going_back_brings_the_average_back_too(tmp_path: Path) -> None:
    settings = {**with_training(average=0.9), "augmentation": {}}
    weights = []
    for name, rate, times in (("back", 0.02, 1), ("straight", 0.01, 0)):
        run = striate.train(
            pictures(), epochs=1, batch_size=16, out=tmp_path, name=name, learning_rate=rate,
            settings=without_rate(settings), loss=failing(times, 3), threads=1,
        )  # fmt: skip
        weights.append(state_of(run.folder)["weights"])
    assert weights[0] == weights[1]


def without_rate(settings: Mapping[str, Any]) -> dict[str, Any]:
    optimizer = {k: v for k, v in settings["optimizer"].items() if k != "learning_rate"}
    return {**settings, "optimizer": optimizer}


@pytest.mark.usefixtures("always_due")
def test_a_resumed_run_goes_back_to_the_step_that_a_whole_one_does(tmp_path: Path) -> None:
    """Steps 6 to 11 are the second epoch; step 9 fails once, in the resumed run's second step."""
    failed = False

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        nonlocal failed
        value = torch.nn.functional.cross_entropy(logits, targets)
        if torch.is_grad_enabled() and torch.initial_seed() == step_seed(0, 9) and not failed:
            failed = True
            return value * float("nan")
        return value

    settings = {**SETTINGS, "augmentation": {"noise": 0.05}}
    options: dict[str, Any] = {
        "epochs": 3, "batch_size": 16, "threads": 1, "settings": settings, "loss": loss,
    }  # fmt: skip
    heard = Ear()
    whole = striate.train(pictures(), out=tmp_path, name="whole", listener=heard, **options)
    failed = False
    with pytest.raises(Crash):
        striate.train(pictures(), out=tmp_path, name="run", listener=Killer(8), **options)
    again = Ear()
    run = striate.train(pictures(), resume=tmp_path / "run", loss=loss, listener=again)
    for ear in (heard, again):
        assert any("at step 9" in one and "goes back to step 6" in one for one in ear.warnings)
    assert state_of(run.folder) == state_of(whole.folder)


def test_the_third_time_ends_the_run_and_names_the_pictures(tmp_path: Path) -> None:
    with pytest.raises(striate.NotFiniteError) as caught:
        striate.train(
            pictures(), epochs=1, batch_size=16, out=tmp_path,
            settings={**SETTINGS, "augmentation": {}}, loss=failing(9, 3),
        )  # fmt: skip
    assert str(caught.value).startswith("The loss is nan at step 0, learning rate 0.005;")
    assert re.search(r"The step's pictures: (row \d+, ){15}row \d+\.$", str(caught.value))
    assert caught.value.exit_code == 6


# ---------------------------------------------------------------- signals and kills of processes


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "striate", "train", *words, "--quiet"]


def wait_for(path: Path, process: "subprocess.Popen[str]", number: int = 1) -> None:
    deadline = time.monotonic() + 120
    while not path.exists() or len(list(path.iterdir())) < number:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.02)


LONG_STEP = """
import os, sys, time
import torch
from torch import nn
import striate
from striate.data import open_source
import numpy as np

class Slow(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(1, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.LazyLinear(10)
        )
        self.layers(torch.zeros(2, 1, 8, 8))
        self.calls = 0

    def forward(self, pictures):
        logits = self.layers(pictures)
        self.calls += self.training
        if self.training and self.calls == 4 and "slow" in sys.argv:
            print("in the step", flush=True)
            time.sleep(60)
        return logits

source = open_source("digits")
grey = np.stack([source.pictures.read(position) for position in range(80)])
resume = {"resume": "runs/run"} if "resume" in sys.argv else {
    "epochs": 2, "batch_size": 16, "threads": 1, "name": sys.argv[1],
    "settings": {"training": {"samples": "none", "average": 0.9}},
}
striate.train((grey, source.targets[:80]), network=Slow(), **resume)
"""


@pytest.mark.slow
def test_a_signal_in_a_long_step_saves_the_step_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [sys.executable, "-c", LONG_STEP]
    process = subprocess.Popen(
        [*words, "run", "slow"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "in the step\n"
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=60)
    assert time.monotonic() - begun < 20  # 3 seconds, the save, and a busy machine
    assert process.returncode == 143
    assert error == (
        "striate: Stopped in the middle of a step; what was done before it is saved. Go on with: "
        "striate train --resume runs/run\n"
    )
    subprocess.run([*words, "run", "resume"], check=True)
    subprocess.run([*words, "whole"], check=True)
    assert state_of(Path("runs/run")) == state_of(Path("runs/whole"))


DIGITS = (
    "digits", "--name", "run", "--epochs", "8", "--threads", "1",
    "--set", "augmentation.mixup=0.3", "--set", "training.checkpoint_seconds=0",
)  # fmt: skip


@pytest.mark.slow
def test_processes_that_are_killed_or_ended_leave_a_run_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = Path("runs/run/checkpoints")
    for words, number in ((DIGITS, signal.SIGKILL), (("--resume", "runs/run"), signal.SIGTERM)):
        process = subprocess.Popen(command(*words), stderr=subprocess.PIPE, text=True)
        names = set(kept.iterdir()) if kept.exists() else set()
        wait_for(kept, process)
        deadline = time.monotonic() + 120
        while set(kept.iterdir()) <= names and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        _, error = process.communicate(timeout=60)
        if number == signal.SIGTERM:
            assert process.returncode == 143, error
            assert error.endswith("Go on with: striate train --resume runs/run\n")
            assert "Traceback" not in error
        else:
            assert process.returncode == -9
    done = subprocess.run(
        command("--resume", "runs/run"), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    subprocess.run(command("--config", "runs/run/config.yaml", "--name", "again"), check=True)
    assert state_of(Path("runs/run")) == state_of(Path("runs/again"))
