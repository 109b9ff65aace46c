"""Blocks: lists of layers inside a network. Their arithmetic is that of their layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import NetworkError
from striate.network._arithmetic import Shape, product
from striate.network._spec import Cost, Layer


@dataclass(frozen=True)
class Add(Layer):
    """The sum of two branches of one shape; the last layer of every residual block."""

    kind: ClassVar[str] = "add"
    stem: ClassVar[str] = "add"
    notation: ClassVar[str] = "add"

    def cost(self, shape: Shape) -> Cost:
        return Cost(adds=product(shape))


@dataclass(frozen=True)
class Concatenate(Layer):
    """Branches of one size, one after the other by channel; the last layer of a parallel block."""

    kind: ClassVar[str] = "concatenate"
    stem: ClassVar[str] = "concatenate"
    notation: ClassVar[str] = "concatenate"


@dataclass(frozen=True)
class Residual:
    """body(x) + shortcut(x); an empty shortcut is x itself.

    K. He et al., "Deep residual learning for image recognition", 2016. An activation after the sum
    is the next layer of the network.
    """

    body: tuple["Item", ...]
    shortcut: tuple["Item", ...] = ()

    stem: ClassVar[str] = "block"

    def __post_init__(self) -> None:
        if not self.body:
            raise NetworkError("A residual block needs 1 layer or more in its body.")

    @property
    def notation(self) -> str:
        return _block("residual", [self.body, self.shortcut] if self.shortcut else [self.body])


@dataclass(frozen=True)
class Parallel:
    """All branches read x; their outputs are concatenated over the channels, in order.

    C. Szegedy et al., "Going deeper with convolutions", 2015 (its inception modules).
    """

    branches: tuple[tuple["Item", ...], ...]

    stem: ClassVar[str] = "parallel"

    def __post_init__(self) -> None:
        if len(self.branches) < 2 or not all(self.branches):
            raise NetworkError(
                "A parallel block needs 2 branches or more, with 1 layer or more in each."
            )

    @property
    def notation(self) -> str:
        return _block("parallel", self.branches)


Item = Layer | Residual | Parallel
"""What a network is a list of."""


def chain(items: Sequence[Item]) -> str:
    """Return layers as users write them on one line."""
    return " | ".join(item.notation for item in items)


def _block(word: str, branches: Sequence[Sequence[Item]]) -> str:
    return f"{word} ( {' ; '.join(chain(branch) for branch in branches)} )"
