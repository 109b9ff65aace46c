"""The generated blocks of docs/, and that nothing is left out of them."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from doc_pages import DOCS, ROOT
from striate.cli._main import COMMANDS, make_app
from striate.training import Settings


def test_the_generated_blocks_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "make_docs", "--check"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def options_of(command: str) -> list[str]:
    """Return every option's first name, as Typer knows it."""
    import typer.main

    group: Any = typer.main.get_command(make_app())
    return [
        parameter.opts[0]
        for parameter in group.commands[command].params
        if parameter.opts[0].startswith("-")
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_on_the_page_of_commands(command: str) -> None:
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    section = page.partition(f"## striate {command}\n")[2].partition("\n## ")[0]
    assert section.strip()
    options = options_of(command)
    assert options
    assert [option for option in options if f"{option} " not in section] == []


def test_every_setting_has_a_description_and_every_group_one() -> None:
    schema = Settings.model_json_schema()
    bare = [
        f"{name}.{key}"
        for name, group in schema["$defs"].items()
        for key, one in group["properties"].items()
        if not _described(one, schema["$defs"])
    ]
    assert bare == []
    assert all(group["description"] for group in schema["$defs"].values())


def _described(one: Mapping[str, Any], groups: Mapping[str, Any]) -> bool:
    if "$ref" in one:
        one = groups[one["$ref"].rpartition("/")[2]]
    return bool(one.get("description", "").strip())
