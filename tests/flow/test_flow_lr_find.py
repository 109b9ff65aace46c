"""`striate lr-find` as a function."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pictures import write_folder
from report.report_page import Page
from striate.errors import UsageError
from striate.flow._fit import make_ready
from striate.flow._lr_find import RateFound, find_rate, reasons, rounded
from striate.training._lr_find import RangeTest

CURVE = RangeTest(
    rates=np.geomspace(1e-6, 10, 50),
    losses=np.ones(50),
    smoothed=np.ones(50),
    steepest=0.003449,
    fallen=0.004751,
    smallest=0.02448,
    diverges=0.1047,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("data") / "stripes", each=20)


def find(source: Any, out: Path, **options: Any) -> RateFound:
    return find_rate(source, out=out / "page.html", steps=50, threads=1, **options)


def test_it_suggests_by_the_schedule_and_repeats(folder: Path, tmp_path: Path) -> None:
    first = find(folder, tmp_path / "a", image_size=8, seed=3)
    assert (first.network, first.optimizer, first.schedule) == ("compact", "adamw", "one-cycle")
    assert first.suggested == first.one_cycle is not None and first.given == 0.01
    again = find(folder, tmp_path / "b", image_size=8, seed=3)
    np.testing.assert_array_equal(again.losses, first.losses)
    assert again.page.read_bytes() == first.page.read_bytes()
    other = find(folder, tmp_path / "c", image_size=8, seed=4)
    assert not np.array_equal(other.losses[:5], first.losses[:5])
    constant = find(
        folder, tmp_path / "d", image_size=8, seed=3, settings={"schedule": {"name": "constant"}}
    )
    assert constant.suggested == first.constant is not None
    np.testing.assert_array_equal(constant.losses, first.losses)


def test_the_first_loss_is_that_of_the_first_step_of_training(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = []

    def remember(*words: Any, **named: Any) -> Any:
        plan = make_ready(*words, **named)
        plans.append((plan, deepcopy(plan.network)))
        return plan

    monkeypatch.setattr("striate.flow._fit.make_ready", remember)
    found = find(folder, tmp_path, network="cnn3", settings={"optimizer": {"name": "sgd"}})
    plan, network = plans[0]
    batch = plan.batches.batch(1, 0)
    logits = network.eval()(plan.stage(torch.from_numpy(batch.pictures_BHWC)))
    loss = nn.functional.cross_entropy(logits, torch.from_numpy(batch.targets))
    assert found.losses[0] == pytest.approx(loss.item(), rel=0.2)
    assert found.schedule == "constant" and found.optimizer == "sgd"


def test_a_module_is_left_as_it_is(folder: Path, tmp_path: Path) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(16 * 16 * 3, 2))
    before = deepcopy(module.state_dict())
    found = find(folder, tmp_path, network=module, loss=nn.functional.cross_entropy)
    assert found.network == "Sequential" and len(found.losses) > 10
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())
    text = Page(found.page.read_text("utf-8")).section("training")
    assert text is not None and "Sequential: 1,538 parameters" in text.text


def test_nothing_else_is_written(folder: Path, tmp_path: Path) -> None:
    find(folder, tmp_path / "only")
    assert [path.name for path in (tmp_path / "only").iterdir()] == ["page.html"]


def test_nothing_is_read_where_the_page_has_no_place(tmp_path: Path) -> None:
    other = tmp_path / "page.html"
    other.write_text("mine")
    with pytest.raises(UsageError, match=r"exists and is no page of striate lr-find"):
        find(tmp_path / "missing", tmp_path)
    assert other.read_text() == "mine"


def test_the_reason_in_words() -> None:
    assert reasons(CURVE, "one-cycle") == [
        "The smoothed loss falls fastest at 0.0034, has done two thirds of its fall at 0.0048, is "
        "smallest at 0.024 and diverges from 0.1.",
        "One-cycle's largest rate: where the loss is smallest, 0.024.",
        "Rates that begin at full height: where two thirds of the fall are done, 0.0048.",
        "The schedule here: one-cycle.",
    ]
    further = RangeTest(**{**vars(CURVE), "diverges": None})
    assert reasons(further, "cosine")[0].endswith("0.024 and doesn't diverge up to 10.")
    nothing = RangeTest(rates=CURVE.rates, losses=CURVE.losses, smoothed=CURVE.smoothed)
    assert reasons(nothing, "constant") == [
        "The smoothed loss never falls clearly below where it starts: no rate is suggested.",
        "More --steps, or another network or optimizer, may help.",
    ]
    assert (rounded(0.02448), rounded(7.56), rounded(None)) == (0.024, 7.6, None)
