"""bfloat16: a step agrees with float32's, and everything but the forward pass stays float32."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from striate.data import open_source
from striate.network import build, networks
from striate.task import Task, losses, task_for
from striate.training._precision import Precision, forward, has_fast_bfloat16

PICTURES, OUTPUTS = 8, 4

LOSS, GRADIENT = 5e-3, 0.25
"""Largest relative differences of a step's loss and of all gradients together. bfloat16 keeps 8
bits: one rounding is 0.4 %, and an untrained network blows them up with every batch norm: airbench's
six, over 8 pictures, to 23 % of the gradient."""


def make(name: str) -> tuple[nn.Module, Tensor]:
    """Return a network without dropout, whose masks depend on the precision, and pictures."""
    known = next(one for one in networks() if one.name == name)
    channels, height, width = known.default_input
    torch.manual_seed(0)
    network = build(name, channels=channels, height=height, width=width, outputs=OUTPUTS)
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pictures = torch.randn(PICTURES, channels, height, width)
    return network, pictures.contiguous(memory_format=torch.channels_last)


def step(
    network: nn.Module, pictures: Tensor, task: Task, targets: Tensor, precision: Precision
) -> tuple[float, list[Tensor]]:
    """Return the loss and the gradients."""
    network.zero_grad()
    logits = forward(network, pictures, precision)
    assert logits.dtype == torch.float32
    loss = task.loss(logits, targets)
    assert loss.dtype == torch.float32
    loss.backward()
    return loss.item(), [p.grad for p in network.parameters() if p.grad is not None]


def both_agree(network: nn.Module, pictures: Tensor, task: Task, targets: Tensor) -> None:
    expected_loss, expected = step(network, pictures, task, targets, "float32")
    loss, gradients = step(network, pictures, task, targets, "bfloat16")
    again, repeated = step(network, pictures, task, targets, "bfloat16")
    assert loss == pytest.approx(expected_loss, rel=LOSS)
    assert loss == again
    # Otherwise autocast did nothing.
    assert not all(torch.equal(one, other) for one, other in zip(gradients, expected, strict=True))
    for one, other, parameter in zip(gradients, repeated, network.parameters(), strict=True):
        assert torch.equal(one, other)
        assert one.dtype == parameter.dtype == torch.float32
        # The fused optimizers read both in the order of memory.
        assert one.stride() == parameter.stride()
    difference = torch.stack([(a - b).norm() for a, b in zip(gradients, expected, strict=True)])
    assert difference.norm() <= GRADIENT * torch.stack([one.norm() for one in expected]).norm()


@pytest.mark.parametrize("name", [one.name for one in networks() if one.builder])
def test_every_network_learns_as_with_float32(name: str) -> None:
    network, pictures = make(name)
    targets = np.arange(PICTURES) % OUTPUTS
    source = open_source((np.zeros((PICTURES, 4, 4), np.uint8), targets))
    task = task_for(source.answer, train_targets=source.targets)
    both_agree(network, pictures, task, task.tensor(source.targets))


TARGETS = {
    "classification": np.arange(PICTURES) % OUTPUTS,
    "binary classification": np.arange(PICTURES) % 2,
    "multi-label": np.stack([np.arange(PICTURES) % 2, np.arange(PICTURES) // 3 % 2], axis=1),
    "regression": np.stack([np.arange(PICTURES) / 3, np.arange(PICTURES) % 5], axis=1),
}
PAIRS = [(one.name, kind) for one in losses() for kind in one.fits]


@pytest.mark.parametrize(("loss", "kind"), PAIRS)
def test_every_loss_is_computed_from_float32(loss: str, kind: str) -> None:
    source = open_source((np.zeros((PICTURES, 4, 4), np.uint8), TARGETS[kind]))
    assert source.answer.task == kind.removeprefix("binary ")
    task = task_for(source.answer, loss=loss, train_targets=source.targets)
    torch.manual_seed(0)
    outputs = len(source.answer.names)
    network = build("cnn-gap", channels=1, height=12, width=12, outputs=outputs)
    both_agree(network, torch.randn(PICTURES, 1, 12, 12), task, task.tensor(source.targets))


def test_a_module_may_give_float64_where_nothing_is_rounded() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).double()
    pictures = torch.ones(2, 1, 2, 2, dtype=torch.float64)
    assert torch.equal(forward(network, pictures, "float32"), network(pictures))


def test_where_bfloat16_is_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    def processor(**has: bool) -> None:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has, raising=False)

    processor()
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    assert has_fast_bfloat16("cpu")
    assert not has_fast_bfloat16("mps")
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    assert not has_fast_bfloat16("cpu")
    processor(avx512_bf16=True, sse4a=True)  # AMD's
    assert has_fast_bfloat16("cpu")
    processor(avx512_bf16=True)  # Intel's
    assert not has_fast_bfloat16("cpu")
    processor(sse4a=True, avx2=True)  # AMD's earlier ones
    assert not has_fast_bfloat16("cpu")
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported")
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert not has_fast_bfloat16("cpu")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    assert has_fast_bfloat16("cuda")
