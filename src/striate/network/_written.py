"""Networks that a user writes, as entries like those of the registry."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from striate.errors import NetworkError
from striate.network._arithmetic import Shape
from striate.network._entry import Entry
from striate.network._notation import parse
from striate.network._spec_block import Item, Parallel, Residual, chain
from striate.network._spec_plain import Activation, Dense, Flatten, GlobalPool
from striate.network._specification import Specification
from striate.network._vocabulary import KNOWN
from striate.network._written_list import one_line, read_list

FINAL = ("softmax", "log-softmax", "sigmoid")
"""Activations that a network may end in; the task applies them."""

DEFAULT_INPUT = (1, 28, 28)
DEFAULT_OUTPUTS = 10
"""What a summary takes where neither it nor the network says."""


def is_written(name: str) -> bool:
    """Return whether this is a network in words, or the path of one, and not a name."""
    alone = name.strip() in KNOWN
    return alone or _is_path(name) or "|" in name or "(" in name or len(name.split()) > 1


def canonical(name: str) -> str:
    """Return a written network on one line, also one in a file; any other name as it is."""
    return chain(read(name)) if is_written(name) else name


def written_line(layers: Sequence[Any], where: str) -> str:
    """Return a network that was written as a YAML list on one line.

    `where` it stands begins the message of the NetworkError that a wrong list raises.
    """
    return one_line(layers, where)


def read(text: str) -> tuple[Item, ...]:
    """Return the layers of a written network, or of the file that it is in, without its head."""
    if not _is_path(text):
        return parse(text)
    line = read_list(Path(text))
    try:
        return parse(line)
    except NetworkError as error:
        raise NetworkError(f"{text}: {error}") from None


def written_entry(name: str) -> Entry:
    """Return a written network as an entry; its builder adds or checks the head."""
    items = read(name)
    last = _without_final(items)[0][-1]

    def build(shape: Shape, outputs: int) -> Specification:
        del shape
        return with_head(items, outputs)

    return Entry(
        name=name,
        title="a written network",
        year=None,
        source="its author",
        idea="Layers in words.",
        default_input=DEFAULT_INPUT,
        default_outputs=last.units if isinstance(last, Dense) else DEFAULT_OUTPUTS,
        builder=build,
    )


def with_head(items: Sequence[Item], outputs: int) -> Specification:
    """Return a written network with the head for so many outputs.

    A last dense layer must have them already; otherwise one is added, after flatten where it is
    needed. An activation after the last dense layer is left to the task.

    Raises NetworkError where the last dense layer has another number.
    """
    layers, final = _without_final(items)
    last = layers[-1]
    if not isinstance(last, Dense):
        flatten = () if _gives_vector(layers) else (Flatten(),)
        head = (*flatten, Dense(outputs))
        return Specification(layers=(*layers, *head), added=len(head))
    if last.units != outputs:
        raise NetworkError(
            f"The network ends in '{last.notation}', but {_outputs(outputs)} needed. Write "
            f"'dense {outputs}', or leave the last layer out: striate then adds it."
        )
    if outputs == 1 and final in ("softmax", "log-softmax"):
        raise NetworkError(
            f"The network ends in 'dense 1 | {final}', but a softmax of one number is always 1. "
            "Write 'sigmoid', or leave it out."
        )
    return Specification(layers=tuple(layers), final_activation=final)


def _without_final(items: Sequence[Item]) -> tuple[tuple[Item, ...], str | None]:
    """Return the layers and the activation that follows a last dense layer, or None."""
    match items:
        case [*layers, Dense() as last, Activation(function=final)] if final in FINAL:
            return (*layers, last), final
    return tuple(items), None


def _gives_vector(items: Sequence[Item]) -> bool:
    """Return whether these layers make a vector of a feature map."""
    return any(
        _gives_vector(item.body)
        if isinstance(item, Residual)
        else _gives_vector(item.branches[0])
        if isinstance(item, Parallel)
        else isinstance(item, Flatten | GlobalPool | Dense)
        for item in items
    )


def _outputs(count: int) -> str:
    return "1 output is" if count == 1 else f"{count} outputs are"


def _is_path(name: str) -> bool:
    return name.strip().lower().endswith((".yaml", ".yml")) and "|" not in name
