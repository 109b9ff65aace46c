"""What a step does in every layer, against NumPy and plain autograd; and its complaints."""

import numpy as np
import pytest
import torch
from torch import nn

from striate.training._probe import LayerState, complaints, probing


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))


def step(module: nn.Module) -> None:
    torch.manual_seed(1)
    module(torch.randn(5, 1, 8, 8)).square().sum().backward()


def test_deviations_and_norms_are_those_of_the_step() -> None:
    watched, plain = network(), network()
    with probing(watched) as probe:
        step(watched)
    step(plain)
    torch.manual_seed(1)
    convolved = plain[0](torch.randn(5, 1, 8, 8)).detach()
    first = probe.states[0]
    assert [state.layer for state in probe.states] == ["0", "1", "2", "3"]
    assert first.deviation == pytest.approx(np.std(convolved.numpy()), rel=1e-5)
    weight, bias = plain[0].weight.grad, plain[0].bias.grad
    assert weight is not None and bias is not None
    norm = np.sqrt(np.sum(weight.numpy() ** 2) + np.sum(bias.numpy() ** 2))
    assert first.gradient_norm == pytest.approx(norm, rel=1e-5)
    assert probe.states[1].gradient_norm is None


def test_watching_changes_no_gradient_and_leaves_no_hook() -> None:
    watched, plain = network(), network()
    with probing(watched):
        step(watched)
    step(plain)
    for mine, theirs in zip(watched.parameters(), plain.parameters(), strict=True):
        assert torch.equal(mine.grad, theirs.grad)
    assert not any(module._forward_hooks for module in watched.modules())


def state(layer: str, deviation: float, norm: float | None = 1.0) -> LayerState:
    return LayerState(layer=layer, deviation=deviation, gradient_norm=norm)


def test_complaints_name_the_layer_and_the_remedy() -> None:
    assert complaints([state("conv1", 0.5), state("relu1", 0.3, None), state("dense1", 2.0)]) == []
    assert complaints([state("conv2", 4e-4)]) == [
        "layer conv2: its output hardly varies at the first step (deviation 0.0004): what lies "
        "before it may learn nothing. Try batch norm, or another initialisation, such as "
        "kaiming-normal."
    ]
    assert complaints([state("conv2", 5e3)]) == [
        "layer conv2: its output explodes at the first step (deviation 5e+03). Try batch norm, or a "
        "smaller initialisation."
    ]
    assert complaints([state("conv1", 1.0, 1e-6), state("dense1", 1.0, 2.0)]) == [
        "layer conv1: its gradient vanishes at the first step (1e-06, the largest layer's is 2). "
        "Try batch norm, or another initialisation."
    ]


def test_many_layers_share_a_sentence() -> None:
    found = complaints([state(f"conv{number}", 5e3) for number in range(1, 8)])
    assert found == [
        "layer conv1: its output explodes at the first step (deviation 5e+03). Try batch norm, or a "
        "smaller initialisation. The same holds for conv2, conv3, conv4 and 3 more."
    ]


def test_cnn3_from_a_small_normal_nearly_vanishes() -> None:
    """Two blocks of cnn3 from normal(0, 0.01) leave a deviation of 0.004."""
    from striate.network import build, initialise

    module = build("cnn3", channels=1, height=28, width=28, outputs=10)
    initialise(module, convolution="normal", deviation=0.01, bias="zeros", seed=0)
    torch.manual_seed(0)
    with probing(module) as probe:
        module(torch.randn(256, 1, 28, 28)).sum().backward()
    found = {state.layer: state.deviation for state in probe.states}
    assert found["relu2"] == pytest.approx(0.004, rel=0.3)
