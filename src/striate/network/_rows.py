"""A row of the layer table, and the table: what tables from specifications and from modules share."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from striate.network._arithmetic import Shape
from striate.network._field import Fields
from striate.network._spec import Cost
from striate.network._table import text

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


def measured(rows: Sequence[Row], milliseconds: Sequence[float]) -> list[Row]:
    """Return the rows with their milliseconds, rounded to 0.1 µs."""
    pairs = zip(rows, milliseconds, strict=True)
    return [replace(row, milliseconds=round(time, 4)) for row, time in pairs]
