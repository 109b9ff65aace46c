"""The calculator against PyTorch, on random sizes, strides, paddings and dilations."""

from fractions import Fraction
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional

from striate.errors import NetworkError
from striate.network import Conv, Pool, Sizes, convolve, pool, read_maps, read_number
from striate.network._calculator_numbers import Maps, shown
from striate.network._calculator_text import written
from striate.network._size import Sides

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
SIDES = st.tuples(*[st.integers(0, 2)] * 4)


def numbers(seed: int, *shape: int) -> Maps:
    """Return whole numbers from −9 to 9, (C, H, W)."""
    drawn = np.random.default_rng(seed).integers(-9, 10, shape)
    return tuple(tuple(map(tuple, channel)) for channel in drawn.tolist())


def tensor(maps: Maps) -> torch.Tensor:
    return torch.tensor(maps, dtype=torch.float64)[None]


def floats(maps: Maps) -> list[list[list[float]]]:
    return [[[float(number) for number in row] for row in matrix] for matrix in maps]


@given(
    seed=st.integers(0, 999),
    size=st.tuples(st.integers(1, 2), st.integers(2, 7), st.integers(2, 7)),
    kernel=PAIRS,
    stride=PAIRS,
    dilation=PAIRS,
    sides=SIDES,
    bias=st.integers(-5, 5),
)
@settings(deadline=None, max_examples=80)
def test_convolution_is_pytorchs(
    seed: int,
    size: tuple[int, int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    sides: tuple[int, int, int, int],
    bias: int,
) -> None:
    top, bottom, left, right = sides
    maps, weights = numbers(seed, *size), numbers(seed + 1, size[0], *kernel)
    layer = Conv(1, kernel, stride, (Sides(top, bottom), Sides(left, right)), dilation)
    assume(min(layer.output(size)) >= 1)
    found = convolve(maps, weights, layer, bias=bias)
    padded = functional.pad(tensor(maps), (left, right, top, bottom))
    expected = functional.conv2d(
        padded, tensor(weights), torch.tensor([bias]).double(), stride, dilation=dilation
    )
    assert floats(found.output) == expected[0].tolist()
    assert all(isinstance(one, int) for row in found.output[0] for one in row)
    assert_the_windows_add_up(found.readings, padded, (top, left))


def assert_the_windows_add_up(
    readings: object, padded: torch.Tensor, first: tuple[int, int]
) -> None:
    """Each window holds what the padded input has at its rows and columns, and its value is theirs."""
    for reading in readings:  # type: ignore[attr-defined]
        rows = torch.tensor(reading.rows) + first[0]
        columns = torch.tensor(reading.columns) + first[1]
        for channel, part in enumerate(reading.parts):
            lain_on = padded[0, channel][rows[:, None], columns]
            assert lain_on.tolist() == [[float(one) for one in line] for line in part.cells]
            assert part.value == sum(sum(line) for line in part.products)


@given(seed=st.integers(0, 999), kernel=PAIRS, stride=PAIRS)
@settings(deadline=None, max_examples=30)
def test_convolution_is_numpys_sum_over_windows(
    seed: int, kernel: tuple[int, int], stride: tuple[int, int]
) -> None:
    maps, weights = numbers(seed, 3, 5, 6), numbers(seed + 1, 3, *kernel)
    windows = np.lib.stride_tricks.sliding_window_view(np.array(maps), kernel, axis=(1, 2))
    expected = np.einsum("chwij,cij->hw", windows, np.array(weights))[:: stride[0], :: stride[1]]
    found = convolve(maps, weights, Conv(1, kernel, stride), bias=Fraction(1, 2))
    assert floats(found.output) == [(expected + 0.5).tolist()]


@given(
    seed=st.integers(0, 999),
    how=st.sampled_from(["max", "min", "average"]),
    size=st.tuples(st.integers(1, 2), st.integers(2, 7), st.integers(2, 7)),
    window=PAIRS,
    stride=PAIRS,
    padding=st.tuples(st.integers(0, 1), st.integers(0, 1)),
    ceil=st.booleans(),
    count=st.booleans(),
)
@settings(deadline=None, max_examples=120)
def test_pooling_is_pytorchs(
    seed: int,
    how: Literal["max", "min", "average"],
    size: tuple[int, int, int],
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    ceil: bool,
    count: bool,
) -> None:
    assume(all(2 * p <= k for p, k in zip(padding, window, strict=True)))
    layer = Pool(how, window, stride, padding, ceil, count)
    assume(min(layer.output(size)) >= 1)
    maps = numbers(seed, *size)
    found = pool(maps, layer)
    given_, sign = tensor(maps), -1 if how == "min" else 1
    if how == "average":
        expected = functional.avg_pool2d(given_, window, stride, padding, ceil, count)
    else:
        expected = sign * functional.max_pool2d(
            sign * given_, window, stride, padding, ceil_mode=ceil
        )
    torch.testing.assert_close(
        torch.tensor(floats(found.output), dtype=torch.float64), expected[0], rtol=0, atol=1e-12
    )


@given(
    n=st.integers(1, 12),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
)
@settings(deadline=None, max_examples=60)
def test_same_keeps_ceil_of_size_by_stride(n: int, kernel: int, stride: int) -> None:
    maps = numbers(n, 1, n, n)
    found = convolve(maps, numbers(0, 1, kernel, kernel), Conv(1, kernel, stride, padding="same"))
    assert len(found.output[0]) == len(found.output[0][0]) == -(-n // stride)


def test_nothing_is_flipped() -> None:
    found = convolve(
        read_maps(["0 0 0; 0 1 0; 0 0 0"], "x"), read_maps(["1 2; 3 4"], "x"), Conv(1, 2)
    )
    assert found.output == (((4, 3), (2, 1)),)


@given(st.lists(st.decimals(-1000, 1000, places=3), min_size=1, max_size=4))
def test_what_is_written_is_read_again(row: list[object]) -> None:
    text = " ".join(map(str, row))
    maps = read_maps([f"{text}; {text} | {text}; {text}"], "x")
    assert maps[1][1] == tuple(Fraction(str(number)) for number in row)
    assert read_maps([written(maps)], "x") == maps


def test_numbers_in_writing() -> None:
    read = [read_number(word, "x") for word in ("−3", "1e3", "-.5", "+2.0", " 7. ")]
    assert read == [-3, 1000, Fraction(-1, 2), 2, 7]
    assert [type(one) for one in read] == [int, int, Fraction, int, int]
    assert [shown(Fraction(1, 3)), shown(Fraction(1, 8)), shown(-7)] == [
        "0.333333333",
        "0.125",
        "-7",
    ]


def test_lines_are_rows_and_a_last_semicolon_is_none() -> None:
    assert read_maps(["1 2\n3 4;"], "x") == (((1, 2), (3, 4)),)


def test_only_what_it_can_show_is_calculated() -> None:
    with pytest.raises(NetworkError) as caught:
        convolve(numbers(0, 1, 4, 4), numbers(0, 1, 2, 2), Conv(1, 2, mode="circular"))
    assert str(caught.value) == (
        "The calculator takes one filter with padding by zeros, got 'conv 1 2 mode circular' for a "
        "kernel of 2×2."
    )


def test_sizes_are_checked_when_they_are_made() -> None:
    with pytest.raises(NetworkError, match="doesn't fit into 2×2"):
        Sizes(layer=Conv(1, 3), shape=(1, 2, 2))
