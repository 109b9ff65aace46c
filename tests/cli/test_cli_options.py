"""Options that several commands have: one wording, and the settings that they make."""

from pathlib import Path
from typing import Any

import pytest
import typer.main

from striate.cli._main import make_app
from striate.cli._options import given, read_data, read_settings
from striate.errors import UsageError

SHARED = (
    "task", "target", "images", "group", "split", "exclude", "data_folder", "seed", "device",
    "threads", "config", "assignments", "no_cache", "channels", "recipe", "batch_size",
)  # fmt: skip


def test_an_option_has_the_same_help_in_every_command() -> None:
    group: Any = typer.main.get_command(make_app())
    commands = {name: group.commands[name].params for name in
                ("train", "plan", "lr-find", "augment", "check")}  # fmt: skip
    for option in SHARED:
        found = [
            (p.opts, p.metavar, p.help) for ps in commands.values() for p in ps if p.name == option
        ]
        assert len(found) > 1 and all(one == found[0] for one in found), option


def test_what_was_not_given_is_not_in_the_settings() -> None:
    assert read_data() == {}
    assert read_data(target=[], allow_unreadable=False, strict=False, no_cache=False) == {}
    assert given({"epochs": 0, "seed": None, "name": "", "words": []}) == {"epochs": 0, "name": ""}


def test_every_data_option_becomes_a_setting() -> None:
    made = read_data(
        image_size="96x128",
        task="regression",
        target=["x", "y"],
        images=Path("pictures"),
        group="patient",
        split="train=a.txt,val=b.txt",
        channels="1",
        exclude=Path("out.txt"),
        no_cache=True,
        data_folder=Path("data"),
        allow_unreadable=True,
        strict=True,
    )
    assert made == {
        "image_size": (96, 128),
        "task": "regression",
        "target": ["x", "y"],
        "images": Path("pictures"),
        "group": "patient",
        "split": {"train": Path("a.txt"), "val": Path("b.txt")},
        "channels": 1,
        "exclude": Path("out.txt"),
        "cache": False,
        "data_folder": Path("data"),
        "allow_unreadable": True,
        "strict": True,
    }


def test_options_win_over_set_and_empty_groups_change_nothing() -> None:
    words = ["data.task=regression", "data.margin=2", "training.seed=5"]
    tree = read_settings(words, data={"task": "multi-label"}, training={}, network={})
    assert tree == {"data": {"task": "multi-label", "margin": 2}, "training": {"seed": 5}}
    assert read_settings(None, data={}) == {}


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        read_data(split="tain=a.txt")
    assert str(refused.value) == (
        "--split: 'tain=a.txt' isn't one of train=FILE, val=FILE, test=FILE. Did you mean 'train'?"
    )
