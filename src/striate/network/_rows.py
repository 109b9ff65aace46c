"""A row of the layer table, and the table: what tables from specifications and from modules share."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from striate.network._arithmetic import Shape
from striate.network._compare import Comparison, compare, connections, unread
from striate.network._field import Field, Fields
from striate.network._graph import PICTURE, Reads
from striate.network._spec import Cost, Layer
from striate.network._table import text

FLOAT32 = 4


@dataclass(frozen=True, kw_only=True)
class Row:
    """One layer. Shapes are without the batch axis; figures are for one picture.

    Attributes:
        name: where it is in the network: "conv1", "block2.body.conv1".
        kind: "conv", "max pool", … or the class of a module that striate doesn't know.
        formula: where the output size comes from; "" where the layer keeps it.
        input: shape of what it reads; () where unknown.
        output: shape of its output.
        parameters: weights and biases, frozen ones included; 0 at a layer's second use.
        frozen: those of them that training doesn't change.
        cost: multiplications and additions in evaluation mode.
        fields: receptive field for each axis of the picture; None where unknown.
        bytes: of its output.
        reads: rows whose outputs it reads, by number from 0; −1 is the picture.
        computed: whether the network computes something on the way from those rows to this one
            without a module, so without a row of its own.
        layer: its specification; None for a module that striate doesn't know and for the
            activation that the task applies after the network.
        milliseconds: measured, median of several runs; None where not measured.
    """

    name: str
    kind: str
    formula: str
    input: Shape
    output: Shape
    parameters: int
    frozen: int = 0
    cost: Cost
    fields: Fields | None
    bytes: int
    reads: Reads
    computed: bool = False
    # A module's kernel is (3, 3) where a specification says 3, so this isn't compared.
    layer: Layer | None = field(default=None, compare=False)
    milliseconds: float | None = None

    @property
    def trainable(self) -> int:
        """Parameters that training changes."""
        return self.parameters - self.frozen

    @property
    def comparison(self) -> Comparison | None:
        """A convolution beside a dense and an unshared layer; None for other layers."""
        return None if self.layer is None else compare(self.layer, self.input)

    @property
    def connections(self) -> int | None:
        """How many numbers one output reads; None for layers without weights or window."""
        return None if self.layer is None else connections(self.layer, self.input)

    @property
    def unread(self) -> Shape | None:
        """For each axis, positions of the input that no window reads; None without windows."""
        return None if self.layer is None else unread(self.layer, self.input)

    def to_json(self) -> dict[str, Any]:
        """Return the row as in `striate summary --json`."""
        comparison, missed = self.comparison, self.unread
        return {
            "name": self.name,
            "kind": self.kind,
            "formula": self.formula,
            "input": list(self.input),
            "output": list(self.output),
            "parameters": self.parameters,
            "trainable": self.trainable,
            "frozen": self.frozen,
            "dense_parameters": None if comparison is None else comparison.dense,
            "unshared_parameters": None if comparison is None else comparison.unshared,
            "connections": self.connections,
            "flops": self.cost.flops,
            "multiplies": self.cost.multiplies,
            "adds": self.cost.adds,
            "receptive_field": None if self.fields is None else [f.size for f in self.fields],
            "field": None if self.fields is None else [_field(f) for f in self.fields],
            "unread": None if missed is None else list(missed),
            "bytes": self.bytes,
            "milliseconds": self.milliseconds,
        }


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The layer table of one network for one picture size (C, H, W)."""

    network: str
    input: Shape
    rows: tuple[Row, ...]
    added: tuple[str, ...] = ()
    """Names of the layers at the end that striate added to what a user wrote."""
    notes: tuple[str, ...] = ()
    """What differs from the network's publication, in sentences."""

    @property
    def parameters(self) -> int:
        return sum(row.parameters for row in self.rows)

    @property
    def frozen(self) -> int:
        """Parameters that training doesn't change."""
        return sum(row.frozen for row in self.rows)

    @property
    def trainable(self) -> int:
        """Parameters that training changes."""
        return self.parameters - self.frozen

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
        from striate.network._look import look

        return {
            "network": self.network,
            "input": list(self.input),
            "parameters": self.parameters,
            "trainable": self.trainable,
            "frozen": self.frozen,
            "flops": self.cost.flops,
            "multiplies": self.cost.multiplies,
            "adds": self.cost.adds,
            "bytes": self.bytes,
            "milliseconds": self.milliseconds,
            "layers": [row.to_json() for row in self.rows],
            "added": list(self.added),
            "notes": list(self.notes),
            "findings": [asdict(finding) for finding in look(self)],
        }

    def table(self) -> str:
        """Return the table as text for a terminal, with totals, sizes, comparison and findings."""
        return text(self.to_json())

    def mermaid(self) -> str:
        """Return the network as a Mermaid flowchart; repeated blocks are drawn once."""
        from striate.network._draw_mermaid import mermaid

        return mermaid(self)

    def svg(self) -> str:
        """Return the network as an SVG document; repeated blocks are drawn once."""
        from striate.network._draw_svg import svg

        return svg(self)


def final_rows(activation: str | None, rows: Sequence[Row]) -> list[Row]:
    """Return the row of an activation that the task applies after the network, if there is one."""
    if activation is None:
        return []
    last = rows[-1]
    return [
        Row(
            name=activation.replace("-", "_"),
            kind=activation,
            formula="",
            input=last.output,
            output=last.output,
            parameters=0,
            cost=Cost(),
            fields=last.fields,
            bytes=last.bytes,
            reads=(len(rows) - 1,) if rows else (PICTURE,),
        )
    ]


def measured(rows: Sequence[Row], milliseconds: Sequence[float]) -> list[Row]:
    """Return the rows with their milliseconds, rounded to 0.1 µs."""
    pairs = zip(rows, milliseconds, strict=True)
    return [replace(row, milliseconds=round(time, 4)) for row, time in pairs]


def _field(axis: Field) -> dict[str, float]:
    return {"size": axis.size, "stride": axis.stride, "centre": axis.centre}
