"""Receptive fields: which input pixels one number of a feature map can depend on.

Recursion of A. Araujo, W. Norris and J. Sim, "Computing receptive fields of convolutional neural
networks", Distill 2019: with kernel k, stride s, padding p and dilation d,

    size ← size + d·(k − 1)·stride      start ← start − p·stride      stride ← stride·s
"""

from dataclasses import dataclass

from striate.network._arithmetic import Shape, Window


@dataclass(frozen=True, kw_only=True)
class Field:
    """The receptive field along one axis, in pixels of the network's input.

    Attributes:
        size: pixels that one position sees, those in the padding included.
        stride: distance of the fields of neighbouring positions.
        start: first pixel that position 0 sees; negative where that lies in the padding.
    """

    size: int = 1
    stride: int = 1
    start: int = 0

    @property
    def centre(self) -> float:
        """Centre of the field of position 0; pixel 0 has its centre at 0."""
        return self.start + (self.size - 1) / 2

    def through(self, window: Window) -> "Field":
        """Return the field after a layer with this window."""
        return Field(
            size=self.size + (window.span - 1) * self.stride,
            stride=self.stride * window.stride,
            start=self.start - window.padding * self.stride,
        )

    def whole(self, positions: int, picture: int) -> "Field":
        """Return the field of one number that reads all positions, clipped to the picture."""
        first = max(self.start, 0)
        last = min(self.start + (positions - 1) * self.stride + self.size, picture)
        return Field(size=last - first, stride=picture, start=first)

    def join(self, other: "Field") -> "Field":
        """Return the smallest field that holds both; for branches that meet again.

        Branches meet at one stride, but for one that read the whole picture before.
        """
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return Field(size=end - start, stride=min(self.stride, other.stride), start=start)


Fields = tuple[Field, ...]
"""One field for each spatial axis of the picture."""


def whole(fields: Fields, positions: Shape, picture: Shape) -> Fields:
    """Return the fields of numbers that read every position of every axis.

    `positions` may be empty: a vector's numbers have been joined before. A single position keeps
    its field.
    """
    if all(count == 1 for count in positions):
        return fields
    axes = zip(fields, positions, picture, strict=True)
    return tuple(field.whole(count, size) for field, count, size in axes)
