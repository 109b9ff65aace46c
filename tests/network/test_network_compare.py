"""Convolutions beside dense and unshared layers, unread positions, fields against gradients."""

from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from striate.network import Conv, Dense, GlobalPool, Layer, Pool, networks, summary
from striate.network._compare import compare, connections, unread, unread_words
from striate.network._field import Field
from striate.network._modules import sequence
from striate.network._specification import walk
from striate.network._specify import specify


def test_the_figures_of_cnn3_by_hand() -> None:
    first = summary("cnn3").rows[0]
    assert first.comparison is not None
    assert first.parameters == 32 * (9 + 1) == 320
    assert first.comparison.dense == 28 * 28 * 25_088 + 25_088 == 19_694_080
    assert first.comparison.unshared == 25_088 * (9 + 1) == 250_880
    assert first.connections == 9


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("groups", [1, 2])
def test_other_layers_between_the_same_shapes(bias: bool, groups: int) -> None:
    layer = Conv(4, 3, stride=2, padding=1, groups=groups, bias=bias)
    found = compare(layer, (2, 7, 9))
    assert found is not None
    outputs = 4 * 4 * 5
    dense = nn.Linear(2 * 7 * 9, outputs, bias=bias)
    assert found.dense == sum(weights.numel() for weights in dense.parameters())
    # Every output with its own kernel: a convolution in as many groups as there are outputs.
    unshared = nn.Conv2d(outputs * 2 // groups, outputs, 3, groups=outputs, bias=bias)
    assert found.unshared == sum(weights.numel() for weights in unshared.parameters())


def test_connections_of_layers() -> None:
    assert connections(Conv(8, (3, 5), groups=2), (4, 9, 9)) == 30
    assert connections(Pool("max", 3, 2), (4, 9, 9)) == 9
    assert connections(Dense(5), (12,)) == 12
    assert connections(GlobalPool(), (4, 9, 9)) is None
    assert compare(Pool("max", 2), (1, 4, 4)) is None


@given(
    size=st.tuples(st.integers(3, 12), st.integers(3, 12)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.integers(1, 4),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 3),
)
@settings(deadline=None, max_examples=60)
def test_unread_positions_are_those_without_gradient(
    size: tuple[int, int], kernel: tuple[int, int], stride: int, padding: int, dilation: int
) -> None:
    layer = Conv(1, kernel, stride=stride, padding=padding, dilation=dilation, bias=False)
    assume(min(layer.output((1, *size))) > 0)
    module = sequence([layer], (1, *size))
    nn.init.ones_(next(module.parameters()))
    maps = torch.ones(1, 1, *size, requires_grad=True)
    module(maps).sum().backward()
    assert maps.grad is not None
    read = maps.grad[0, 0] != 0
    rows, columns = read.any(dim=1), read.any(dim=0)
    if read.any():
        assert unread(layer, (1, *size)) == (int((~rows).sum()), int((~columns).sum()))


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((1, 1), "one row and one column"),
        ((0, 2), "two columns"),
        ((12, 0), "12 rows"),
        ((0, 0), ""),
        ((3,), "three positions"),
    ],
)
def test_unread_positions_in_words(counts: tuple[int, ...], words: str) -> None:
    assert unread_words(counts) == words


def smooth(layer: Layer) -> Layer:
    """A layer with the same windows through which every gradient passes."""
    return replace(layer, how="average") if isinstance(layer, Pool | GlobalPool) else layer


@pytest.mark.parametrize("shape", [None, (3, 33, 40)], ids=str)
@pytest.mark.parametrize("name", [one.name for one in networks() if one.builder])
def test_receptive_fields_of_registered_networks(
    name: str, shape: tuple[int, int, int] | None
) -> None:
    """The gradient of one middle number of each feature map, and of all outputs, tells the field."""
    shape = shape or summary(name).input  # type: ignore[assignment]
    layers = [smooth(one) for one in specify(name, shape=shape, outputs=2).layers]  # type: ignore[arg-type]
    steps = walk(layers, shape)
    network = sequence(layers, shape).double().eval()
    for weights in network.parameters():
        nn.init.uniform_(weights, 0.01, 0.02)
    pixels = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
    maps = pixels
    for step, module in zip(steps, network, strict=True):
        maps = module(maps)
        places = [size // 2 for size in step.output[1:]]
        target = maps.sum() if not places else maps[0, :, places[0], places[1]].sum()
        (gradient,) = torch.autograd.grad(target, pixels, retain_graph=True)
        seen = gradient[0].sum(0) != 0
        for axis, field in enumerate(step.fields):
            touched = seen.any(dim=1 - axis).nonzero().flatten().tolist()
            first = field.start + (places[axis] * field.stride if places else 0)
            expected = range(max(first, 0), min(first + field.size, shape[1 + axis]))
            assert touched == list(expected), step.name
            if places and first >= 0 and first + field.size <= shape[1 + axis]:
                centre = field.centre + places[axis] * field.stride
                assert sum(touched) / len(touched) == centre


def test_fields_are_in_the_document() -> None:
    rows = summary("cnn3").to_json()["layers"]
    assert rows[3]["field"] == [{"size": 8, "stride": 2, "centre": 0.5}] * 2
    assert Field(size=8, stride=2, start=-3).centre == 0.5
