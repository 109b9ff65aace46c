"""Which layer reads which, from a specification alone; no PyTorch here."""

from collections.abc import Sequence

from striate.network._spec import Layer
from striate.network._spec_block import Item, Parallel, Residual

PICTURE = -1
"""The network's input, where the number of a layer is asked for."""

Reads = tuple[int, ...]
"""Numbers of the layers, counted from 0 in the order of the table, or PICTURE."""


def reads(items: Sequence[Item]) -> list[Reads]:
    """Return for each layer, blocks opened as in `walk`, the layers whose outputs it reads."""
    found: list[Reads] = []
    _through(items, PICTURE, found)
    return found


def _through(items: Sequence[Item], source: int, found: list[Reads]) -> int:
    """Append the reads of a list of layers; return the layer that ends it."""
    for item in items:
        if isinstance(item, Layer):
            found.append((source,))
        else:
            ends = [_through(branch, source, found) for branch in branches(item)]
            found.append(tuple(sorted(set(ends))))
        source = len(found) - 1
    return source


def branches(block: Residual | Parallel) -> Sequence[Sequence[Item]]:
    """Return a block's branches; an empty one is the block's input itself."""
    return block.branches if isinstance(block, Parallel) else (block.body, block.shortcut)
