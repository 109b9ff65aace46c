"""A layer's specification: what it is and all its arithmetic, before PyTorch is imported.

A network is a list of specifications (striate.network._walk goes through it); PyTorch modules are
made from them by striate.network._modules.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from striate.network._arithmetic import Shape
from striate.network._field import Fields


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Arithmetic for one picture: FLOPs are multiplications plus additions.

    A multiply-add counts as one of each, so as 2 FLOPs; a bias is where the sum starts and costs
    nothing more. Comparisons (ReLU, max, min) and exponentials (sigmoid, softmax) aren't counted.
    """

    multiplies: int = 0
    adds: int = 0

    @property
    def flops(self) -> int:
        return self.multiplies + self.adds


class Layer(ABC):
    """One layer; every shape is (C, H, W) or (F,), without the batch axis.

    `takes` says which shapes: "maps" (C, H, W), "vectors" (F,) or "both". `stem` begins the name
    of the layer's module: conv1, conv2.
    """

    takes: ClassVar[Literal["maps", "vectors", "both"]] = "both"

    @property
    @abstractmethod
    def kind(self) -> str:
        """The layer in words: "conv", "max pool", "dense"."""

    @property
    @abstractmethod
    def stem(self) -> str:
        """The beginning of its name in a network."""

    @property
    @abstractmethod
    def notation(self) -> str:
        """The layer as a user writes it: "conv 32 3 pad 1"."""

    def output(self, shape: Shape) -> Shape:
        """Return the output shape; with a size below 1 where the layer doesn't fit."""
        return shape

    def objection(self, shape: Shape) -> str:
        """Return why an input can't be taken beside its size, to go on after the layer's name; ""."""
        del shape
        return ""

    def formula(self, shape: Shape) -> str:
        """Return where the output size comes from, in this layer's numbers; "" where it's kept."""
        del shape
        return ""

    def parameters(self, shape: Shape) -> int:
        """Return how many numbers training changes."""
        del shape
        return 0

    def cost(self, shape: Shape) -> Cost:
        """Return the arithmetic for one picture in evaluation mode."""
        del shape
        return Cost()

    def fields(self, fields: Fields, shape: Shape, picture: Shape) -> Fields:
        """Return the receptive fields of the output, from those of the input.

        `picture` holds the sizes (H, W) of the network's input.
        """
        del shape, picture
        return fields
