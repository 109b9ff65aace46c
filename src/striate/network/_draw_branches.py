"""The inside of a block: branches that part at its input and meet once, where it is so simple."""

from collections.abc import Sequence
from dataclasses import dataclass

from striate.network._arithmetic import Shape
from striate.network._draw_words import is_small, layer_words
from striate.network._rows import Row
from striate.network._spec_block import Add, Concatenate


@dataclass(frozen=True, kw_only=True)
class Inside:
    """Branches in words, each from the input on, and how they meet; see `Node`."""

    branches: tuple[tuple[str, ...], ...]
    join: str


def output(rows: Sequence[Row], numbers: Sequence[int]) -> Shape:
    """Return the shape of a block's output: what reads several of its layers has them together."""
    ends = _ends(rows, set(numbers))
    reader = _reader(rows, ends) if len(ends) > 1 else None
    return rows[numbers[-1]].output if reader is None else reader.input


def with_skip(rows: Sequence[Row], numbers: Sequence[int], found: Inside) -> Inside | None:
    """Return a chain with its input beside it, joined after it; None for other blocks."""
    end = numbers[-1]
    reader = next((row for row in rows if end in row.reads), None)
    if found.join or reader is None or not reader.input:
        return None
    same = reader.input[0] == rows[end].output[0]
    return Inside(branches=(*found.branches, ()), join="add" if same else "concatenate")


def inside(rows: Sequence[Row], numbers: Sequence[int]) -> Inside | None:
    """Return a block's branches, or None where it isn't a chain or a single fork and meeting."""
    held = set(numbers)
    joins = [number for number in numbers if len(_sources(rows, number, held)) > 1]
    ends = _ends(rows, held)
    if len(joins) + (len(ends) > 1) > 1 or (len(ends) > 1 and _reader(rows, ends) is None):
        return None
    meeting = _sources(rows, joins[0], held) if joins else ends
    tail = [number for number in numbers if joins and number >= joins[0]]
    chains = [_back(rows, end, held) for end in meeting]
    covered = [number for chain in chains for number in chain or ()] + tail
    # Neither a layer that is left out nor one that two branches share.
    if None in chains or sorted(covered) != sorted(held):
        return None
    # A skip, which is empty, stands last.
    found = sorted((chain for chain in chains if chain is not None), key=lambda one: not one)
    words = tuple(_words(rows, chain) for chain in found)
    return Inside(branches=words, join=_join(rows, meeting, tail) if len(found) > 1 else "")


def _sources(rows: Sequence[Row], number: int, held: set[int]) -> tuple[int, ...]:
    """Return what a row reads; all that comes from outside the block is its input, so one."""
    reads = rows[number].reads
    outside = [source for source in reads if source not in held]
    return (*outside[:1], *(source for source in reads if source in held))


def _reader(rows: Sequence[Row], ends: Sequence[int]) -> Row | None:
    """Return a row that reads all of these."""
    return next((row for row in rows if set(ends) <= set(row.reads)), None)


def _ends(rows: Sequence[Row], held: set[int]) -> tuple[int, ...]:
    """Return the block's rows that others read, or its last one where the network ends."""
    outside = [row for number, row in enumerate(rows) if number not in held]
    read = sorted({source for row in outside for source in row.reads} & held)
    return tuple(read) or (max(held),)


def _back(rows: Sequence[Row], end: int, held: set[int]) -> list[int] | None:
    """Return the chain that ends in `end`, from the block's input on; None where it forks."""
    chain: list[int] = []
    while end in held:
        sources = _sources(rows, end, held)
        if len(sources) != 1:
            return None
        chain.insert(0, end)
        end = sources[0]
    return chain


def _words(rows: Sequence[Row], chain: Sequence[int]) -> tuple[str, ...]:
    """Return the layers of a branch, activations and the like left out unless it has no others."""
    large = [number for number in chain if not is_small(rows[number])] or chain
    return tuple(layer_words(rows[number]) for number in large)


def _join(rows: Sequence[Row], meeting: Sequence[int], tail: Sequence[int]) -> str:
    """Return how branches meet, told by their channels, and the layers after it."""
    after = [rows[number] for number in tail]
    if not after or not isinstance(after[0].layer, Add | Concatenate):
        return " · ".join([_how(rows, meeting), *map(layer_words, after)])
    return " · ".join(map(layer_words, after))


def _how(rows: Sequence[Row], meeting: Sequence[int]) -> str:
    """Return "add" where the result has every branch's channels, else "concatenate"."""
    inside = [number for number in meeting if number >= 0]
    reader = _reader(rows, inside)
    channels = {rows[number].output[0] for number in inside if rows[number].output}
    same = reader is not None and bool(reader.input) and channels == {reader.input[0]}
    return "add" if same else "concatenate"
