"""The moving average of weights, against NumPy and torch.optim.swa_utils."""

import threading

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from striate.errors import NetworkError
from striate.training._average import Average

STEPS = 30


class Small(nn.Module):
    """Batch norm, a frozen bias, two names for one layer, and a buffer that isn't saved."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Flatten())
        self.dense = self.same = nn.Linear(16, 16)
        self.dense.bias.requires_grad_(False)
        self.calls: Tensor
        self.register_buffer("calls", torch.zeros(()), persistent=False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pictures: Tensor) -> Tensor:
        self.calls += 1
        return self.same(self.dense(self.layers(pictures)))


def move(network: nn.Module, step: int) -> None:
    """Change what a step changes: parameters with gradients, and batch norm's figures."""
    draws = torch.Generator().manual_seed(step)
    network.train()(torch.randn(8, 2, 4, 4, generator=draws))
    with torch.no_grad():
        for one in network.parameters():
            if one.requires_grad:
                one.add_(torch.randn(one.shape, generator=draws))


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.999])
def test_it_is_pytorch_s_average_with_a_decay_that_grows(decay: float) -> None:
    network = Small()
    average = Average(network, decay, {})
    other = AveragedModel(network, use_buffers=True)
    other.n_averaged += 1  # else the first call copies the weights and forgets the start
    for step in range(STEPS):
        move(network, step)
        average.update(step)
        other.multi_avg_fn = get_ema_multi_avg_fn(min(decay, (1 + step) / (10 + step)))
        other.update_parameters(network)
    expected = other.module.state_dict()
    got = average.network.state_dict()
    assert got.keys() == expected.keys()
    for name, one in got.items():
        if one.is_floating_point():
            torch.testing.assert_close(one, expected[name], rtol=1e-6, atol=1e-6)
        assert one.stride() == expected[name].stride()
    assert got["layers.1.num_batches_tracked"] == STEPS
    assert average.network.calls == STEPS
    assert not average.network.training


def test_it_is_the_sum_that_is_written_down() -> None:
    network = nn.Linear(3, 2)
    average = Average(network, 0.3, {})
    expected = network.weight.detach().double().numpy().copy()
    for step in range(STEPS):
        with torch.no_grad():
            network.weight.add_(torch.randn(2, 3))
        average.update(step)
        decay = min(0.3, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * network.weight.detach().double().numpy()
    np.testing.assert_allclose(average.network.weight.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_it_goes_on_from_what_was_saved() -> None:
    network = Small()
    average = Average(network, 0.9, {})
    for step in range(STEPS):
        move(network, step)
        average.update(step)
        if step == STEPS // 2:
            saved = {name: one.clone() for name, one in average.weights.items()}
            average = Average(network, 0.9, saved)
    whole, resumed = Small(), average
    average = Average(whole, 0.9, {})
    for step in range(STEPS):
        move(whole, step)
        average.update(step)
    for name, one in average.network.state_dict().items():
        assert torch.equal(one, resumed.network.state_dict()[name])
    assert set(average.weights) == {
        "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias",
        "layers.1.running_mean", "layers.1.running_var", "layers.1.num_batches_tracked",
        "dense.weight", "dense.bias",
    }  # fmt: skip


def test_the_network_itself_is_left_alone() -> None:
    network = Small()
    before = [one.detach().clone() for one in network.parameters()]
    Average(network, 0.9, {}).update(0)
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


def test_a_module_that_can_not_be_copied_is_refused() -> None:
    network = nn.Linear(2, 2)
    network.lock = threading.Lock()  # type: ignore[assignment]
    with pytest.raises(NetworkError) as caught:
        Average(network, 0.9, {})
    assert str(caught.value) == (
        "training.average keeps a copy of the network, but this one can't be copied (cannot pickle "
        "'_thread.lock' object). Leave training.average out, or make the module work with "
        "copy.deepcopy."
    )
