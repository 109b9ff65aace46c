"""Layers with weights that follow each other without an activation: one layer would do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from striate.network._arithmetic import product, times
from striate.network._field import Field
from striate.network._rows import Row
from striate.network._spec_plain import BatchNorm, Dense, Dropout, Flatten, GlobalPool
from striate.network._spec_window import Conv, Pool


class Chain:
    """The rows of a network with the rows that read each of them."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._readers: dict[int, list[Row]] = {}
        for row in rows:
            for source in row.reads:
                self._readers.setdefault(source, []).append(row)
        self._numbers = {id(row): number for number, row in enumerate(rows)}

    def only_reader(self, row: Row) -> Row | None:
        """Return the row that reads this one and nothing else, where it is the only one.

        None too where something is computed on the way without a module.
        """
        readers = self._readers.get(self._numbers[id(row)], [])
        if len(readers) != 1 or len(readers[0].reads) != 1 or readers[0].computed:
            return None
        return readers[0]

    def ends(self, row: Row) -> bool:
        """Return whether the network ends with this row (an activation of the task may follow)."""
        readers = self._readers.get(self._numbers[id(row)], [])
        return all(reader.layer is None for reader in readers)

    def weighted_after(self, row: Row) -> bool:
        """Return whether a convolution or dense layer reads this row, dropout and flatten apart."""
        after = self.only_reader(row)
        while after is not None and isinstance(after.layer, Dropout | Flatten):
            after = self.only_reader(after)
        return after is not None and isinstance(after.layer, Conv | Dense)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two layers that do one layer's work: that layer in words, and the parameters it needs."""

    first: Row
    second: Row
    one: str
    merged: int


def linear_pairs(chain: Chain) -> Iterator[Pair]:
    """Yield the convolution and dense layers that one of them follows without an activation.

    Not those that save parameters: a narrow layer between wide ones, or convolution in groups
    (MobileNet's blocks are such factorisations).
    """
    for row in chain.rows:
        if isinstance(row.layer, Conv | Dense):
            pair = _pair(chain, row)
            if pair is not None and not _is_factorisation(pair):
                yield pair


def _pair(chain: Chain, first: Row) -> Pair | None:
    """Follow one layer through what is linear in evaluation mode to the next with weights."""
    between: list[Row] = []
    after = chain.only_reader(first)
    while after is not None and _is_linear(after):
        between.append(after)
        after = chain.only_reader(after)
    if after is None or not isinstance(after.layer, Conv | Dense):
        return None
    one, merged = _merged(first, between, after)
    return Pair(first=first, second=after, one=one, merged=merged)


def _is_linear(row: Row) -> bool:
    layer = row.layer
    if isinstance(layer, Pool | GlobalPool):
        return layer.how == "average"
    return isinstance(layer, BatchNorm | Dropout | Flatten)


def _is_factorisation(pair: Pair) -> bool:
    first, second = pair.first, pair.second
    grouped = any(isinstance(row.layer, Conv) and row.layer.groups > 1 for row in (first, second))
    middle = first.output[0] if isinstance(first.layer, Conv) else first.output[-1]
    narrow = middle < min(first.input[0], second.output[0])
    saves = first.parameters + second.parameters < pair.merged
    return saves and (grouped or narrow)


def _merged(first: Row, between: Sequence[Row], second: Row) -> tuple[str, int]:
    """Return the layer that computes what these can together, in words, and its parameters."""
    if isinstance(second.layer, Dense):
        units = second.layer.units
        inputs = product(first.input)
        return f"one dense layer of {inputs:,} → {units:,}", inputs * units + units
    rows = [first, *between, second]
    fields = tuple(Field() for _ in first.input[1:])
    for row in rows:
        if row.layer is not None:
            fields = row.layer.fields(fields, row.input, first.input[1:])
    groups = {row.layer.groups for row in rows if isinstance(row.layer, Conv)}
    shared = groups.pop() if len(groups) == 1 else 1
    kernel = tuple(field.size for field in fields)
    channels = second.output[0]
    count = first.input[0] // shared * product(kernel) * channels + channels
    borders = ", borders apart" if _is_padded(second) else ""
    return f"one {times(kernel)} convolution{borders}", count


def _is_padded(row: Row) -> bool:
    """Return whether a convolution reads padding: there, the first one's bias is missing."""
    if row.layer is None:
        return False
    fields = tuple(Field() for _ in row.input[1:])
    return any(one.start < 0 for one in row.layer.fields(fields, row.input, row.input[1:]))
