"""Layers without a window: activation, batch norm, dropout, flatten, dense, global pooling."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from striate.errors import NetworkError, unknown
from striate.network._arithmetic import Shape, product
from striate.network._field import Fields, whole
from striate.network._spec import Cost, Layer

ACTIVATIONS = (
    "relu",
    "leaky-relu",
    "gelu",
    "silu",
    "sigmoid",
    "tanh",
    "softmax",
    "log-softmax",
)


@dataclass(frozen=True)
class Activation(Layer):
    """An activation function; softmax and log-softmax run over the channels."""

    function: str

    def __post_init__(self) -> None:
        if self.function not in ACTIVATIONS:
            raise NetworkError(unknown("activation", self.function, ACTIVATIONS))

    @property
    def kind(self) -> str:
        return self.function

    @property
    def stem(self) -> str:
        return self.function.replace("-", "_")

    @property
    def notation(self) -> str:
        return self.function


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Batch normalisation per channel, with a trained scale and shift (2·C parameters).

    In evaluation mode it is one multiplication and one addition per number, from the running mean
    and variance.
    """

    kind: ClassVar[str] = "batch norm"
    stem: ClassVar[str] = "norm"
    notation: ClassVar[str] = "batchnorm"

    def parameters(self, shape: Shape) -> int:
        return 2 * shape[0]

    def cost(self, shape: Shape) -> Cost:
        return Cost(multiplies=product(shape), adds=product(shape))


@dataclass(frozen=True)
class Dropout(Layer):
    """Zeroes each number with this probability while training; nothing in evaluation mode."""

    probability: float = 0.5

    kind: ClassVar[str] = "dropout"
    stem: ClassVar[str] = "dropout"

    def __post_init__(self) -> None:
        if not 0 <= self.probability < 1:
            raise NetworkError(
                f"The probability of dropout must be from 0 to below 1, got {self.probability}."
            )

    @property
    def notation(self) -> str:
        return f"dropout {self.probability!r}"


@dataclass(frozen=True)
class Flatten(Layer):
    """(C, H, W) → (C·H·W,), channel by channel, row by row."""

    kind: ClassVar[str] = "flatten"
    stem: ClassVar[str] = "flatten"
    notation: ClassVar[str] = "flatten"

    def output(self, shape: Shape) -> Shape:
        return (product(shape),)

    def formula(self, shape: Shape) -> str:
        if len(shape) == 1:
            return ""
        return f"{'·'.join(str(size) for size in shape)} = {product(shape)}"

    def fields(self, fields: Fields, shape: Shape, picture: Shape) -> Fields:
        """A number keeps its field, but where it lies differs: the whole map's is given."""
        return whole(fields, shape[1:], picture)


@dataclass(frozen=True)
class Dense(Layer):
    """Fully connected: every unit reads every input. (F,) → (units,).

    The arithmetic also holds for (…, F), where one layer is used at every position.
    """

    units: int
    bias: bool = True

    takes: ClassVar[Literal["vectors"]] = "vectors"
    kind: ClassVar[str] = "dense"
    stem: ClassVar[str] = "dense"

    def __post_init__(self) -> None:
        if self.units < 1:
            raise NetworkError(f"A dense layer needs 1 unit or more, got {self.units}.")

    @property
    def notation(self) -> str:
        return f"dense {self.units}" if self.bias else f"dense {self.units} bias off"

    def output(self, shape: Shape) -> Shape:
        return (*shape[:-1], self.units)

    def formula(self, shape: Shape) -> str:
        return f"{shape[-1]} → {self.units}"

    def parameters(self, shape: Shape) -> int:
        return shape[-1] * self.units + (self.units if self.bias else 0)

    def cost(self, shape: Shape) -> Cost:
        count = product(shape) * self.units
        return Cost(multiplies=count, adds=count)


@dataclass(frozen=True)
class GlobalPool(Layer):
    """Maximum, minimum or mean of each whole channel: (C, H, W) or (C, L) → (C,)."""

    how: Literal["max", "min", "average"] = "average"

    takes: ClassVar[Literal["maps"]] = "maps"
    stem: ClassVar[str] = "global_pool"

    @property
    def kind(self) -> str:
        return f"global {self.how} pool"

    @property
    def notation(self) -> str:
        return f"global {self.how}"

    def output(self, shape: Shape) -> Shape:
        return shape[:1]

    def formula(self, shape: Shape) -> str:
        return f"{'·'.join(str(size) for size in shape[1:])} → 1"

    def cost(self, shape: Shape) -> Cost:
        if self.how != "average":
            return Cost()
        return Cost(multiplies=shape[0], adds=shape[0] * (product(shape[1:]) - 1))

    def fields(self, fields: Fields, shape: Shape, picture: Shape) -> Fields:
        return whole(fields, shape[1:], picture)
