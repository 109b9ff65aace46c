"""A registered network and what is told about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from striate.network._arithmetic import Shape
from striate.network._options import Option, read_options
from striate.network._spec import Cost
from striate.network._specification import Specification, walk


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a network that isn't made from a specification comes from.

    Attributes:
        library: "torchvision" or "timm", which is imported only to make the network.
        model: its name there.
        small_below: pictures with a side below this get the small stem.
        small: what the small stem is, in words.
        grid: the published head reads a map averaged to grid×grid positions; 0: it doesn't.
        dropout_first: the published head's dropout stands before each dense layer, not after it.
        parameters, flops: at the default input, outputs and options; None: counted when asked for.
    """

    library: str
    model: str
    small_below: int = 64
    small: str
    grid: int = 0
    dropout_first: bool = False
    parameters: int | None = None
    flops: int | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A registered network: made from a specification (`builder`) or a module (`origin`).

    Attributes:
        name: how it is asked for.
        title: its name in print.
        year: of publication; None where there is none.
        source: paper, course or author.
        idea: what is worth knowing about it, in one line.
        default_input: (C, H, W) it was made for.
        default_outputs: outputs it was made with.
        options: what it accepts, with defaults and meanings.
        builder: called with (shape, outputs) and every option by name; None with an origin.
        origin: of a network from a library, which `build` makes a `Classifier` of; else None.
    """

    name: str
    title: str
    year: int | None
    source: str
    idea: str
    default_input: Shape
    default_outputs: int
    builder: Callable[..., Specification] | None = None
    origin: Origin | None = None
    options: tuple[Option, ...] = ()

    @property
    def parameters(self) -> int:
        """Trained numbers at the default input, outputs and options."""
        if self.origin is not None and self.origin.parameters is not None:
            return self.origin.parameters
        return self._counts()[0]

    @property
    def flops(self) -> int:
        """Multiplications and additions for one picture, there."""
        if self.origin is not None and self.origin.flops is not None:
            return self.origin.flops
        return self._counts()[1].flops

    def _counts(self) -> tuple[int, Cost]:
        if self.builder is None:
            from striate.network._summary import summary

            table = summary(self.name)
            return table.parameters, table.cost
        layers = self.builder(
            self.default_input, self.default_outputs, **read_options(self.name, self.options, {})
        ).layers
        steps = walk(layers, self.default_input)
        costs = [step.layer.cost(step.input) for step in steps]
        cost = Cost(
            multiplies=sum(one.multiplies for one in costs), adds=sum(one.adds for one in costs)
        )
        return sum(step.layer.parameters(step.input) for step in steps), cost

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
            "flops": self.flops,
            "options": [option.to_json() for option in self.options],
        }
