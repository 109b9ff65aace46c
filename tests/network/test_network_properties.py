"""What convolution and pooling do to moved, turned and mirrored pictures, on striate's layers."""

from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from striate.network import Activation, Conv, Dense, Pool
from striate.network._modules import sequence
from striate.network._specification import Item

SHAPE = (2, 9, 10)
"""(C, H, W) of all pictures here."""

SHIFTS = st.tuples(st.integers(-8, 8), st.integers(-9, 9))
How = Literal["max", "min", "average"]


def picture(seed: int) -> Tensor:
    """Return float64 (1, *SHAPE), normally distributed."""
    drawn = torch.randn(1, *SHAPE, generator=torch.Generator().manual_seed(seed))
    return drawn.double()


def made(*layers: Item, shape: tuple[int, ...] = SHAPE) -> nn.Module:
    """Return the layers with normally distributed parameters from a seed, in float64."""
    module = sequence(layers, shape).double().eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return module


def moved(maps: Tensor, shift: tuple[int, int]) -> Tensor:
    """Return maps shifted down and right; what leaves at one side comes in at the other."""
    return torch.roll(maps, shift, dims=(2, 3))


def same(left: Tensor, right: Tensor) -> bool:
    return torch.allclose(left, right, rtol=0, atol=1e-9)


@given(
    shift=SHIFTS,
    kernel=st.sampled_from([1, 3, 5, (3, 1)]),
    dilation=st.integers(1, 2),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=25)
def test_convolution_with_circular_padding_moves_with_the_picture(
    shift: tuple[int, int], kernel: int | tuple[int, int], dilation: int, seed: int
) -> None:
    layer = Conv(3, kernel, padding="same", dilation=dilation, mode="circular")
    convolution = made(layer, Activation("relu"))
    assert same(convolution(moved(picture(seed), shift)), moved(convolution(picture(seed)), shift))


def test_it_moves_with_the_picture_but_does_not_stay_the_same() -> None:
    """Equivariant isn't invariant."""
    convolution = made(Conv(3, 3, padding=1, mode="circular"))
    assert not same(convolution(moved(picture(0), (1, 0))), convolution(picture(0)))


def test_with_zero_padding_only_the_inside_moves_along() -> None:
    convolution = made(Conv(3, 3, padding=1))
    before, after = convolution(picture(0)), convolution(moved(picture(0), (1, 0)))
    expected = moved(before, (1, 0))
    # One row of the result came in from the other side, and two read padding in one of the two.
    assert same(after[:, :, 2:-1, 1:-1], expected[:, :, 2:-1, 1:-1])
    for border in (0, 1, -1):
        assert not same(after[:, :, border], expected[:, :, border])


@pytest.mark.parametrize("step", [1, 2])
def test_stride_keeps_only_shifts_by_whole_steps(step: int) -> None:
    convolution = made(Conv(3, 3, stride=2, padding=1, mode="circular"), shape=(2, 8, 10))
    maps = picture(0)[:, :, :8]
    after, expected = convolution(moved(maps, (step, 0))), convolution(maps)
    assert same(after, moved(expected, (1, 0))) == (step == 2)
    if step == 1:
        assert not same(after, expected)


@pytest.mark.parametrize(
    "turned",
    [
        lambda maps: torch.rot90(maps, 1, dims=(2, 3)),
        lambda maps: torch.rot90(maps, 2, dims=(2, 3)),
        lambda maps: maps.flip(3),
        lambda maps: maps.flip(2),
        lambda maps: functional.interpolate(maps, scale_factor=2, mode="nearest"),
    ],
    ids=["quarter turn", "half turn", "mirror", "upside down", "twice as large"],
)
def test_convolution_does_not_turn_flip_or_grow_with_the_picture(turned: object) -> None:
    convolution = made(Conv(3, 3, padding=1, mode="circular"))
    after = convolution(turned(picture(0)))  # type: ignore[operator]
    assert not same(after, turned(convolution(picture(0))))  # type: ignore[operator]


def test_a_symmetric_kernel_is_the_exception() -> None:
    """What fails above is the kernel's, not the border's: one that looks the same turned works."""
    convolution = made(Conv(3, 3, padding=1, mode="circular"))
    with torch.no_grad():
        kernels = next(convolution.parameters())
        kernels.copy_(sum(torch.rot90(kernels, turn, dims=(2, 3)) for turn in range(4)))
    turned = torch.rot90(picture(0), 1, dims=(2, 3))
    assert same(convolution(turned), torch.rot90(convolution(picture(0)), 1, dims=(2, 3)))


@pytest.mark.parametrize("how", ["max", "min", "average"])
def test_pooling_is_only_roughly_invariant(how: How) -> None:
    """One pixel's shift changes most numbers, but by less than it changes the picture."""
    pooling = made(Pool(how, 2), shape=(2, 8, 10))
    smooth = functional.avg_pool2d(picture(0), 3, 1, 1)[:, :, :8]
    shifted = moved(smooth, (0, 1))
    pooled = (pooling(shifted) - pooling(smooth)).abs()
    assert (pooled > 1e-9).double().mean() > 0.5
    assert pooled.mean() < (shifted - smooth).abs().mean()


def test_a_maximum_inside_its_window_may_move_freely() -> None:
    """The case that the word invariance comes from; across the window's edge it ends."""
    pooling = made(Pool("max", 2), shape=(1, 4, 4))
    dot = torch.zeros(1, 1, 4, 4, dtype=torch.float64)
    dot[0, 0, 0, 0] = 1
    assert same(pooling(moved(dot, (1, 1))), pooling(dot))
    assert not same(pooling(moved(dot, (0, 2))), pooling(dot))


@given(
    how=st.sampled_from(["max", "min"]),
    window=st.integers(1, 3),
    stride=st.integers(1, 3),
    ceil=st.booleans(),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=25)
def test_relu_before_or_after_max_and_min_pooling_is_the_same(
    how: How, window: int, stride: int, ceil: bool, seed: int
) -> None:
    pooling = Pool(how, window, stride, window // 2, ceil)
    before = made(Activation("relu"), pooling)(picture(seed))
    after = made(pooling, Activation("relu"))(picture(seed))
    assert torch.equal(before, after)


def test_relu_before_or_after_average_pooling_is_not_the_same() -> None:
    before = made(Activation("relu"), Pool("average", 2))(picture(0))
    after = made(Pool("average", 2), Activation("relu"))(picture(0))
    assert not same(before, after)
    assert bool((before >= after).all())


@given(
    first=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    second=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.integers(1, 2),
)
@settings(deadline=None, max_examples=25)
def test_two_convolutions_without_activation_are_one(
    first: tuple[int, int], second: tuple[int, int], stride: int
) -> None:
    """k₁ and k₂ with strides s and 1 make one kernel of k₁ + s(k₂ − 1) with stride s."""
    stacked = made(Conv(4, first, stride=stride), Conv(3, second))
    one, two = stacked[0], stacked[1]
    sizes = tuple(a + stride * (b - 1) for a, b in zip(first, second, strict=True))
    single = made(Conv(3, sizes, stride=stride))
    kernel, bias = single.parameters()
    with torch.no_grad():
        kernel.copy_(composed(one.weight, two.weight, stride))
        bias.copy_(two.bias + two.weight.sum(dim=(2, 3)) @ one.bias)
    assert same(single(picture(0)), stacked(picture(0)))


def composed(first: Tensor, second: Tensor, stride: int) -> Tensor:
    """Return the kernel of one convolution after the other: first's copies, shifted and weighted."""
    outputs, middle, *taps = second.shape
    height, width = first.shape[2:]
    result = torch.zeros(
        outputs,
        first.shape[1],
        height + stride * (taps[0] - 1),
        width + stride * (taps[1] - 1),
        dtype=first.dtype,
    )
    for m in range(middle):
        for i in range(taps[0]):
            for j in range(taps[1]):
                rows = slice(stride * i, stride * i + height)
                columns = slice(stride * j, stride * j + width)
                weight = second[:, m, i, j, None, None, None]
                result[:, :, rows, columns] += weight * first[m]
    return result


def test_with_an_activation_between_they_are_not_linear_any_more() -> None:
    linear = made(Conv(4, 3, bias=False), Conv(3, 3, bias=False))
    bent = made(Conv(4, 3, bias=False), Activation("relu"), Conv(3, 3, bias=False))
    for module, adds_up in ((linear, True), (bent, False)):
        together = module(picture(0) + picture(1))
        assert same(together, module(picture(0)) + module(picture(1))) == adds_up


def test_two_dense_layers_without_activation_are_one() -> None:
    stacked = made(Dense(7), Dense(3), shape=(5,))
    single = made(Dense(3), shape=(5,))
    vectors = picture(0).reshape(-1, 5)
    weight, bias = single.parameters()
    with torch.no_grad():
        weight.copy_(stacked[1].weight @ stacked[0].weight)
        bias.copy_(stacked[1].weight @ stacked[0].bias + stacked[1].bias)
    assert same(single(vectors), stacked(vectors))


def test_a_convolution_is_a_dense_layer_with_shared_weights() -> None:
    """As a matrix it has few different weights, and zeros where a window doesn't reach."""
    convolution = made(Conv(1, 3, bias=False), shape=(1, 4, 4))
    pixels = torch.eye(16, dtype=torch.float64).reshape(16, 1, 4, 4)
    matrix = convolution(pixels).reshape(16, 4).T
    kernel = next(convolution.parameters()).flatten()
    assert sorted(set(matrix.flatten().tolist()) - {0.0}) == sorted(kernel.tolist())
    assert torch.equal((matrix != 0).sum(dim=1), torch.full((4,), 9))
