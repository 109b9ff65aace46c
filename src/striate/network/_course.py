"""The networks of CNN courses, exactly as published; no PyTorch here.

Every function takes the picture's shape (C, H, W) and the number of outputs and returns a
Specification. The final activation is the published one where the outputs match, else None.
"""

from striate.network._arithmetic import Shape
from striate.network._spec import Layer
from striate.network._spec_plain import Activation, BatchNorm, Dense, Dropout, Flatten, GlobalPool
from striate.network._spec_window import Conv, Pool
from striate.network._specification import Specification

RELU = Activation("relu")
MAX_2 = Pool("max", 2)


def cnn3(
    shape: Shape, outputs: int, *, dropout: float = 0.0, batch_norm: bool = False
) -> Specification:
    """Two convolutions, pooled before their ReLU (the same function as after it), and 128 units."""
    del shape
    norm: tuple[Layer, ...] = (BatchNorm(),) if batch_norm else ()
    layers = (
        *(Conv(32, 3, padding=1), *norm, MAX_2, RELU),
        *(Conv(64, 3, padding=1), *norm, MAX_2, RELU),
        *(Flatten(), Dense(128), RELU),
        *((Dropout(dropout),) if dropout else ()),
        Dense(outputs),
    )
    return Specification(layers=layers, final_activation=_classes(outputs))


def cnn5(shape: Shape, outputs: int) -> Specification:
    """Two 5×5 convolutions and two dense layers with, as published, no activation between them."""
    del shape
    layers = (
        *(Conv(32, 5, padding=2), RELU, MAX_2),
        *(Conv(64, 5, padding=2), RELU, MAX_2),
        *(Flatten(), Dropout(0.5), Dense(1000), Dense(outputs)),
    )
    return Specification(layers=layers)


def cnn64(shape: Shape, outputs: int) -> Specification:
    """Two valid convolutions for 64×64 colour pictures of two classes."""
    del shape
    layers = (
        *(Conv(32, 3), RELU, MAX_2),
        *(Conv(64, 3), RELU, MAX_2),
        *(Flatten(), Dense(128), RELU, Dense(outputs)),
    )
    return Specification(layers=layers, final_activation=_two_classes(outputs))


def cnn64_small(shape: Shape, outputs: int) -> Specification:
    """`cnn64` without its second convolution, and 2.4 times its parameters.

    The second convolution and pooling leave 14·14·64 = 12,544 numbers for the first dense layer;
    without them it reads 31·31·32 = 30,752.
    """
    del shape
    layers = (
        *(Conv(32, 3), RELU, MAX_2),
        *(Flatten(), Dense(128), RELU, Dense(outputs)),
    )
    return Specification(layers=layers, final_activation=_two_classes(outputs))


def cnn_gap(
    shape: Shape,
    outputs: int,
    *,
    widths: tuple[int, ...] = (32, 64),
    pooling: str = "max",
    batch_norm: bool = True,
    dense: int = 128,
) -> Specification:
    """Blocks of convolution, batch norm, ReLU and pooling; the global average replaces flatten."""
    del shape
    norm: tuple[Layer, ...] = (BatchNorm(),) if batch_norm else ()
    pool = {"max": MAX_2, "min": Pool("min", 2), "average": Pool("average", 2)}[pooling]
    blocks = [layer for width in widths for layer in (Conv(width, 3, padding=1), *norm, RELU, pool)]
    head = (GlobalPool("average"), Dense(dense), RELU, Dense(outputs))
    return Specification(layers=(*blocks, *head))


def lenet5(shape: Shape, outputs: int) -> Specification:
    """LeNet-5 with all of C3's connections, tanh and average pooling without trained weights.

    The publication connects each map of C3 to some maps of S2 only, trains a factor and a bias in
    each pooling, and ends in Gaussian units; the layers here are the ones of today's textbooks.
    """
    del shape
    tanh, average = Activation("tanh"), Pool("average", 2)
    layers = (
        *(Conv(6, 5), tanh, average),
        *(Conv(16, 5), tanh, average),
        *(Flatten(), Dense(120), tanh, Dense(84), tanh, Dense(outputs)),
    )
    return Specification(layers=layers)


def mlp(shape: Shape, outputs: int, *, hidden: tuple[int, ...] = (512,)) -> Specification:
    """A dense baseline that doesn't know which pixels are neighbours.

    512 hidden units give it 407,050 parameters on 28×28 grey pictures, about as many as `cnn3`.
    """
    del shape
    inside = [layer for units in hidden for layer in (Dense(units), RELU)]
    return Specification(layers=(Flatten(), *inside, Dense(outputs)))


def airbench(
    shape: Shape, outputs: int, *, widths: tuple[int, ...] = (64, 256, 256)
) -> Specification:
    """A 2×2 convolution for a whitening start, then groups of two 3×3 convolutions with GELU.

    The publication's batch norms don't learn their scale; these do.
    """
    gelu, norm = Activation("gelu"), BatchNorm()
    layers: list[Layer] = [Conv(2 * shape[0] * 2 * 2, 2), gelu]
    for width in widths:
        layers += [Conv(width, 3, padding=1, bias=False), MAX_2, norm, gelu]
        layers += [Conv(width, 3, padding=1, bias=False), norm, gelu]
    return Specification(layers=(*layers, GlobalPool("max"), Dense(outputs, bias=False)))


def _classes(outputs: int) -> str | None:
    return "log-softmax" if outputs > 1 else None


def _two_classes(outputs: int) -> str | None:
    return "sigmoid" if outputs == 1 else None
