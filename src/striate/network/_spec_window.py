"""Layers that move a window over a feature map: convolution and pooling."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from striate.errors import NetworkError
from striate.network._arithmetic import Shape, Window, formula, product, times
from striate.network._field import Fields
from striate.network._spec import Cost, Layer

Size = int | tuple[int, ...]
"""One number for every axis, or one for each (height, width)."""


def per_axis(size: Size, axes: int) -> Shape:
    """Return the numbers for all axes; raise NetworkError where there are too few or too many."""
    if isinstance(size, int):
        return (size,) * axes
    if len(size) != axes:
        raise NetworkError(
            f"Expected one number or {axes}, one for each axis of the feature map, got {size}."
        )
    return size


def written(size: Size) -> str:
    """Return a size as users write it: 3 or 3×5."""
    return str(size) if isinstance(size, int) else times(size)


def require(name: str, size: Size, least: int) -> None:
    """Raise NetworkError where a number of `size` is below `least`."""
    if min(per_axis(size, 1) if isinstance(size, int) else size) < least:
        raise NetworkError(f"The {name} of a layer must be {least} or more, got {written(size)}.")


@dataclass(frozen=True)
class Conv(Layer):
    """Convolution (cross-correlation) with `channels` filters over all input channels.

    Padding is by zeros, the same before and after. With `groups`, filters and input channels are
    parted into so many groups, and a filter reads its own group. (C, H, W) → (channels, H', W').
    """

    channels: int
    kernel: Size
    stride: Size = 1
    padding: Size = 0
    dilation: Size = 1
    groups: int = 1
    bias: bool = True

    takes: ClassVar[Literal["maps"]] = "maps"
    kind: ClassVar[str] = "conv"
    stem: ClassVar[str] = "conv"

    def __post_init__(self) -> None:
        require("number of channels", self.channels, 1)
        require("kernel", self.kernel, 1)
        require("stride", self.stride, 1)
        require("padding", self.padding, 0)
        require("dilation", self.dilation, 1)
        require("number of groups", self.groups, 1)

    @property
    def notation(self) -> str:
        text = f"conv {self.channels} {written(self.kernel)}"
        if self.stride != 1:
            text += f" stride {written(self.stride)}"
        if self.padding != 0:
            text += f" pad {written(self.padding)}"
        if self.dilation != 1:
            text += f" dilation {written(self.dilation)}"
        if self.groups != 1:
            text += f" groups {self.groups}"
        return text if self.bias else f"{text} no bias"

    def windows(self, axes: int) -> tuple[Window, ...]:
        """Return the window of each axis."""
        numbers = (self.kernel, self.stride, self.padding, self.dilation)
        columns = zip(*(per_axis(number, axes) for number in numbers), strict=True)
        return tuple(Window(kernel=k, stride=s, padding=p, dilation=d) for k, s, p, d in columns)

    def weights(self, shape: Shape) -> int:
        """Return the number of weights: input channels of its group × taps for each filter."""
        taps = product(per_axis(self.kernel, len(shape) - 1))
        return self.channels * (shape[0] // self.groups) * taps

    def output(self, shape: Shape) -> Shape:
        windows = self.windows(len(shape) - 1)
        sizes = (window.positions(size) for window, size in zip(windows, shape[1:], strict=True))
        return (self.channels, *sizes)

    def formula(self, shape: Shape) -> str:
        return formula(self.windows(len(shape) - 1), shape[1:])

    def parameters(self, shape: Shape) -> int:
        return self.weights(shape) + (self.channels if self.bias else 0)

    def cost(self, shape: Shape) -> Cost:
        count = self.weights(shape) * product(self.output(shape)[1:])
        return Cost(multiplies=count, adds=count)

    def fields(self, fields: Fields, shape: Shape, picture: Shape) -> Fields:
        del picture
        windows = self.windows(len(shape) - 1)
        return tuple(field.through(window) for field, window in zip(fields, windows, strict=True))


@dataclass(frozen=True)
class Pool(Layer):
    """Maximum, minimum or mean of each window, channel by channel.

    Max pads with −∞ and min with +∞, so padding never wins. Average pads with zeros, which count
    where `count_padding`. `stride` None means the window's size.
    """

    how: Literal["max", "min", "average"]
    window: Size
    stride: Size | None = None
    padding: Size = 0
    ceil: bool = False
    count_padding: bool = True

    takes: ClassVar[Literal["maps"]] = "maps"
    stem: ClassVar[str] = "pool"

    def __post_init__(self) -> None:
        require("window", self.window, 1)
        require("stride", self.steps, 1)
        require("padding", self.padding, 0)
        axes = 1 if isinstance(self.window, int) else len(self.window)
        sizes = zip(per_axis(self.window, axes), per_axis(self.padding, axes), strict=True)
        if any(2 * padding > window for window, padding in sizes):
            raise NetworkError(
                f"The padding of '{self.notation}' must be at most half of its window, or a window "
                "could lie in the padding alone."
            )

    @property
    def steps(self) -> Size:
        """The stride, with None resolved."""
        return self.window if self.stride is None else self.stride

    @property
    def kind(self) -> str:
        return f"{self.how} pool"

    @property
    def notation(self) -> str:
        text = f"{self.how} {written(self.window)}"
        if self.steps != self.window:
            text += f" stride {written(self.steps)}"
        if self.padding != 0:
            text += f" pad {written(self.padding)}"
        return f"{text} ceil" if self.ceil else text

    def windows(self, axes: int) -> tuple[Window, ...]:
        """Return the window of each axis."""
        numbers = (self.window, self.steps, self.padding)
        columns = zip(*(per_axis(number, axes) for number in numbers), strict=True)
        return tuple(Window(kernel=k, stride=s, padding=p, ceil=self.ceil) for k, s, p in columns)

    def output(self, shape: Shape) -> Shape:
        windows = self.windows(len(shape) - 1)
        sizes = (window.positions(size) for window, size in zip(windows, shape[1:], strict=True))
        return (shape[0], *sizes)

    def formula(self, shape: Shape) -> str:
        return formula(self.windows(len(shape) - 1), shape[1:])

    def cost(self, shape: Shape) -> Cost:
        """An average adds up its window and multiplies once by 1/window; max and min compare."""
        if self.how != "average":
            return Cost()
        outputs = product(self.output(shape))
        taps = product(per_axis(self.window, len(shape) - 1))
        return Cost(multiplies=outputs, adds=outputs * (taps - 1))

    def fields(self, fields: Fields, shape: Shape, picture: Shape) -> Fields:
        del picture
        windows = self.windows(len(shape) - 1)
        return tuple(field.through(window) for field, window in zip(fields, windows, strict=True))
