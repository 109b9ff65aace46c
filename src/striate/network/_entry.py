"""A registered network and what is told about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from striate.network._arithmetic import Shape
from striate.network._options import Option, read_options
from striate.network._specification import Specification, walk


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A registered network.

    Attributes:
        name: how it is asked for.
        title: its name in print.
        year: of publication; None where there is none.
        source: paper, course or author.
        idea: what is worth knowing about it, in one line.
        default_input: (C, H, W) it was made for.
        default_outputs: outputs it was made with.
        options: what it accepts, with defaults and meanings.
        builder: called with (shape, outputs) and every option by name.
    """

    name: str
    title: str
    year: int | None
    source: str
    idea: str
    default_input: Shape
    default_outputs: int
    builder: Callable[..., Specification]
    options: tuple[Option, ...] = ()

    @property
    def parameters(self) -> int:
        """Trained numbers at the default input, outputs and options."""
        layers = self.builder(
            self.default_input, self.default_outputs, **read_options(self.name, self.options, {})
        ).layers
        return sum(step.layer.parameters(step.input) for step in walk(layers, self.default_input))

    def to_json(self) -> dict[str, Any]:
        """Return the entry as in `striate networks --json`."""
        return {
            "name": self.name,
            "title": self.title,
            "year": self.year,
            "source": self.source,
            "idea": self.idea,
            "input": list(self.default_input),
            "outputs": self.default_outputs,
            "parameters": self.parameters,
            "options": [option.to_json() for option in self.options],
        }
