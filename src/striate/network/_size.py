"""Sizes, strides and paddings as layers hold them: one number for all axes, or one for each."""

from dataclasses import dataclass
from typing import Literal, TypeVar

from striate.errors import NetworkError
from striate.network._arithmetic import Shape, Window

T = TypeVar("T")


@dataclass(frozen=True)
class Sides:
    """Padding that differs before (above, left) and after (below, right)."""

    before: int
    after: int

    def __str__(self) -> str:
        return f"{self.before}+{self.after}"


Size = int | tuple[int, ...]
"""One number for every axis, or one for each (height, width)."""

Padding = int | Sides | tuple[int | Sides, ...] | Literal["same"]
"""Pixels for every axis, or for each; "same" gives ceil(size / stride), the odd pixel after."""


def per_axis(size: T | tuple[T, ...], axes: int) -> tuple[T, ...]:
    """Return the numbers for all axes; raise NetworkError where there are too few or too many."""
    if not isinstance(size, tuple):
        return (size,) * axes
    if len(size) != axes:
        raise NetworkError(
            f"Expected one number or {axes}, one for each axis of the feature map, got {size}."
        )
    return size


def written(size: Size | Padding) -> str:
    """Return a size as users write it: 3, 3x5, 0+1 or same."""
    return "x".join(map(str, size)) if isinstance(size, tuple) else str(size)


def sides(padding: int | Sides) -> Sides:
    """Return the padding of one axis with its sides apart."""
    return padding if isinstance(padding, Sides) else Sides(padding, padding)


def all_sides(padding: Padding) -> tuple[Sides, ...]:
    """Return the sides of each padding that is given; none for "same"."""
    if padding == "same":
        return ()
    return tuple(map(sides, padding)) if isinstance(padding, tuple) else (sides(padding),)


def require(name: str, size: Size | Padding, least: int) -> None:
    """Raise NetworkError where a number of `size` is below `least`."""
    if any(min(one.before, one.after) < least for one in all_sides(size)):
        raise NetworkError(f"The {name} of a layer must be {least} or more, got {written(size)}.")


def windows(
    sizes: Shape,
    kernel: Size,
    stride: Size,
    padding: Padding,
    *,
    dilation: Size = 1,
    ceil: bool = False,
) -> tuple[Window, ...]:
    """Return the window of each axis of a map with these sizes (H, W)."""
    axes = len(sizes)
    numbers = (sizes, *(per_axis(number, axes) for number in (kernel, stride, dilation)))
    rows = list(zip(*numbers, strict=True))
    if padding == "same":
        return tuple(Window.same(n, kernel=k, stride=s, dilation=d) for n, k, s, d in rows)
    parts: tuple[int | Sides, ...] = per_axis(padding, axes)
    both = map(sides, parts)
    return tuple(
        Window(kernel=k, stride=s, padding=p.before, after=p.after, dilation=d, ceil=ceil)
        for (_, k, s, d), p in zip(rows, both, strict=True)
    )
