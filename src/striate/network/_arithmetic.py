"""Sizes of windowed layers, in pure Python: shared by specifications, summary and messages.

A window of `kernel` taps, `dilation` apart, moves over n pixels (with `padding` before them and
`after` behind) in steps of `stride`. It has

    floor((n + padding + after − dilation·(kernel − 1) − 1) / stride) + 1

positions (ceil in place of floor where `ceil`); V. Dumoulin and F. Visin, "A guide to convolution
arithmetic for deep learning", 2016. Height and width are two windows.
"""

from dataclasses import dataclass

Shape = tuple[int, ...]
"""(C, H, W) of a feature map or (F,) of a vector, without the batch axis."""


def product(shape: Shape) -> int:
    """Return how many numbers a shape holds."""
    total = 1
    for size in shape:
        total *= size
    return total


def times(shape: Shape) -> str:
    """Return a shape in words: (3, 64, 64) → "3×64×64"."""
    return "×".join(str(size) for size in shape)


@dataclass(frozen=True, kw_only=True)
class Window:
    """A window along one axis; all numbers in pixels of the layer's own input.

    `padding` lies before the first pixel, `after` behind the last; None means as much as before.
    """

    kernel: int
    stride: int = 1
    padding: int = 0
    after: int | None = None
    dilation: int = 1
    ceil: bool = False

    @classmethod
    def same(cls, size: int, *, kernel: int, stride: int, dilation: int = 1) -> "Window":
        """Return the window with ceil(size / stride) positions, an odd pixel of padding after.

        This is how TensorFlow and Keras define "same".
        """
        span, steps = dilation * (kernel - 1) + 1, -(-size // stride) - 1
        total = max(steps * stride + span - size, 0)
        before = total // 2
        return cls(
            kernel=kernel, stride=stride, padding=before, after=total - before, dilation=dilation
        )

    @property
    def behind(self) -> int:
        """Padding behind the last pixel, with None resolved."""
        return self.padding if self.after is None else self.after

    @property
    def span(self) -> int:
        """Pixels from the window's first tap to its last, both included."""
        return self.dilation * (self.kernel - 1) + 1

    def positions(self, size: int) -> int:
        """Return the output size for `size` pixels; below 1 where the window doesn't fit.

        With `ceil`, a last window that would start in the padding behind the picture is left out,
        as PyTorch does.
        """
        room = size + self.padding + self.behind - self.span
        if room < 0:
            return 0
        if not self.ceil:
            return room // self.stride + 1
        count = -(-room // self.stride) + 1
        return count - 1 if (count - 1) * self.stride >= size + self.padding else count

    def formula(self, size: int) -> str:
        """Return the size formula in this window's numbers: "(28 − 3 + 2·1)/1 + 1 = 28".

        floor or ceil is written only where the division leaves a rest, and a dilated window as
        d·(k − 1) + 1.
        """
        dilated = f"({self.dilation}·({self.kernel} − 1) + 1)"
        taps = str(self.kernel) if self.dilation == 1 else dilated
        one_sided = f"{self.padding} + {self.behind}"
        padding = f"2·{self.padding}" if self.padding == self.behind else one_sided
        division = f"({size} − {taps} + {padding})/{self.stride}"
        room, count = size + self.padding + self.behind - self.span, self.positions(size)
        if room % self.stride == 0:
            return f"{division} + 1 = {count}"
        if not self.ceil:
            return f"floor({division}) + 1 = {count}"
        if count == -(-room // self.stride) + 1:
            return f"ceil({division}) + 1 = {count}"
        return f"ceil({division}) + 1 − 1 = {count} (the last window would start in the padding)"


def formula(windows: tuple[Window, ...], sizes: Shape) -> str:
    """Return the formula of all axes: once where they agree, else height and width apart."""
    lines = [window.formula(size) for window, size in zip(windows, sizes, strict=True)]
    if len(set(lines)) == 1:
        return lines[0]
    names = ("height", "width") if len(lines) == 2 else ("length",)
    return "; ".join(f"{name}: {line}" for name, line in zip(names, lines, strict=True))
