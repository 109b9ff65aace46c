"""What `striate plan` compares: the default, and a handful of settings around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from striate.flow._frozen import is_frozen
from striate.network import Shape, networks, specify
from striate.training import Settings

MOST = 6
"""Candidates in a table."""

SMALLEST = 32
"""Shorter side in pixels below which no smaller input is proposed."""

COURSE = ("cnn3", "lenet5", "cnn64")
"""Course networks, proposed where the input is what they were made for."""

ANY_SIZE = "cnn-gap"
"""The course network for all other inputs: its parameters don't grow with the picture."""

Tree = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One row of the table.

    Attributes:
        name: what it is, in a few words.
        change: settings on top of the user's.
        words: the same as options of `striate train`.
    """

    name: str
    change: Tree = field(default_factory=dict)
    words: tuple[str, ...] = ()


DEFAULT = Candidate(name="default")

WHOLE = Candidate(
    name="fine-tuning",
    change={"network": {"freeze": False}},
    words=("--fine-tune", "always"),
)
"""Beside a head on a frozen backbone: the steps of the whole network, as if there were no head."""


def candidates(wanted: Settings, chosen: Settings, shape: Shape, side: int) -> list[Candidate]:
    """Return the default and what differs from it in one thing, at most `MOST` in all.

    What the user has fixed isn't varied. The choice depends on the arguments alone.

    Args:
        wanted: settings as the user gave them; None is what was left open.
        chosen: the same with nothing left open.
        shape: (C, H, W) of the default's input.
        side: median of the files' shorter sides in pixels: no input is proposed that most pictures
            would have to be enlarged for.
    """
    sizes = _sizes(wanted, shape, side)
    widths = _widths(wanted, chosen, shape)
    frozen = bool(chosen.network.freeze)
    epochs = {} if frozen else _epochs(wanted, chosen)
    # Where there are too many, the last ones go.
    ranked: list[Candidate | None] = [
        DEFAULT,
        WHOLE if is_frozen(chosen) and wanted.network.fine_tune is None else None,
        sizes.get("half"),
        widths.get("wider"),
        _other_network(wanted, chosen, shape),
        epochs.get("more"),
        sizes.get("double"),
        epochs.get("fewer"),
        widths.get("narrower"),
    ]
    return [one for one in ranked if one is not None][:MOST]


def _sizes(wanted: Settings, shape: Shape, side: int) -> dict[str, Candidate]:
    if wanted.data.image_size is not None:
        return {}
    height, width = shape[1:]
    found = {}
    if min(height, width) // 2 >= SMALLEST:
        found["half"] = _size("half size", (height // 2, width // 2))
    if min(height, width) * 2 <= side:
        found["double"] = _size("double size", (height * 2, width * 2))
    return found


def _size(name: str, size: Sequence[int]) -> Candidate:
    height, width = size
    word = str(height) if height == width else f"{height}x{width}"
    change = {"data": {"image_size": (height, width)}}
    return Candidate(name=name, change=change, words=("--image-size", word))


def _widths(wanted: Settings, chosen: Settings, shape: Shape) -> dict[str, Candidate]:
    """Return `compact` with half and twice the channels, where it is the network."""
    if chosen.network.name != "compact" or wanted.network.options.get("width"):
        return {}
    first = specify("compact", shape=shape, outputs=1).layers[0]
    width = int(getattr(first, "channels"))  # noqa: B009 - of a convolution, which comes first
    return {
        name: Candidate(
            name=name,
            change={"network": {"width": number}},
            words=("--set", f"network.width={number}"),
        )
        for name, number in (("narrower", width // 2), ("wider", width * 2))
    }


def _epochs(wanted: Settings, chosen: Settings) -> dict[str, Candidate]:
    if wanted.training.epochs is not None:
        return {}
    epochs = chosen.training.epochs or 1
    found = {"more": _lasting("more epochs", epochs * 2)}
    if epochs > 1:
        found["fewer"] = _lasting("fewer epochs", epochs // 2)
    return found


def _lasting(name: str, epochs: int) -> Candidate:
    return Candidate(
        name=name, change={"training": {"epochs": epochs}}, words=("--epochs", str(epochs))
    )


def _other_network(wanted: Settings, chosen: Settings, shape: Shape) -> Candidate | None:
    """Return a course network beside `compact`, and `compact` beside any other."""
    if wanted.network.all_options:
        # They are those of the user's network, and mean nothing to another.
        return None
    name = "compact"
    if chosen.network.name == "compact":
        made_for = {one.name: one.default_input for one in networks()}
        name = next((one for one in COURSE if made_for[one] == shape), ANY_SIZE)
    return Candidate(name=name, change={"network": {"name": name}}, words=("--network", name))
