"""Layers that move a window over a feature map: convolution and pooling."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from striate.errors import NetworkError, unknown
from striate.network._arithmetic import Shape, Window, formula, product, times
from striate.network._field import Fields
from striate.network._size import Padding, Size, all_sides, per_axis, require, windows, written
from striate.network._spec import Cost, Layer

MODES = ("zeros", "reflect", "replicate", "circular")
"""What a convolution's padding holds; names and meaning are PyTorch's."""


@dataclass(frozen=True)
class Conv(Layer):
    """Convolution (cross-correlation) with `channels` filters over all input channels.

    Padding holds zeros, or what `mode` says: "reflect" mirrors the map without repeating its edge,
    "replicate" repeats the edge, "circular" goes on at the other side. With `groups`, filters and
    input channels are parted into so many groups, and a filter reads its own group.
    (C, H, W) → (channels, H', W'), (C, L) → (channels, L').
    """

    channels: int
    kernel: Size
    stride: Size = 1
    padding: Padding = 0
    dilation: Size = 1
    groups: int = 1
    bias: bool = True
    mode: str = "zeros"

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
        if self.channels % self.groups:
            raise NetworkError(
                f"The channels of a conv layer must be a multiple of its groups, got "
                f"{self.channels} channels and {self.groups} groups."
            )
        if self.mode not in MODES:
            raise NetworkError(unknown("padding mode", self.mode, MODES))

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
        if self.mode != "zeros":
            text += f" mode {self.mode}"
        return text if self.bias else f"{text} bias off"

    def windows(self, sizes: Shape) -> tuple[Window, ...]:
        """Return the window of each axis of a map with these sizes (H, W)."""
        return windows(sizes, self.kernel, self.stride, self.padding, dilation=self.dilation)

    def objection(self, shape: Shape) -> str:
        if shape[0] % self.groups:
            return (
                f"has {self.groups} groups, which must divide the {shape[0]} channels that it gets"
            )
        # Reflection leaves the edge out; a circle goes round once at most.
        least = {"reflect": 1, "circular": 0}.get(self.mode)
        for window, size in zip(self.windows(shape[1:]), shape[1:], strict=True):
            if least is not None and max(window.padding, window.behind) > size - least:
                return (
                    f"gets {times(shape[1:])}, and with mode {self.mode} its padding must be at most "
                    f"the size{' less 1' if least else ''}; take a larger picture or less padding"
                )
        return ""

    def weights(self, shape: Shape) -> int:
        """Return the number of weights: input channels of its group × taps for each filter."""
        taps = product(per_axis(self.kernel, len(shape) - 1))
        return self.channels * (shape[0] // self.groups) * taps

    def output(self, shape: Shape) -> Shape:
        found = zip(self.windows(shape[1:]), shape[1:], strict=True)
        sizes = (window.positions(size) for window, size in found)
        return (self.channels, *sizes)

    def formula(self, shape: Shape) -> str:
        return formula(self.windows(shape[1:]), shape[1:])

    def parameters(self, shape: Shape) -> int:
        return self.weights(shape) + (self.channels if self.bias else 0)

    def cost(self, shape: Shape) -> Cost:
        count = self.weights(shape) * product(self.output(shape)[1:])
        return Cost(multiplies=count, adds=count)

    def fields(self, fields: Fields, shape: Shape, picture: Shape) -> Fields:
        del picture
        found = zip(fields, self.windows(shape[1:]), strict=True)
        return tuple(field.through(window) for field, window in found)


@dataclass(frozen=True)
class Pool(Layer):
    """Maximum, minimum or mean of each window, channel by channel.

    Max pads with −∞ and min with +∞, so padding never wins. Average pads with zeros, which count
    where `count_padding`. `stride` None means the window's size. With `ceil`, a last window may
    reach behind the padding; what lies there never counts.
    """

    how: Literal["max", "min", "average"]
    window: Size
    stride: Size | None = None
    padding: Padding = 0
    ceil: bool = False
    count_padding: bool = True

    takes: ClassVar[Literal["maps"]] = "maps"
    stem: ClassVar[str] = "pool"

    def __post_init__(self) -> None:
        require("window", self.window, 1)
        require("stride", self.steps, 1)
        require("padding", self.padding, 0)
        if self.padding == "same":
            if self.ceil:
                raise NetworkError(
                    "Padding 'same' gives ceil(size / stride) by itself. Leave 'ceil' out."
                )
            return
        if self._widest_beside():
            raise NetworkError(
                f"The padding of '{self.notation}' must be at most half of its window, or a window "
                "could lie in the padding alone."
            )

    def _widest_beside(self) -> bool:
        """Return whether the padding of an axis is more than half of the window there."""
        pads = all_sides(self.padding)
        axes = max(len(pads), len(self.window) if isinstance(self.window, tuple) else 1)
        pairs = zip(
            per_axis(self.window, axes), pads if len(pads) > 1 else pads * axes, strict=True
        )
        return any(2 * max(pad.before, pad.after) > window for window, pad in pairs)

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
        if self.stride is not None:
            text += f" stride {written(self.stride)}"
        if self.padding != 0:
            text += f" pad {written(self.padding)}"
        if self.ceil:
            text += " ceil"
        return text if self.count_padding else f"{text} count off"

    def windows(self, sizes: Shape) -> tuple[Window, ...]:
        """Return the window of each axis of a map with these sizes (H, W)."""
        return windows(sizes, self.window, self.steps, self.padding, ceil=self.ceil)

    def output(self, shape: Shape) -> Shape:
        found = zip(self.windows(shape[1:]), shape[1:], strict=True)
        sizes = (window.positions(size) for window, size in found)
        return (shape[0], *sizes)

    def formula(self, shape: Shape) -> str:
        return formula(self.windows(shape[1:]), shape[1:])

    def cost(self, shape: Shape) -> Cost:
        """An average adds up its window and multiplies once by 1/window; max and min compare."""
        if self.how != "average":
            return Cost()
        outputs = product(self.output(shape))
        taps = product(per_axis(self.window, len(shape) - 1))
        return Cost(multiplies=outputs, adds=outputs * (taps - 1))

    def fields(self, fields: Fields, shape: Shape, picture: Shape) -> Fields:
        del picture
        found = zip(fields, self.windows(shape[1:]), strict=True)
        return tuple(field.through(window) for field, window in found)
