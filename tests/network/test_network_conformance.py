"""What every registered network can do; the registry is walked, so that none escapes."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import onnxruntime
import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from striate.network import Entry, Network, Shape, build, entry, networks, summary

NAMES = [one.name for one in networks() if one.builder]
SHAPES: list[Shape] = [(1, 28, 28), (3, 33, 40), (3, 64, 64), (1, 32, 32)]
OUTPUTS = 4


@pytest.fixture(autouse=True)
def _deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def make(one: Entry | str, shape: Shape | None = None, seed: int = 0) -> tuple[Network, Tensor]:
    """Return a network and a batch of 3 random pictures of its shape."""
    known = entry(one) if isinstance(one, str) else one
    channels, height, width = shape or known.default_input
    torch.manual_seed(seed)
    network = build(known.name, channels=channels, height=height, width=width, outputs=OUTPUTS)
    return network, torch.randn(3, channels, height, width)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_forward_gives_logits_at_several_sizes_and_channels(name: str, shape: Shape) -> None:
    network, pictures = make(name, shape)
    logits = network(pictures)
    assert logits.shape == (3, OUTPUTS)
    assert logits.dtype == torch.float32
    # Logits, not log-probabilities: those would add up to one.
    assert not torch.allclose(logits.exp().sum(1), torch.ones(3))


@pytest.mark.parametrize("name", NAMES)
def test_backward_reaches_every_parameter_and_repeats_itself(name: str) -> None:
    def gradients() -> list[Tensor]:
        network, pictures = make(name)
        torch.manual_seed(1)
        network(pictures).square().mean().backward()
        found = [weights.grad for weights in network.parameters()]
        assert all(one is not None for one in found)
        return [one for one in found if one is not None]

    first, second = gradients(), gradients()
    for one, other in zip(first, second, strict=True):
        assert torch.isfinite(one).all()
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_weights_come_back_from_safetensors(name: str) -> None:
    network, pictures = make(name)
    data = save(network.state_dict())
    other, _ = make(name, seed=1)
    other.load_state_dict(load(data))
    assert _hash(save(other.state_dict())) == _hash(data)
    assert torch.equal(network.eval()(pictures), other.eval()(pictures))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name", NAMES)
def test_channels_last_is_the_same_function(name: str) -> None:
    network, pictures = make(name)
    network.eval()
    plain = network(pictures)
    network.to(memory_format=torch.channels_last)
    last = network(pictures.to(memory_format=torch.channels_last))
    torch.testing.assert_close(last, plain, rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", NAMES)
def test_the_exported_network_equals_eager(name: str, tmp_path: Path) -> None:
    network, pictures = make(name)
    network.eval()
    file = tmp_path / "network.onnx"
    torch.onnx.export(
        network,
        (pictures[:1],),
        str(file),
        dynamo=False,
        opset_version=18,
        input_names=["pictures"],
        dynamic_axes={"pictures": {0: "N"}},
    )
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    got = torch.from_numpy(session.run(None, {"pictures": pictures.numpy()})[0])
    torch.testing.assert_close(got, network(pictures).detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [None, (3, 33, 40)], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_the_table_of_a_name_is_the_table_of_its_module(name: str, shape: Shape | None) -> None:
    """One comes from specifications, the other from a forward pass."""
    network, _ = make(name, shape)
    told = summary(name, input=shape, outputs=OUTPUTS)
    assert summary(network).rows == told.rows
    assert told.parameters == sum(weights.numel() for weights in network.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_names_of_weights_are_those_of_the_table(name: str) -> None:
    network, _ = make(name)
    rows = {row.name for row in summary(network).rows if row.parameters}
    assert {key.removeprefix("layers.").rpartition(".")[0] for key in network.state_dict()} == rows
