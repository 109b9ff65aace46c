"""Networks and picture sizes as users type them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.errors import ModelError, NetworkError, UsageError

if TYPE_CHECKING:
    from striate.model import Manifest

_SIZE = re.compile(r"[1-9]\d{0,5}([x×][1-9]\d{0,5}){0,2}")


@dataclass(frozen=True, kw_only=True)
class Named:
    """A registered network; None means what it was made for."""

    name: str
    input: tuple[int, int, int] | None = None
    outputs: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def parse_input(text: str) -> tuple[int, int, int]:
    """Return (C, H, W) from "1x28x28", "28x28" or "28"; the last two have one channel.

    Raises UsageError for anything else.
    """
    if not _SIZE.fullmatch(text):
        raise UsageError(
            "--input takes channels x height x width, as 1x28x28 or 3x224x224; 28x28 and 28 mean "
            f"one channel. Got '{text}'."
        )
    numbers = [int(number) for number in re.split("[x×]", text)]
    if len(numbers) == 1:
        numbers *= 2
    if len(numbers) == 2:
        numbers.insert(0, 1)
    return numbers[0], numbers[1], numbers[2]


def read_network(text: str) -> Named:
    """Return the network of that name, or that of the model folder at that path.

    A registered name comes before a folder of the same name, which ./NAME means. Raises
    NetworkError for a word that is neither, ModelError where the folder holds no sound model, and
    UsageError where its network isn't a registered one.
    """
    from striate.network import entry

    try:
        return Named(name=entry(text).name)
    except NetworkError:
        if not Path(text).exists() and not _looks_like_a_path(text):
            raise
    from striate.model import load

    return _of_manifest(text, load(text).manifest)


def may_measure(asked: bool | None) -> bool:
    """Return whether to time the layers; None means where PyTorch is installed.

    Raises UsageError where it was asked for without PyTorch.
    """
    installed = find_spec("torch") is not None
    if asked and not installed:
        raise UsageError(
            "--measure runs the network with PyTorch, which isn't installed. "
            "Install striate[train], or leave --measure out."
        )
    return installed if asked is None else asked


def _looks_like_a_path(text: str) -> bool:
    return "/" in text or "\\" in text


def _of_manifest(path: str, manifest: "Manifest") -> Named:
    from striate.network import networks

    name, shape = manifest.network["name"], manifest.shape
    if name not in {known.name for known in networks()}:
        raise UsageError(
            f"{path}: its network '{name}' isn't one of `striate networks`, so its layers aren't "
            "known. In Python, striate.summary takes the module itself."
        )
    return Named(
        name=name,
        input=(shape.channels, shape.height, shape.width),
        outputs=_outputs(path, manifest),
        options=manifest.network["options"],
    )


def _outputs(path: str, manifest: "Manifest") -> int:
    """Return the network's number of logits: one for each name, or one for two classes.

    The manifest doesn't say which, but its number of parameters does.
    """
    from striate.network import summary

    names, shape = len(manifest.answer.names), manifest.shape
    for outputs in (names, 1) if names == 2 else (names,):
        table = summary(
            manifest.network["name"],
            input=(shape.channels, shape.height, shape.width),
            outputs=outputs,
            options=manifest.network["options"],
        )
        if table.parameters == manifest.network["parameters"]:
            return outputs
    raise ModelError(
        f"{path}: model.json says that '{manifest.network['name']}' has "
        f"{manifest.network['parameters']:,} parameters, but with its options and input it has "
        f"{table.parameters:,}. Another version of striate may have made it."
    )
