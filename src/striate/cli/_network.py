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
    """Return the network of that name, the written one, or that of the model folder at that path.

    A registered name comes before a folder of the same name, which ./NAME means. Raises
    NetworkError for a word that is neither and for a written network that isn't understood,
    ModelError where the folder holds no sound model, and UsageError where its network is neither
    registered nor written.
    """
    from striate.network import entry

    try:
        return Named(name=entry(text).name)
    except NetworkError:
        if not _may_be_a_folder(text):
            raise
    from striate.model import load

    return _of_manifest(text, load(text).manifest)


def is_drawing(*, as_json: bool, as_mermaid: bool, svg: Path | None, measure: bool | None) -> bool:
    """Return whether a drawing was asked for, not a table or document.

    Raises UsageError where several forms were asked for, or a drawing with measured layers.
    """
    given = {"--json": as_json, "--mermaid": as_mermaid, "--svg": svg is not None}
    asked = [name for name, is_given in given.items() if is_given]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} each say what to print; give one of them.")
    if not asked or as_json:
        return False
    if measure:
        raise UsageError(f"A drawing has no milliseconds; leave --measure out, or {asked[0]}.")
    return True


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


def _may_be_a_folder(text: str) -> bool:
    if "|" in text or text.endswith((".yaml", ".yml")):
        return False
    return "/" in text or "\\" in text or Path(text).exists()


def _of_manifest(path: str, manifest: "Manifest") -> Named:
    from striate.network import entry

    name, shape = manifest.network["name"], manifest.shape
    try:
        entry(name)
    except NetworkError as error:
        raise UsageError(
            f"{path}: its network '{name}' isn't one of `striate networks`, so its layers aren't "
            "known. In Python, striate.summary takes the module itself."
        ) from error
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
    from striate.network import entry, summary

    names, shape = len(manifest.answer.names), manifest.shape
    single = entry(manifest.network["name"]).default_outputs == 1
    for outputs in (1, names) if single and names == 2 else (names,):
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
