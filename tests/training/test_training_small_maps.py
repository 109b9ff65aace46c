"""Weight gradients on small maps by matrix products, held against PyTorch's own."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from striate.training import _small_maps as module
from striate.training._precision import forward
from striate.training._small_maps import FEWEST_CHANNELS, SmallMaps, weight_gradient


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.tuples(*(st.integers(1, 5) for _ in range(5))),
    seed=st.integers(0, 9),
    last=st.booleans(),
)
def test_the_gradient_of_the_kernels_is_pytorchs(
    sizes: tuple[int, ...], seed: int, last: bool
) -> None:
    pictures, inputs, outputs, height, width = sizes
    generator = torch.Generator().manual_seed(seed)
    layout = torch.channels_last if last else torch.contiguous_format
    x = torch.randn(pictures, inputs, height, width, dtype=torch.float64, generator=generator)
    x = x.contiguous(memory_format=layout)
    weight = torch.randn(outputs, inputs, 3, 3, dtype=torch.float64, generator=generator)
    y = torch.conv2d(x, weight.requires_grad_(), padding=1)
    slope = torch.randn(y.shape, dtype=torch.float64, generator=generator)
    y.backward(slope)
    torch.testing.assert_close(weight_gradient(x, slope), weight.grad)


def gradients(layer: nn.Module, pictures: Tensor) -> list[Tensor]:
    """Return the gradients of pictures and parameters, of a loss in bfloat16."""
    pictures = pictures.clone().requires_grad_()
    layer.zero_grad()
    (
        forward(layer, pictures, "bfloat16") * torch.linspace(0, 1, pictures.shape[-1])
    ).sum().backward()
    found = [pictures.grad, *(one.grad for one in layer.parameters())]
    return [one for one in found if one is not None]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("padding", [1, "same"])
def test_a_layer_in_bfloat16_is_as_exact_as_pytorchs(
    bias: bool, padding: int | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(FEWEST_CHANNELS, FEWEST_CHANNELS + 8, 3, padding=padding, bias=bias)
    layer = layer.to(memory_format=torch.channels_last)
    pictures = torch.randn(8, FEWEST_CHANNELS, 7, 7).contiguous(memory_format=torch.channels_last)
    ours = gradients(layer, pictures)
    assert [one.dtype for one in ours] == [torch.float32] * (2 + bias)
    # As the optimizers' fused kernels expect it.
    assert ours[1].stride() == layer.weight.stride()
    monkeypatch.setattr(module, "LARGEST_MAP", 0)
    theirs = gradients(layer, pictures)
    for mine, other in zip(ours, theirs, strict=True):
        assert float((mine - other).norm() / other.norm()) < 3e-3


@pytest.mark.parametrize(
    ("layer", "side", "taken"),
    [
        (nn.Conv2d(64, 64, 3, padding=1), 8, True),
        (nn.Conv2d(64, 64, 3, padding="same"), 3, True),
        (nn.Conv2d(64, 64, 3, padding=1), 9, False),
        (nn.Conv2d(63, 64, 3, padding=1), 8, False),
        (nn.Conv2d(64, 64, 3), 8, False),
        (nn.Conv2d(64, 64, 3, padding="valid"), 8, False),
        (nn.Conv2d(64, 64, 3, padding=1, stride=2), 8, False),
        (nn.Conv2d(64, 64, 3, padding=2, dilation=2), 8, False),
        (nn.Conv2d(128, 128, 3, padding=1, groups=2), 8, False),
        (nn.Conv2d(64, 64, 5, padding=2), 8, False),
        (nn.Conv2d(64, 64, 3, padding=1).requires_grad_(requires_grad=False), 8, False),
    ],
)  # fmt: skip
def test_only_what_it_is_for_is_taken(
    layer: nn.Conv2d, side: int, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[int] = []

    def counted(pictures: Tensor, slope: Tensor) -> Tensor:
        called.append(len(pictures))
        return weight_gradient(pictures, slope)

    monkeypatch.setattr(module, "weight_gradient", counted)
    pictures = torch.randn(2, layer.in_channels, side, side, requires_grad=True)
    forward(layer, pictures, "bfloat16").sum().backward()
    assert bool(called) is taken
    assert pictures.grad is not None and bool(pictures.grad.abs().sum() > 0)
    with SmallMaps(), torch.inference_mode():
        plain = layer(pictures)
    torch.testing.assert_close(plain, layer(pictures), atol=0, rtol=0)
