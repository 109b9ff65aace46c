"""Every layer's size and value, against NumPy loops, in one and two dimensions."""

from itertools import product
from math import ceil

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from random_networks import convolutions, pools
from striate.network import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    Parallel,
    Pool,
    Residual,
    Sides,
)
from striate.network._modules import sequence
from striate.network._spec_plain import ACTIVATIONS

Array = npt.NDArray[np.float64]
SHAPES = st.integers(4, 9).map(lambda n: (2, n)) | st.tuples(
    st.just(2), st.integers(4, 8), st.integers(4, 8)
)


def numbers(shape: tuple[int, ...], seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def run(layer: Layer, maps: Array) -> Array:
    """Return what striate's module makes of maps (C, …), in double precision."""
    module = sequence([layer], maps.shape).double().eval()
    result: Array = module(torch.from_numpy(maps[None]))[0].detach().numpy()
    return result


def axes_of(size: object, axes: int) -> list[int]:
    return list(size) if isinstance(size, tuple) else [size] * axes  # type: ignore[list-item]


def geometry(
    layer: Conv | Pool, sizes: tuple[int, ...]
) -> list[tuple[int, int, int, int, int, int]]:
    """Return (kernel, stride, dilation, before, after, positions) of each axis, worked out anew."""
    axes = len(sizes)
    kernels = axes_of(layer.kernel if isinstance(layer, Conv) else layer.window, axes)
    strides = axes_of(layer.stride if isinstance(layer, Conv) else layer.steps, axes)
    dilations = axes_of(layer.dilation, axes) if isinstance(layer, Conv) else [1] * axes
    paddings = [layer.padding] * axes if not isinstance(layer.padding, tuple) else layer.padding
    found = []
    for n, k, s, d, p in zip(sizes, kernels, strides, dilations, paddings, strict=True):
        span = d * (k - 1) + 1
        if p == "same":
            positions = ceil(n / s)
            total = max((positions - 1) * s + span - n, 0)
            before, after = total // 2, total - total // 2
        else:
            before, after = (p.before, p.after) if isinstance(p, Sides) else (p, p)
            room = n + before + after - span
            positions = room // s + 1
            if isinstance(layer, Pool) and layer.ceil:
                # A last window must start in the picture or before it.
                positions = len([i for i in range(ceil(room / s) + 1) if i * s < n + before])
        found.append((k, s, d, before, after, positions))
    return found


@given(data=st.data(), shape=SHAPES)
@settings(deadline=None, max_examples=80)
def test_convolution(data: st.DataObject, shape: tuple[int, ...]) -> None:
    axes = len(shape) - 1
    layer = data.draw(convolutions(axes))
    assume(min(layer.output(shape)) > 0 and not layer.objection(shape))
    maps = numbers(shape)
    module = sequence([layer], shape).double()
    weights = {key.split(".")[1]: one.detach().numpy() for key, one in module.named_parameters()}
    assert sum(one.size for one in weights.values()) == layer.parameters(shape)
    found = geometry(layer, shape[1:])
    mode = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    padded = np.pad(maps, [(0, 0), *((b, a) for *_, b, a, _ in found)], mode=mode[layer.mode])  # type: ignore[call-overload]
    expected = np.empty((layer.channels, *(positions for *_, positions in found)))
    own = shape[0] // layer.groups
    for place in product(*(range(positions) for *_, positions in found)):
        taps = tuple(
            slice(i * s, i * s + d * (k - 1) + 1, d)
            for i, (k, s, d, *_) in zip(place, found, strict=True)
        )
        for channel in range(layer.channels):
            first = channel // (layer.channels // layer.groups) * own
            window = padded[(slice(first, first + own), *taps)]
            bias = weights["bias"][channel] if layer.bias else 0
            expected[(channel, *place)] = (window * weights["weight"][channel]).sum() + bias
    got = module(torch.from_numpy(maps[None]))[0].detach().numpy()
    assert got.shape == layer.output(shape) == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


@given(data=st.data(), shape=SHAPES)
@settings(deadline=None, max_examples=80)
def test_pooling(data: st.DataObject, shape: tuple[int, ...]) -> None:
    layer = data.draw(pools(len(shape) - 1))
    assume(min(layer.output(shape)) > 0)
    maps = numbers(shape)
    found = geometry(layer, shape[1:])
    expected = np.empty((shape[0], *(positions for *_, positions in found)))
    for place in product(*(range(positions) for *_, positions in found)):
        picture, counted = [slice(None)], 1
        for i, n, (k, s, _, before, after, _) in zip(place, shape[1:], found, strict=True):
            start = i * s - before
            picture.append(slice(max(start, 0), min(start + k, n)))
            counted *= min(start + k, n + after) - start
        inside = maps[tuple(picture)].reshape(shape[0], -1)
        if layer.how == "average":
            expected[(slice(None), *place)] = inside.sum(1) / (
                counted if layer.count_padding else inside.shape[1]
            )
        else:
            expected[(slice(None), *place)] = inside.max(1) if layer.how == "max" else inside.min(1)
    got = run(layer, maps)
    assert got.shape == layer.output(shape) == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@given(
    data=st.data(), size=st.integers(3, 12), kernel=st.integers(1, 5), dilation=st.integers(1, 2)
)
@settings(deadline=None, max_examples=40)
def test_same_without_strides_is_pytorchs_own(
    data: st.DataObject, size: int, kernel: int, dilation: int
) -> None:
    mode = data.draw(st.sampled_from(["zeros", "replicate"]))
    layer = Conv(2, kernel, padding="same", dilation=dilation, mode=mode)
    ours = sequence([layer], (1, size, size))
    theirs = nn.Conv2d(
        1,
        2,
        kernel,
        padding="same",
        dilation=dilation,
        padding_mode=mode,  # type: ignore[arg-type]
    )
    theirs.load_state_dict({k.split(".")[1]: v for k, v in ours.state_dict().items()})
    maps = torch.randn(2, 1, size, size)
    torch.testing.assert_close(ours(maps), theirs(maps), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [7, 8, 28])
def test_same_gives_the_size_over_the_stride_rounded_up(size: int, stride: int) -> None:
    for layer in (Conv(1, 3, stride=stride, padding="same"), Pool("max", 3, stride, "same")):
        assert layer.output((1, size, size)) == (1, *[ceil(size / stride)] * 2)


def test_the_odd_pixel_of_same_comes_after() -> None:
    """A window of 2 over 1 2 3: 1+2, 2+3, 3+0, as in TensorFlow."""
    maps = np.array([[1.0, 2.0, 3.0]])
    average = run(Pool("average", 2, 1, "same"), maps)
    assert average.tolist() == [[1.5, 2.5, 1.5]]
    alone = run(Pool("average", 2, 1, "same", count_padding=False), maps)
    assert alone.tolist() == [[1.5, 2.5, 3.0]]
    assert run(Pool("max", 2, 1, "same"), -maps).tolist() == [[-1, -2, -3]]
    assert run(Pool("min", 2, 1, "same"), maps).tolist() == [[1, 2, 3]]
    assert Conv(1, 2, padding="same").formula((1, 28, 28)) == "(28 − 2 + 0 + 1)/1 + 1 = 28"


@pytest.mark.parametrize("shape", [(3, 7), (3, 5, 6)], ids=str)
def test_global_pooling(shape: tuple[int, ...]) -> None:
    maps = numbers(shape)
    rows = maps.reshape(3, -1)
    for how, expected in (
        ("max", rows.max(1)),
        ("min", rows.min(1)),
        ("average", rows.mean(1)),
    ):
        got = run(GlobalPool(how), maps)  # type: ignore[arg-type]
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(0))
    result: Array = powers / powers.sum(0)
    return result


def gelu(x: Array) -> Array:
    """x·Φ(x), with Φ from its series: an opinion of its own."""
    from math import erf, sqrt

    return x * np.vectorize(lambda v: (1 + erf(v / sqrt(2))) / 2)(x)


BY_HAND = {
    "relu": lambda x: np.maximum(x, 0),
    "leaky-relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "gelu": gelu,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "softmax": softmax,
    "log-softmax": lambda x: np.log(softmax(x)),
}


@pytest.mark.parametrize("shape", [(4,), (4, 7), (4, 5, 6)], ids=str)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name: str, shape: tuple[int, ...]) -> None:
    values = numbers(shape)
    np.testing.assert_allclose(run(Activation(name), values), BY_HAND[name](values), rtol=1e-9)


@pytest.mark.parametrize("shape", [(3,), (3, 7), (3, 5, 6)], ids=str)
def test_batch_norm_standardises_each_channel(shape: tuple[int, ...]) -> None:
    batch = numbers((8, *shape))
    module = sequence([BatchNorm()], shape).double()
    got = module(torch.from_numpy(batch)).detach().numpy()
    axes = (0, *range(2, batch.ndim))
    mean, variance = batch.mean(axes, keepdims=True), batch.var(axes, keepdims=True)
    np.testing.assert_allclose(got, (batch - mean) / np.sqrt(variance + 1e-5), rtol=1e-9, atol=1e-9)
    assert sum(one.numel() for one in module.parameters()) == BatchNorm().parameters(shape)


def test_dropout_zeroes_its_share_and_keeps_the_mean() -> None:
    module = sequence([Dropout(0.25)], (1, 200, 200))
    torch.manual_seed(0)
    dropped = module(torch.ones(1, 1, 200, 200))
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert torch.equal(module.eval()(dropped), dropped)


def test_flatten_and_dense() -> None:
    maps = numbers((2, 3, 4))
    assert run(Flatten(), maps).tolist() == maps.ravel().tolist()
    module = sequence([Dense(5)], (24,)).double()
    weights = {key.split(".")[1]: one.detach().numpy() for key, one in module.named_parameters()}
    got = module(torch.from_numpy(maps.reshape(1, 24))).detach().numpy()[0]
    np.testing.assert_allclose(got, weights["weight"] @ maps.ravel() + weights["bias"], rtol=1e-9)


@pytest.mark.parametrize("shape", [(2, 9), (2, 6, 7)], ids=str)
def test_blocks_add_and_concatenate(shape: tuple[int, ...]) -> None:
    maps = numbers(shape)
    tanh, half = Activation("tanh"), Pool("average", 2)
    residual = sequence([Residual((tanh,))], shape)
    got = residual(torch.from_numpy(maps[None]))[0].numpy()
    np.testing.assert_allclose(got, np.tanh(maps) + maps, rtol=1e-9)
    parallel = sequence([Parallel(((half,), (Pool("max", 2), tanh)))], shape)
    got = parallel(torch.from_numpy(maps[None]))[0].numpy()
    expected = [run(half, maps), np.tanh(run(Pool("max", 2), maps))]
    np.testing.assert_allclose(got, np.concatenate(expected), rtol=1e-9)
