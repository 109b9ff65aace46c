"""Whether the whole network is trained from a fitted head on, and which of the two is shipped."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import striate
from pictures import stripes
from run_states import state_of
from striate.answer import Answer, Classification, MultiLabel, Regression
from striate.errors import RunFolderError
from striate.flow import Run
from striate.flow import _fine_tune as module
from striate.flow._facts import Told
from striate.flow._fine_tune import Decision, better_of, decide
from striate.training import Silent, Step, read_config
from weights_package import SIDE, Lite

AB = Classification(("a", "b"))


def prepared(answer: Answer = AB, count: int = 100, fine_tune: str = "auto") -> Any:
    """Return as much of what is prepared as a decision looks at."""
    return SimpleNamespace(
        settings=SimpleNamespace(network=SimpleNamespace(fine_tune=fine_tune, views=1)),
        source=SimpleNamespace(answer=answer, targets=np.arange(count) % 2),
        split=SimpleNamespace(validation=np.arange(count)),
    )


def decided(
    monkeypatch: pytest.MonkeyPatch, some: Any, figures: dict[str, float], seconds: float = 200
) -> Decision:
    monkeypatch.setattr(module, "_seconds", lambda *_: seconds)
    return decide(some, SimpleNamespace(validation=figures))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fine_tune", "expected"),
    [("always", Decision(True, "asked for")), ("never", Decision(False, "not asked for"))],
)
def test_what_is_asked_for_is_done(
    monkeypatch: pytest.MonkeyPatch, fine_tune: str, expected: Decision
) -> None:
    assert decided(monkeypatch, prepared(fine_tune=fine_tune), {}) == expected


@pytest.mark.parametrize(
    ("answer", "count", "figures", "expected"),
    [
        (AB, 100, {}, Decision(False, "without a validation part nothing tells whether it helps")),
        (AB, 100, {"accuracy": 0.96}, Decision(False, "the head is wrong on 4 of 100 validation "
         "pictures: too little is left to gain", by_validation=True)),
        (AB, 40, {"accuracy": 0.8}, Decision(False, "the head is wrong on 8 of 40 validation pictures: "
         "too little is left to gain", by_validation=True)),
        (AB, 2_000, {"accuracy": 0.9}, Decision(True, "the head is wrong on 200 of 2,000 validation "
         "pictures; it takes about 3 min", by_validation=True)),
        (Regression(("x",)), 100, {"rmse": 3.0, "r2": 0.5}, Decision(True, "R² on the validation part "
         "is 0.500; it takes about 3 min", by_validation=True)),
        (Regression(("x",)), 100, {"rmse": 3.0, "r2": 0.98}, Decision(False, "R² on the validation "
         "part is 0.980: too little is left to gain", by_validation=True)),
        (MultiLabel(("a",)), 100, {"f1": 0.5}, Decision(True, "f1 on the validation part is 0.500; it "
         "takes about 3 min", by_validation=True)),
    ],
)  # fmt: skip
def test_validation_decides_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    count: int,
    figures: dict[str, float],
    expected: Decision,
) -> None:
    assert decided(monkeypatch, prepared(answer, count), figures) == expected


def test_nobody_waits_long_who_has_not_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert decided(monkeypatch, prepared(), {"accuracy": 0.5}, seconds=601) == Decision(
        False,
        "the head is wrong on 50 of 100 validation pictures, but it would take about 10 min; "
        "--fine-tune always does it",
    )


@dataclass(frozen=True, kw_only=True)
class Shippable:
    """As much of what ended as the choice between two looks at."""

    best_epoch: int = 3
    stopped: str = "all epochs done"
    head: Any = None
    product: Any = None


@pytest.mark.parametrize(
    ("answer", "before", "after", "better"),
    [
        (AB, {"accuracy": 0.9}, {"accuracy": 0.95}, True),
        (AB, {"accuracy": 0.9}, {"accuracy": 0.9}, False),
        (AB, {"accuracy": 0.9}, {"accuracy": 0.8}, False),
        (AB, {"accuracy": 0.9}, {"accuracy": float("nan")}, False),
        (Regression(("x",)), {"rmse": 2.0, "mae": 2.0}, {"rmse": 1.0, "mae": 1.0}, True),
        (Regression(("x",)), {"rmse": 2.0, "mae": 2.0}, {"rmse": 3.0, "mae": 3.0}, False),
        (AB, {}, {"accuracy": 0.1}, True),
        (AB, {"accuracy": 0.9}, {}, True),
    ],
)
def test_the_better_of_both_is_shipped(
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    before: dict[str, float],
    after: dict[str, float],
    better: bool,
) -> None:
    monkeypatch.setattr(module, "ended_frozen", lambda *_, **named: ("the head", named))
    monkeypatch.setattr(module, "head_of", lambda *_, **named: named)
    told = Told(Silent())
    trained: Any = SimpleNamespace(fitted=SimpleNamespace(best=after))
    frozen: Any = SimpleNamespace(validation=before)
    ended: Any = Shippable()
    start = (frozen, Decision(True, ""))
    found: Any = better_of(prepared(answer), ended, trained, start, told)
    if better:
        assert found == replace(ended, head={"by_validation": bool(before and after)})
        assert told.warnings == []
        return
    assert found == ("the head", {"by_validation": True})
    name = answer.selection[0]
    assert told.warnings == [
        f"Training the whole network didn't help: {name} on the validation part was "
        f"{before[name]:.4g} with the frozen backbone and {after[name]:.4g} after epoch 3. The frozen "
        "one is shipped."
    ]


@pytest.mark.parametrize(("right", "better"), [(95, True), (85, False)])
def test_with_several_views_both_are_judged_by_as_many(
    monkeypatch: pytest.MonkeyPatch, right: int, better: bool
) -> None:
    monkeypatch.setattr(module, "ended_frozen", lambda *_, **__: "the head")
    monkeypatch.setattr(module, "head_of", lambda *_, **named: named)
    some = prepared()
    some.settings.network.views = 2

    def answers(positions: Any) -> Any:
        """Seen twice; seen once, the epoch was right on 90, as the head is on 90 seen twice."""
        said = np.where(positions < right, positions % 2, 1 - positions % 2)
        return np.eye(2, dtype=np.float32)[said] * 0.8 + 0.1

    ended: Any = Shippable(product=SimpleNamespace(answers=answers))
    trained: Any = SimpleNamespace(fitted=SimpleNamespace(best={"accuracy": 0.9}))
    start: Any = (SimpleNamespace(validation={"accuracy": 0.9}), Decision(True, ""))
    found = better_of(some, ended, trained, start, Told(Silent()))
    assert (found != "the head") is better


def test_without_a_head_before_it_what_was_trained_is_shipped() -> None:
    ended: Any = Shippable()
    trained: Any = SimpleNamespace(fitted=SimpleNamespace(best={"accuracy": 0.1}))
    assert better_of(prepared(), ended, trained, None, Told(Silent())) is ended


class Crash(BaseException):
    """What a kill is to a test that must live on."""


class Ear(Silent):
    """Remembers, and ends the run at a step of this process, counted from 1."""

    def __init__(self, kill: int = 0) -> None:
        self.left = kill
        self.warnings: list[str] = []
        self.facts: dict[str, tuple[str, str]] = {}

    def step(self, step: Step) -> None:  # noqa: ARG002
        self.left -= 1
        if self.left == 0:
            raise Crash

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)

    def found(self, facts: Any) -> None:
        self.facts |= {name: (value, reason) for name, value, reason in facts}


def tune(source: Path, out: Path, ear: Silent | None = None, **settings: Any) -> Run:
    return striate.train(
        source,
        image_size=SIDE,
        epochs=2,
        threads=1,
        out=out,
        name="run",
        listener=ear,
        settings={"network": {"fine_tune": "always"}} | settings,
    )


def weights_of(folder: Path) -> dict[str, Any]:
    return load_file(folder / "model" / "weights.safetensors")


@pytest.mark.slow
def test_where_the_whole_network_is_no_better_the_head_alone_is_shipped(
    package: Lite, tmp_path: Path
) -> None:
    ear = Ear()
    run = tune(package.pictures, tmp_path, ear)
    # The head alone is right everywhere already.
    (sentence,) = [one for one in ear.warnings if one.startswith("Training the whole network")]
    assert sentence.startswith(
        "Training the whole network didn't help: accuracy on the validation part was 1 with the "
        "frozen backbone and "
    )
    assert ear.facts["fine-tuning"] == (
        "from the fitted head on, accuracy 1 on the validation part",
        "asked for",
    )
    shipped, frozen = weights_of(run.folder), weights_of(package.run.folder)
    assert shipped.keys() == frozen.keys()
    assert all(np.array_equal(shipped[name], frozen[name]) for name in frozen)
    assert len((run.folder / "history.csv").read_text().splitlines()) == 3
    assert run.best_epoch == 0
    assert run.stopped == "all epochs done"


@pytest.mark.slow
@pytest.mark.parametrize("batch_norm", ["kept", "trained"])
def test_without_a_validation_part_the_whole_network_is_shipped(
    package: Lite, tmp_path: Path, batch_norm: str
) -> None:
    network = {"fine_tune": "always", "batch_norm": batch_norm}
    run = tune(package.pictures, tmp_path, network=network, data={"validation": 0})
    shipped, frozen = weights_of(run.folder), weights_of(package.run.folder)
    assert shipped.keys() == frozen.keys()
    for name in ("backbone.conv_stem.weight", "backbone.bn2.weight", "head.output.weight"):
        assert not np.array_equal(shipped[name], frozen[name]), name
    statistics = [name for name in frozen if name.endswith(("running_mean", "running_var"))]
    assert len(statistics) == 98
    same = [np.array_equal(shipped[name], frozen[name]) for name in statistics]
    assert all(same) if batch_norm == "kept" else not any(same)
    assert run.best_epoch == 2
    config = read_config(run.folder / "config.yaml")["network"]
    assert (config["fine_tune"], config["batch_norm"]) == ("always", batch_norm)


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been(package: Lite, tmp_path: Path) -> None:
    without = {"data": {"validation": 0}, "training": {"checkpoint_seconds": 0, "batch_size": 8}}
    whole = tune(package.pictures, tmp_path / "whole", **without)
    with pytest.raises(Crash):
        tune(package.pictures, tmp_path / "killed", Ear(kill=4), **without)
    ear = Ear()
    resumed = striate.train(resume=tmp_path / "killed" / "run", listener=ear)
    assert state_of(resumed.folder) == state_of(whole.folder)
    assert ear.facts["fine-tuning"][1] == "asked for"


@pytest.mark.slow
def test_no_freeze_trains_the_whole_network_from_the_start(package: Lite, tmp_path: Path) -> None:
    pictures = np.stack([stripes(at % 2, at, size=40) for at in range(16)])
    settings = {"network": {"weights": "package", "freeze": False}, "data": {"validation": 0}}
    run = striate.train(
        (pictures, np.arange(16) % 2),
        image_size=SIDE,
        epochs=1,
        threads=1,
        out=tmp_path,
        settings=settings,
    )
    shipped, frozen = weights_of(run.folder), weights_of(package.run.folder)
    difference = np.abs(shipped["backbone.conv_stem.weight"] - frozen["backbone.conv_stem.weight"])
    assert 0 < difference.max() < 0.05


@pytest.mark.slow
def test_under_a_head_of_several_layers_a_frozen_backbone_stays_as_it_is(
    package: Lite, tmp_path: Path
) -> None:
    network = {"weights": "package", "freeze": True, "fine_tune": "never", "head": {"dense": [8]}}
    run = striate.train(
        package.pictures,
        network="efficientnet-lite0",
        image_size=SIDE,
        epochs=2,
        threads=1,
        out=tmp_path,
        settings={"network": network},
    )
    shipped, frozen = weights_of(run.folder), weights_of(package.run.folder)
    assert {name for name in shipped if name not in frozen} == {
        "head.dense1.weight",
        "head.dense1.bias",
    }
    backbone = [name for name in frozen if name.startswith("backbone.")]
    assert all(np.array_equal(shipped[name], frozen[name]) for name in backbone)
    assert run.best_epoch > 0
    assert read_config(run.folder / "config.yaml")["training"]["precision"] != "auto"


def test_a_finished_run_is_not_gone_on_with(lite: Lite) -> None:
    folder = lite.run.folder
    with pytest.raises(RunFolderError) as caught:
        striate.train(resume=folder)
    assert str(caught.value) == (
        f"--resume {folder}: the run is finished. Train anew with --config {folder / 'config.yaml'}, "
        "and more epochs (--epochs) if there should be."
    )


def test_a_run_killed_while_its_head_was_shipped_goes_on(package: Lite, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(package.run.folder, tmp_path / "run"))
    for name in ("metrics.json", "report.html", "results.json"):
        (folder / name).unlink()
    (folder / "model" / "network.onnx").unlink()
    resumed = striate.train(resume=folder)
    assert resumed.folder == folder
    expected = state_of(package.run.folder)
    assert state_of(folder) == expected
