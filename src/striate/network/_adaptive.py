"""Averaging a map to a fixed number of positions: what AlexNet's and VGG's heads read."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from striate.network._arithmetic import Shape
from striate.network._field import Fields, whole
from striate.network._spec import Cost, Layer


@dataclass(frozen=True)
class AdaptivePool(Layer):
    """Mean of the map's windows: (C, H, W) → (C, grid, grid).

    Position i averages the rows from floor(i·H/grid) to below ceil((i + 1)·H/grid), so that windows
    differ in size and overlap where grid doesn't divide H; columns likewise (PyTorch's
    AdaptiveAvgPool2d).
    """

    grid: int

    takes: ClassVar[Literal["maps"]] = "maps"
    kind: ClassVar[str] = "adaptive average pool"
    stem: ClassVar[str] = "pool"

    @property
    def notation(self) -> str:
        return f"adaptive average {self.grid}"

    def windows(self, size: int) -> list[range]:
        """Return the positions that each window of one axis reads."""
        n = self.grid
        return [range(i * size // n, -(-(i + 1) * size // n)) for i in range(n)]

    def output(self, shape: Shape) -> Shape:
        return (shape[0], self.grid, self.grid)

    def formula(self, shape: Shape) -> str:
        told = [
            f"window i: {n}·i/{self.grid} rounded down to {n}·(i + 1)/{self.grid} rounded up"
            for n in shape[1:]
        ]
        return told[0] if shape[1] == shape[2] else f"height: {told[0]}; width: {told[1]}"

    def cost(self, shape: Shape) -> Cost:
        """Rows and columns one after the other, as matrix products."""
        channels, height, width = shape
        rows = channels * self.grid * height * width
        columns = channels * self.grid * self.grid * width
        return Cost(multiplies=rows + columns, adds=rows + columns)

    def fields(self, fields: Fields, shape: Shape, picture: Shape) -> Fields:
        """Windows differ, so the whole map's field is given."""
        return whole(fields, shape[1:], picture)


class AdaptivePooling(nn.Module):
    """`AdaptivePool` for maps of one shape, as two fixed matrix products. (N, C, H, W).

    ONNX has no adaptive pooling, and PyTorch's exporter can't write one that doesn't divide its map;
    a matrix product is exact there, and its backward pass is deterministic everywhere.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, spec: AdaptivePool, shape: Shape) -> None:
        super().__init__()
        self.spec = spec
        # What follows from the specification isn't saved with the weights.
        self.register_buffer("rows", _means(spec.windows(shape[1]), shape[1]), persistent=False)
        self.register_buffer("columns", _means(spec.windows(shape[2]), shape[2]), persistent=False)

    def forward(self, maps_NCHW: Tensor) -> Tensor:
        return self.rows @ maps_NCHW @ self.columns.T


def _means(windows: list[range], size: int) -> Tensor:
    """Return the matrix (windows, size) whose rows average one window each."""
    means = torch.zeros(len(windows), size)
    for row, window in zip(means, windows, strict=True):
        row[window.start : window.stop] = 1 / len(window)
    return means


def adaptive_pooling(grid: int, shape: Shape) -> nn.Module:
    """Return the module that averages maps of `shape` to grid×grid positions, in its plainest form."""
    if shape[1:] == (grid, grid):
        return nn.Identity()
    if shape[1] % grid == 0 and shape[2] % grid == 0:
        return nn.AvgPool2d((shape[1] // grid, shape[2] // grid))
    return AdaptivePooling(AdaptivePool(grid), shape)
