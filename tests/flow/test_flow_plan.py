"""`striate plan` as functions: which candidates there are, and what their figures are made of."""

from dataclasses import replace
from math import prod
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pictures import save, stripes, write_folder
from striate.data import check, open_source
from striate.errors import NetworkError, SourceError
from striate.flow._plan import plan_source
from striate.flow._plan_candidates import MOST, candidates
from striate.flow._plan_memory import stored_memory, training_memory
from striate.flow._plan_result import Estimate, Planned
from striate.flow._plan_sample import SAMPLE, take_sample
from striate.flow._prepare import store_pictures
from striate.image import Shape
from striate.network import summary
from striate.training import Settings, Silent, make_settings

CHOSEN = {"network": {"name": "compact"}, "training": {"epochs": 20}}


def names(shape: tuple[int, int, int], side: int, **given: Any) -> list[str]:
    """Return the candidates' names and options where `given` is what the user has fixed."""
    wanted = make_settings(given)
    chosen = make_settings(CHOSEN, given)
    found = candidates(wanted, chosen, shape, side)
    assert found[0].name == "default" and found[0].words == ()
    return [" ".join(one.words) for one in found[1:]]


def test_photographs_are_tried_at_half_and_twice_the_size() -> None:
    assert names((3, 96, 128), 400) == [
        "--image-size 48x64",
        "--set network.width=48",
        "--network cnn-gap",
        "--epochs 40",
        "--image-size 192x256",
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ["--fine-tune always", "--image-size 112"]),
        ({"fine_tune": "never"}, ["--image-size 112"]),
        # Under such heads the backbone stays as it is, and `train` refuses to fine-tune.
        ({"head": {"dense": [64]}}, ["--image-size 112"]),
        ({"views": 2}, ["--fine-tune always", "--image-size 112"]),
    ],
)
def test_fine_tuning_is_proposed_where_it_can_follow(
    more: dict[str, Any], expected: list[str]
) -> None:
    network = {"name": "resnet18", "weights": "package", "freeze": True, **more}
    found = names((3, 224, 224), 300, network=network)
    assert [one for one in found if not one.startswith("--network")] == expected


def test_no_candidate_enlarges_pictures() -> None:
    assert "--image-size 256" in names((3, 128, 128), 256)
    assert names((3, 128, 128), 255) == [
        "--image-size 64",
        "--set network.width=48",
        "--network cnn-gap",
        "--epochs 40",
        "--epochs 10",
    ]


@pytest.mark.parametrize(
    ("shape", "network"),
    [
        ((1, 28, 28), "cnn3"),
        ((1, 32, 32), "lenet5"),
        ((3, 64, 64), "cnn64"),
        ((1, 8, 8), "cnn-gap"),
    ],
)
def test_the_course_network_is_the_one_made_for_the_input(
    shape: tuple[int, int, int], network: str
) -> None:
    assert f"--network {network}" in names(shape, shape[1])


def test_small_pictures_keep_their_size() -> None:
    assert names((1, 28, 28), 28) == [
        "--set network.width=32",
        "--network cnn3",
        "--epochs 40",
        "--epochs 10",
        "--set network.width=8",
    ]


def test_what_the_user_fixed_is_not_varied() -> None:
    size = {"data": {"image_size": 96}}
    assert not any("image-size" in words for words in names((3, 96, 96), 400, **size))
    epochs = {"training": {"epochs": 3}}
    assert not any("epochs" in words for words in names((3, 96, 96), 400, **epochs))
    width = {"network": {"options": {"width": 20}}}
    assert names((1, 28, 28), 28, **width) == ["--epochs 40", "--epochs 10"]
    assert names((1, 28, 28), 28, **width, **epochs) == []


def test_beside_another_network_stands_the_default_one() -> None:
    given = {"network": {"name": "lenet5"}}
    assert names((1, 28, 28), 28, **given) == ["--network compact", "--epochs 40", "--epochs 10"]


def test_a_single_epoch_is_not_halved() -> None:
    chosen = make_settings(CHOSEN, {"training": {"epochs": 1}})
    found = candidates(Settings(), chosen, (1, 28, 28), 28)
    assert [one.words[1] for one in found if "--epochs" in one.words] == ["2"]


def test_the_same_settings_give_the_same_candidates() -> None:
    chosen = make_settings(CHOSEN)
    every = [candidates(Settings(), chosen, (3, 128, 128), 500) for _ in range(2)]
    assert every[0] == every[1] and len(every[0]) == MOST


def estimate(**changes: Any) -> Estimate:
    whole: dict[str, Any] = dict.fromkeys(Estimate.__annotations__, 1)
    return Estimate(**whole | changes)


def test_the_total_is_the_fixed_part_and_every_epoch() -> None:
    assert estimate(fixed=7.0, epoch=1.5, epochs=4).total == 13.0


def test_memory_of_pictures_is_that_of_their_store() -> None:
    shape = Shape(height=10, width=20, channels=3, margin=2)
    assert stored_memory(100, shape, in_file=False) == 100 * 14 * 24 * 3
    assert stored_memory(100, shape, in_file=True) == 0
    assert stored_memory(2_000_000, shape, in_file=False) == 0


def test_memory_of_a_step_by_hand() -> None:
    table = summary("mlp", input=(1, 4, 4), outputs=2, options={"hidden": [8]})
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 2))
    numbers = 16 * 8 + 8 + 8 * 2 + 2

    plan: Any = SimpleNamespace(
        network=network,
        optimizer=SimpleNamespace(state=lambda: {"mean": torch.zeros(numbers)}),
        average=None,
    )
    outputs = 16 + sum(prod(row.output) for row in table.rows)
    # A batch of 1,000 is more than what measuring holds, one of 2 is less.
    assert training_memory(plan, table, 1000) == 4 * (4 * numbers + 2 * outputs * 1000)
    assert training_memory(plan, table, 2) == 4 * (4 * numbers + 256 * (16 + 16))
    plan.average = 0.99
    assert training_memory(plan, table, 2) == 4 * (5 * numbers + 256 * (16 + 16))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("data") / "stripes", each=50, size=20)


SHAPE = Shape(height=16, width=16, channels=3, rule="crop")


def test_every_position_has_a_picture_and_decoded_ones_their_own(folder: Path) -> None:
    source, settings = open_source(folder), make_settings({"training": {"threads": 2}})
    readable = np.arange(len(source))
    sample = take_sample(source, readable, SHAPE, settings, seed=3)
    assert sample.pictures == SAMPLE < len(source)
    assert not sample.kept
    assert sample.decoding > 0 and sample.loading > 0 and sample.comparing > 0
    stood_for = sample.store.take(readable)
    whole = np.stack([source.pictures.load(at, SHAPE).picture_HWC for at in range(len(source))])
    own = (stood_for == whole).all(axis=(1, 2, 3))
    assert SAMPLE <= own.sum() < len(source)
    known = {picture.tobytes() for picture in whole}
    assert all(picture.tobytes() in known for picture in stood_for)


def test_pictures_in_the_cache_are_not_decoded_again(folder: Path) -> None:
    source = open_source(folder)
    settings = make_settings({"training": {"threads": 1}})
    store_pictures(source, check(source), settings, SHAPE, Silent()).close()
    readable = np.arange(len(source))
    sample = take_sample(source, readable, SHAPE, settings, seed=0)
    assert (sample.kept, sample.decoding) == (True, 0.0)
    other = take_sample(source, readable, replace(SHAPE, height=12), settings, seed=0)
    assert not other.kept and other.decoding > 0
    settings.data.cache = False
    assert not take_sample(source, readable, SHAPE, settings, seed=0).kept


def test_arrays_of_the_right_size_cost_no_decoding() -> None:
    images = np.stack([stripes(0, n) for n in range(10)])
    source = open_source((images, np.arange(10) % 2))
    settings = make_settings({})
    same = take_sample(source, np.arange(10), SHAPE, settings, seed=0)
    assert (same.decoding, same.pictures) == (0.0, 10)
    smaller = take_sample(source, np.arange(10), replace(SHAPE, width=8), settings, seed=0)
    assert smaller.decoding > 0


def test_broken_pictures_are_passed_over_until_none_is_left(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "stripes", each=3)
    files = sorted(folder.rglob("*.png"))
    for file in files[1:]:
        file.write_bytes(file.read_bytes()[:60])
    source, settings = open_source(folder), make_settings({})
    sample = take_sample(source, np.arange(6), SHAPE, settings, seed=0)
    assert sample.pictures == 1
    files[0].write_bytes(files[0].read_bytes()[:60])
    with pytest.raises(SourceError) as caught:
        take_sample(open_source(folder), np.arange(6), SHAPE, settings, seed=0)
    assert str(caught.value) == (
        "stripes: none of 6 pictures tried can be decoded. striate check tells why."
    )


def run(source: Any, **settings: Any) -> Planned:
    return plan_source(source, settings=settings, seconds=0.02)


def test_the_whole_table(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    planned = run(folder, training={"epochs": 2, "threads": 1})
    assert [one.name for one in planned.estimates] == ["default", "wider", "cnn-gap", "narrower"]
    assert (planned.training, planned.validation, planned.sample) == (80, 20, SAMPLE)
    assert (planned.device, planned.threads, planned.kept) == ("cpu", 1, False)
    for one in planned.estimates:
        shape = (one.channels, one.height, one.width)
        assert shape == (3, 20, 20)
        options = (
            {"width": int(one.words[1].partition("=")[2])} if "width" in str(one.words) else {}
        )
        table = summary(one.network, input=shape, outputs=2, options=options)
        assert one.parameters == table.parameters
        assert 0 < one.step_low <= one.step <= one.step_high
        # 80 pictures in batches of 16 are 5 steps; validation comes on top.
        assert one.batch_size == 16 and one.epoch > 5 * one.step
        assert one.fixed > 1 and one.total == one.fixed + 2 * one.epoch
        assert one.memory > 100 << 20
    assert list(tmp_path.iterdir()) == []


def test_epochs_alone_are_not_timed_twice(folder: Path) -> None:
    planned = run(folder, network={"name": "conv 4 3 | max 2 | flatten | dense 2"})
    by_name = {one.name: one for one in planned.estimates}
    assert set(by_name) == {"default", "compact", "more epochs", "fewer epochs"}
    default, more = by_name["default"], by_name["more epochs"]
    assert (more.step, more.epoch, more.fixed) == (default.step, default.epoch, default.fixed)
    assert more.epochs == 2 * default.epochs


def test_a_network_that_does_not_fit_is_refused(folder: Path) -> None:
    with pytest.raises(NetworkError):
        run(folder, network={"name": "conv 4 99 | dense 2"})


def test_numbers_can_be_planned_for(tmp_path: Path) -> None:
    rows = ["image,count"]
    for n in range(12):
        save(stripes(0, n), tmp_path / f"{n}.png")
        rows.append(f"{n}.png,{n}.5")
    (tmp_path / "table.csv").write_text("\n".join(rows) + "\n")
    network = {"name": "average 8 | flatten | dense 1", "options": {}}
    planned = run(tmp_path / "table.csv", training={"epochs": 1}, network=network)
    assert planned.estimates[0].batch_size == 16
    assert planned.training + planned.validation == 12


def test_a_run_of_some_minutes_is_planned_by_epochs(folder: Path) -> None:
    planned = run(folder, training={"minutes": 2.0, "steps": [[0, 7]], "threads": 1})
    assert planned.estimates[0].epochs == 40
