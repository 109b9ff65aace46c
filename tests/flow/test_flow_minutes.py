"""Runs of some minutes: what was decided repeats them, and no clock that a test can't turn counts."""

import csv
import hashlib
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.numpy import load_file

import striate
from pictures import stripes
from striate.data import open_source, split, store
from striate.errors import UsageError
from striate.flow import Run, _train_steps
from striate.flow._fit import make_ready
from striate.flow._minutes import Pace, find_pace
from striate.flow._prepare import Prepared, audit_source, choose_settings, shape_of
from striate.training import Silent, Step, make_settings
from striate.training._checkpoints import Pace as Saving
from striate.training._plan import Plan

SETTINGS: dict[str, Any] = {
    "training": {"samples": "synthetic"},
    "network": {"dropout": 0.3},
    "augmentation": {"mixup": 0.3, "rotation": 10},
}


class Crash(BaseException):
    """What a kill is to a test that must live on."""


class Ear(Silent):
    """Remembers lines and warnings, and ends the run at a step of this process, counted from 1."""

    def __init__(self, at: int = 0) -> None:
        self.left = at
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.steps: list[Step] = []

    def say(self, sentence: str) -> None:
        self.lines.append(sentence)

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)

    def step(self, step: Step) -> None:
        self.steps.append(step)
        self.left -= 1
        if self.left == 0:
            raise Crash


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let runs find a clock that goes on by so many seconds whenever it is looked at."""

    def turn(tick: float, ends: float = 33.0) -> None:
        now = 0.0

        def clock() -> float:
            nonlocal now
            now += tick
            return now

        pace = Pace(ends=ends, step=1.0, validation=1.0, clock=clock)
        monkeypatch.setattr(_train_steps, "find_pace", lambda *_args, **_more: pace)

    return turn


def pictures() -> tuple[np.ndarray, np.ndarray]:
    source = open_source("digits")
    some = np.stack([source.pictures.read(position) for position in range(120)])
    return some, source.targets[:120] % 3


def begin(out: Path, listener: Silent | None = None, **more: Any) -> Run:
    given = {"minutes": 0.5, "batch_size": 16, "threads": 1, "settings": SETTINGS} | more
    return striate.train(pictures(), out=out, listener=listener, **given)


def state_of(folder: Path) -> dict[str, Any]:
    """Return everything that must not depend on clocks and kills."""
    weights = load_file(folder / "model" / "weights.safetensors")
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode() + weights[name].tobytes())
    metrics = yaml.safe_load((folder / "metrics.json").read_text(encoding="utf-8"))
    return {
        "weights": digest.hexdigest(),
        "steps": (folder / "steps.csv").read_bytes(),
        "layers": (folder / "layers.csv").read_bytes(),
        "decided": config_of(folder)["steps"],
        "parts": metrics["parts"],
        "best": (metrics["best_epoch"], metrics["stopped"]),
    }


def config_of(folder: Path) -> dict[str, Any]:
    tree = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    return dict(tree["training"])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_config_of_a_run_repeats_it(tmp_path: Path, turned: Any) -> None:
    turned(1.0)
    heard = Ear()
    run = begin(tmp_path, heard, name="first")
    state = state_of(run.folder)
    assert run.stopped == "all steps done"
    assert config_of(run.folder)["minutes"] == 0.5
    # 6 steps and a validation make 7 s, four times; 1 s was spent on looking at the clock, and in 4 s
    # there are three steps and a validation.
    assert state["decided"][0] == [0, 27]
    assert len(state["decided"]) > 2
    total = state["decided"][-1][1]
    steps = rows(run.folder / "steps.csv")
    assert len(steps) == total
    assert heard.lines[0] == "27 steps (about 4.5 epochs) fit into 0.5 minutes; at 1 steps/s"
    done, fits = state["decided"][1]
    assert heard.lines[1] == (
        f"after {done} steps: {fits} steps (about {fits / 6:.3g} epochs) fit; at 1 steps/s"
    )
    assert heard.steps[-1].seconds_left == 0
    assert heard.steps[-1].epochs == -(-total // 6) == len(rows(run.folder / "history.csv"))
    # One cycle ends where it should: the largest rate of 0.01, by 25, by 10,000.
    assert float(steps[-1]["learning_rate"]) == pytest.approx(0.01 / 25 / 1e4, rel=1e-4)

    turned(100.0)  # whatever the clock says now
    config = run.folder / "config.yaml"
    again = striate.train(pictures(), config=config, out=tmp_path, name="again")
    assert state_of(again.folder) == state
    assert config_of(again.folder)["minutes"] is None
    longer = striate.train(pictures(), config=config, out=tmp_path, name="other", epochs=1)
    assert config_of(longer.folder)["steps"] == []


# Decisions are due after 2 and 3 steps, and later ones: before, at and after kills and saves.
@pytest.mark.parametrize(("kills", "saved"), [((1, 4, 9), range(99)), ((9,), (1,)), ((12,), (7,))])
def test_a_killed_run_goes_on_by_what_was_decided(
    tmp_path: Path,
    turned: Any,
    monkeypatch: pytest.MonkeyPatch,
    kills: tuple[int, ...],
    saved: tuple[int, ...],
) -> None:
    asked = 0

    def due(_self: Saving, _now: float) -> bool:
        nonlocal asked
        asked += 1
        return asked in saved

    monkeypatch.setattr(Saving, "due", due)
    turned(1.0)
    with pytest.raises(Crash):
        begin(tmp_path, Ear(kills[0]), name="run")
    for speed, at in zip((0.7, 1.3), kills[1:], strict=False):
        turned(speed)
        with pytest.raises(Crash):
            striate.train(pictures(), resume=tmp_path / "run", listener=Ear(at))
    known = config_of(tmp_path / "run")["steps"]
    turned(0.8)
    run = striate.train(pictures(), resume=tmp_path / "run")
    state = state_of(run.folder)
    assert state["decided"][: len(known)] == known
    assert len(state["decided"]) > len(known)
    monkeypatch.undo()
    again = striate.train(pictures(), config=run.folder / "config.yaml", out=tmp_path, name="again")
    assert state_of(again.folder) == state


def test_decisions_that_were_changed_are_refused(
    tmp_path: Path, turned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Saving, "due", lambda _self, _now: True)
    turned(1.0)
    with pytest.raises(Crash):
        begin(tmp_path, Ear(2), name="run")
    config = tmp_path / "run" / "config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("- 27\n", "- 26\n"), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        striate.train(pictures(), resume=tmp_path / "run")
    assert str(caught.value) == (
        f"--resume {tmp_path / 'run'}: the result would not be that of an uninterrupted run: "
        "training.steps began with [[0, 27]] and is [[0, 26]]. Restore what was, or go on all the "
        "same with --allow-inexact."
    )


def test_a_run_of_some_minutes_may_stop_early(tmp_path: Path, turned: Any) -> None:
    turned(1.0, ends=200.0)
    settings = {**SETTINGS, "training": {"patience": 1}, "schedule": {"name": "plateau"}}
    run = begin(tmp_path, settings={**settings, "optimizer": {"learning_rate": 1e-9}})
    assert run.stopped == "no better epoch in 1 (early stopping)"


def test_part_of_an_epoch_is_trained_where_no_more_fits(tmp_path: Path, turned: Any) -> None:
    turned(1.0, ends=5.0)
    run = begin(tmp_path)
    history = rows(run.folder / "history.csv")
    assert [int(row["step"]) for row in history] == [config_of(run.folder)["steps"][-1][1]]
    assert int(history[0]["step"]) < 6
    accuracy = run.metrics["validation"]["accuracy"]
    assert float(history[0]["validation_accuracy"]) == pytest.approx(accuracy, abs=1e-6)


# ---------------------------------------------------------------- what is found out before


def ready(minutes: float) -> tuple[Prepared, Plan]:
    images = np.stack([stripes(n % 2 * 2, n, channels=1) for n in range(40)])
    source = open_source((images, np.arange(40) % 2))
    wanted = make_settings({"training": {"minutes": minutes, "batch_size": 8, "threads": 1}})
    settings, choices = choose_settings(
        source, audit_source(source, wanted, Silent()), wanted, "cpu"
    )
    shape = shape_of(settings)
    prepared = Prepared(
        source=source,
        sizes="",
        settings=settings,
        choices=choices,
        shape=shape,
        store=store(source, shape),
        split=split(source, validation=0.2, seed=0),
        unreadable=(),
        device="cpu",
    )
    return prepared, make_ready(prepared, module=None, loss=None)


def test_timing_leaves_everything_as_it_was() -> None:
    prepared, plan = ready(1.0)

    def now() -> list[torch.Tensor]:
        moments = plan.optimizer.state()
        tensors = [
            *plan.network.state_dict().values(),
            *(moments[name] for name in sorted(moments)),
        ]
        return [tensor.clone() for tensor in tensors]

    before, begun = now(), perf_counter()
    pace = find_pace(prepared, plan, begun=begun)
    assert all(torch.equal(*pair) for pair in zip(before, now(), strict=True))
    assert 0 < pace.step < 60
    assert 0 < pace.validation < 60
    # What comes after training has to fit too.
    assert pace.ends < begun + 60 - 1
    assert prepared.settings.training.steps == []
    assert prepared.settings.training.epochs is None


def test_too_little_time_is_refused_and_what_would_do_is_said() -> None:
    prepared, plan = ready(0.001)
    with pytest.raises(UsageError) as caught:
        find_pace(prepared, plan, begun=perf_counter() - 30)
    letter = str(caught.value)
    assert letter.startswith("--minutes 0.001 (training.minutes): 3")
    assert " s went by before the first step, and what comes after the last takes about " in letter
    assert letter.endswith(" or more: that is time for 10 steps.")
    least = float(letter.partition("Give ")[2].partition(" or more")[0])
    assert 0.5 < least < 5


def test_a_run_that_is_resumed_is_not_refused() -> None:
    prepared, plan = ready(0.001)
    prepared.settings.training.steps = [(0, 40)]
    assert find_pace(prepared, plan, begun=perf_counter()).step > 0
