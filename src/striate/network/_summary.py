"""The layer table: one row for each layer, from specifications alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from striate.network._arithmetic import Shape, product
from striate.network._field import Fields
from striate.network._registry import entry
from striate.network._spec import Cost
from striate.network._specification import Step, walk
from striate.network._specify import specify
from striate.network._table import text

if TYPE_CHECKING:
    from torch import nn

FLOAT32 = 4


@dataclass(frozen=True, kw_only=True)
class Row:
    """One layer. Shapes are without the batch axis; figures are for one picture.

    Attributes:
        name: where it is in the network: "conv1", "block2.body.conv1".
        kind: "conv", "max pool", … or the class of a module that striate doesn't know.
        formula: where the output size comes from; "" where the layer keeps it.
        output: shape of its output.
        parameters: weights and biases, frozen ones included; 0 at a layer's second use.
        cost: multiplications and additions in evaluation mode.
        fields: receptive field for each axis of the picture; None where unknown.
        bytes: of its output.
        milliseconds: measured, median of several runs; None where not measured.
    """

    name: str
    kind: str
    formula: str
    output: Shape
    parameters: int
    cost: Cost
    fields: Fields | None
    bytes: int
    milliseconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row as in `striate summary --json`."""
        return {
            "name": self.name,
            "kind": self.kind,
            "formula": self.formula,
            "output": list(self.output),
            "parameters": self.parameters,
            "flops": self.cost.flops,
            "multiplies": self.cost.multiplies,
            "adds": self.cost.adds,
            "receptive_field": None if self.fields is None else [f.size for f in self.fields],
            "bytes": self.bytes,
            "milliseconds": self.milliseconds,
        }


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The layer table of one network for one picture size (C, H, W)."""

    network: str
    input: Shape
    rows: tuple[Row, ...]

    @property
    def parameters(self) -> int:
        return sum(row.parameters for row in self.rows)

    @property
    def cost(self) -> Cost:
        """Multiplications and additions of all layers, for one picture."""
        return Cost(
            multiplies=sum(row.cost.multiplies for row in self.rows),
            adds=sum(row.cost.adds for row in self.rows),
        )

    @property
    def bytes(self) -> int:
        """Of all layers' outputs together, for one picture."""
        return sum(row.bytes for row in self.rows)

    @property
    def milliseconds(self) -> float | None:
        """All layers' together; None where not measured."""
        measured = [row.milliseconds for row in self.rows if row.milliseconds is not None]
        return sum(measured) if measured else None

    def to_json(self) -> dict[str, Any]:
        """Return what `striate summary --json` prints."""
        return {
            "network": self.network,
            "input": list(self.input),
            "parameters": self.parameters,
            "flops": self.cost.flops,
            "multiplies": self.cost.multiplies,
            "adds": self.cost.adds,
            "bytes": self.bytes,
            "milliseconds": self.milliseconds,
            "layers": [row.to_json() for row in self.rows],
        }

    def table(self) -> str:
        """Return the table as text for a terminal, with totals and how they are counted."""
        return text(self.to_json())


def summary(
    network: "str | nn.Module",
    *,
    input: Shape | None = None,
    outputs: int | None = None,
    options: Mapping[str, object] | None = None,
    measure: bool = False,
) -> Summary:
    """Return the layer table of a registered network or of any module.

    A registered network is worked out from its specification, without PyTorch unless `measure`. A
    module is run once, in evaluation mode, on a picture of zeros; its rows are its innermost
    modules in the order in which they are called. What its `forward` computes without a module has
    no row.

    `input` is (C, H, W) and `outputs` the number of logits; None means those that the network was
    made for. `options` are those of the registered network; a module has its own number of outputs
    and no options. `measure` times every layer on one picture.

    Raises NetworkError for an unknown name or option, and where the picture doesn't fit.
    """
    if not isinstance(network, str):
        from striate.network._observe import observe

        return observe(network, shape=input, measure=measure)
    known = entry(network)
    shape = known.default_input if input is None else input
    count = known.default_outputs if outputs is None else outputs
    specification = specify(network, shape=shape, outputs=count, options=options)
    rows = [_row(step) for step in walk(specification.layers, shape)]
    if measure:
        rows = measured(rows, _times(network, shape, count, options))
    rows += final_rows(specification.final_activation, rows[-1])
    return Summary(network=network, input=shape, rows=tuple(rows))


def _times(
    network: str, shape: Shape, outputs: int, options: Mapping[str, object] | None
) -> list[float]:
    """Return the milliseconds of every layer of a registered network, in the order of its rows."""
    from striate.network._build import build
    from striate.network._observe import time_layers

    channels, height, width = shape
    built = build(
        network, channels=channels, height=height, width=width, outputs=outputs, options=options
    )
    return time_layers(built, shape)


def final_rows(activation: str | None, last: Row) -> list[Row]:
    """Return the row of an activation that the task applies after the network, if there is one."""
    if activation is None:
        return []
    return [
        Row(
            name=activation.replace("-", "_"),
            kind=activation,
            formula="",
            output=last.output,
            parameters=0,
            cost=Cost(),
            fields=last.fields,
            bytes=last.bytes,
        )
    ]


def _row(step: Step) -> Row:
    layer = step.layer
    return Row(
        name=step.name,
        kind=layer.kind,
        formula=layer.formula(step.input),
        output=step.output,
        parameters=layer.parameters(step.input),
        cost=layer.cost(step.input),
        fields=step.fields,
        bytes=FLOAT32 * product(step.output),
    )


def measured(rows: Sequence[Row], milliseconds: Sequence[float]) -> list[Row]:
    """Return the rows with their milliseconds, rounded to 0.1 µs."""
    pairs = zip(rows, milliseconds, strict=True)
    return [replace(row, milliseconds=round(time, 4)) for row, time in pairs]
