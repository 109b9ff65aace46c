"""`compact`, the network that striate takes where the user names none."""

from striate.network._arithmetic import Shape
from striate.network._spec import Layer
from striate.network._spec_plain import Activation, BatchNorm, Dense, Dropout, GlobalPool
from striate.network._spec_window import Conv, Pool
from striate.network._specification import Specification

LARGE = 96
"""From this size on (shorter side, pixels) the first convolution has stride 2."""

WIDEST = 256
"""Channels at most."""


def compact(shape: Shape, outputs: int, *, width: int = 32, dropout: float = 0.0) -> Specification:
    """Blocks of 3×3 convolution, pooling by 2, batch norm, ReLU; global average; one dense layer.

    Chosen for accuracy per second on a CPU, trained from nothing:
    - The number of blocks follows from the picture: the shorter side is halved until 4 to 7 pixels
      are left, so that the last convolution sees most of the picture at any size.
    - Pictures of 96 pixels or more begin with a convolution of stride 2, because the first maps,
      the largest, take most of the time.
    - Pooling stands before batch norm and ReLU, which then handle a quarter of the numbers. For
      ReLU the order makes no difference.
    - Widths double from `width` up to 256: halving the map and doubling the channels keeps the
      arithmetic of every convolution the same.
    - Convolutions have no bias: batch norm would subtract it again.
    - The global average needs few parameters and fits every picture size.
    """
    side, layers = min(shape[1:]), list[Layer]()
    if side >= LARGE:
        layers += [Conv(width, 3, stride=2, padding=1, bias=False), BatchNorm(), Activation("relu")]
        side = (side + 1) // 2
    while side >= 8:
        layers += _block(width)
        side, width = side // 2, min(2 * width, WIDEST)
    layers += [Conv(width, 3, padding=1, bias=False), BatchNorm(), Activation("relu")]
    layers += [GlobalPool("average"), *([Dropout(dropout)] if dropout else []), Dense(outputs)]
    return Specification(layers=tuple(layers))


def _block(width: int) -> list[Layer]:
    return [
        Conv(width, 3, padding=1, bias=False),
        Pool("max", 2),
        BatchNorm(),
        Activation("relu"),
    ]
