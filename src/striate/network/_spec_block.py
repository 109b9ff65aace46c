"""Blocks: lists of layers inside a network. Their arithmetic is that of their layers."""

from dataclasses import dataclass
from typing import ClassVar

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
class Residual:
    """body(x) + shortcut(x); an empty shortcut is x itself.

    K. He et al., "Deep residual learning for image recognition", 2016. An activation after the sum
    is the next layer of the network.
    """

    body: tuple[Layer, ...]
    shortcut: tuple[Layer, ...] = ()

    stem: ClassVar[str] = "block"

    @property
    def notation(self) -> str:
        branches = [self.body, self.shortcut] if self.shortcut else [self.body]
        inside = (" | ".join(layer.notation for layer in branch) for branch in branches)
        return " ".join(["residual", *(f"({branch})" for branch in inside)])
