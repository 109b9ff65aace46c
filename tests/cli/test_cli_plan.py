"""`striate plan` on the command line."""

import json
import shlex
from pathlib import Path
from unittest.mock import patch

import pytest

from command_line import Done, striate
from pictures import write_folder
from striate.flow._plan import plan_source
from striate.flow._plan_result import Estimate, Planned

DEFAULT = Estimate(
    name="default",
    words=(),
    network="compact",
    height=96,
    width=128,
    channels=3,
    parameters=12_345,
    batch_size=32,
    step=0.02,
    step_low=0.0181,
    step_high=0.025,
    epoch=4.56,
    epochs=20,
    fixed=11.0,
    memory=600 << 20,
)
WIDER = Estimate(
    **vars(DEFAULT) | {"name": "wider", "words": ("--set", "network.width=48"), "epoch": 13.4}
)
PLANNED = Planned(
    estimates=(DEFAULT, WIDER),
    source="bees",
    training=1_600,
    validation=400,
    sample=64,
    kept=False,
    device="cpu",
    threads=2,
)


def told(*words: object, planned: Planned = PLANNED) -> Done:
    """Run the command with the table given."""
    with patch("striate.flow._plan.plan_source", lambda *_, **__: planned):
        return striate("plan", *words)


def test_the_table() -> None:
    done = told("my bees", "--image-size", "96x128")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "bees: about 1,600 pictures to train on, 400 for validation; cpu, 2 threads",
        "",
        "candidate  input     parameters  an epoch     epochs  in all          memory         options",
        "default    3×96×128      12,345  about 4.6 s      20  about 1:42 min  about 600 MiB",
        "wider      3×96×128      12,345  about 13 s       20  about 4:39 min  about 600 MiB  "
        "--set network.width=48",
        "",
        "Options go behind:",
        "  striate train 'my bees' --image-size 96x128",
        "",
        "Timed just now: half of the default's steps took 18.1 to 25 ms.",
        "Other work on this machine makes trainings slower, and stopping early makes them shorter.",
        "Decoding is reckoned from 64 pictures.",
        "Memory is worked out, on top of what the process had in use: weights, optimizer, layers'",
        "outputs for a batch, pictures. How accurate a network gets isn't known before it is trained.",
    ]


def test_decoded_pictures_in_the_cache_are_told() -> None:
    done = told("bees", planned=Planned(**vars(PLANNED) | {"kept": True, "threads": 1}))
    assert "The default finds its decoded pictures in the cache." in done.out
    assert "Decoding is reckoned" not in done.out and "cpu, 1 thread\n" in done.out


def test_names_cannot_command_the_terminal() -> None:
    done = told("a\x1b[2Jb", planned=Planned(**vars(PLANNED) | {"source": "a\x1b[2Jb"}))
    assert "\x1b" not in done.out and "a\\x1b[2Jb" in done.out


def test_json_has_every_figure_and_the_whole_command() -> None:
    done = told("my bees", "--json", "--no-cache")
    document = json.loads(done.out)
    assert [document[key] for key in ("source", "training", "validation", "decoded")] == [
        "bees",
        1_600,
        400,
        64,
    ]
    wider = document["candidates"][1]
    assert wider == {
        "name": "wider",
        "network": "compact",
        "input": [3, 96, 128],
        "parameters": 12_345,
        "batch_size": 32,
        "step_seconds": 0.02,
        "step_quartiles": [0.0181, 0.025],
        "epoch_seconds": 13.4,
        "epochs": 20,
        "fixed_seconds": 11.0,
        "total_seconds": 279.0,
        "memory_bytes": 600 << 20,
        "command": [
            *("striate", "train", "my bees", "--no-cache"),
            *("--set", "network.width=48"),
        ],
    }


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    def quickly(*given: object, **options: object) -> Planned:
        return plan_source(*given, **options, seconds=0.02)  # type: ignore[arg-type]

    monkeypatch.setattr("striate.flow._plan.plan_source", quickly)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_folder(Path("stripes"), each=8)


@pytest.mark.usefixtures("quick")
def test_every_command_of_the_table_can_be_typed(folder: Path) -> None:
    words = [
        folder,
        "--network",
        "conv 4 3 | max 2 | flatten | dense 2",
        "--epochs",
        1,
        "--threads",
        1,
    ]
    done = striate("plan", *words, "--json")
    assert done.code == 0, done.err
    several = json.loads(done.out)["candidates"]
    assert [one["name"] for one in several] == ["default", "compact"]
    assert sorted(path.name for path in Path().iterdir()) == ["stripes"]
    for one in several:
        command = shlex.split(shlex.join(one["command"]))
        trained = striate(*command[1:], "--json", "--name", one["name"])
        assert trained.code == 0, trained.err
        model = json.loads((Path("runs") / one["name"] / "model" / "model.json").read_text("utf-8"))
        assert model["network"]["parameters"] == one["parameters"]
        assert [model["input"][key] for key in ("channels", "height", "width")] == one["input"]


@pytest.mark.parametrize(
    ("words", "code", "letter"),
    [
        ([], 2, "Name a source: a folder, a CSV, an .npz, or a data set (striate datasets)."),
        (
            ["stripes", "--image-size", "big"],
            2,
            "--image-size expects pixels, as in 128, or 96x128 (height x width); it got 'big'.",
        ),
    ],
)
@pytest.mark.usefixtures("folder")
def test_refusals(words: list[str], code: int, letter: str) -> None:
    done = striate("plan", *words)
    assert (done.code, done.out, done.err) == (code, "", f"striate: {letter}\n")


def test_a_mistyped_network_is_refused_before_anything_is_timed(folder: Path) -> None:
    done = striate("plan", folder, "--network", "lenet")
    assert done.code == 2 and "lenet5" in done.err and done.out == ""
