"""What every written network can do: random ones, checked as the registered ones are."""

import json
import re
import warnings
from io import BytesIO
from math import sqrt
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save
from torch import Tensor

import command_line
from pictures import write_folder
from random_networks import networks
from striate import train
from striate.network import (
    Conv,
    Dense,
    Network,
    Shape,
    build,
    canonical,
    initialise,
    parse,
    summary,
)
from striate.network._compare import connections
from striate.network._spec_block import Item, chain
from striate.network._specification import walk
from striate.network._written import with_head

MAPS: Shape = (2, 17, 20)
SEQUENCE: Shape = (3, 30)
OUTPUTS = 3
CASES = st.sampled_from([MAPS, MAPS, SEQUENCE]).flatmap(
    lambda shape: st.tuples(networks(shape), st.just(shape))
)


def make(case: tuple[tuple[Item, ...], Shape], seed: int = 0) -> tuple[Network, Tensor]:
    """Return a network for random layers and a batch of 4 random pictures."""
    items, shape = case
    torch.manual_seed(seed)
    return Network(with_head(items, OUTPUTS), shape), torch.randn(4, *shape)


@given(case=CASES)
@settings(deadline=None, max_examples=20)
def test_forward_backward_save_and_load(case: tuple[tuple[Item, ...], Shape]) -> None:
    network, pictures = make(case)
    logits = network(pictures)
    assert logits.shape == (4, OUTPUTS)
    logits.square().mean().backward()
    gradients = [weights.grad for weights in network.parameters()]
    assert all(grad is not None and bool(torch.isfinite(grad).all()) for grad in gradients)
    other, _ = make(case, seed=1)
    other.load_state_dict(load(save(network.state_dict())))
    assert torch.equal(network.eval()(pictures), other.eval()(pictures))


@given(case=CASES)
@settings(deadline=None, max_examples=20)
def test_initial_weights_have_the_deviation_of_their_kind(
    case: tuple[tuple[Item, ...], Shape],
) -> None:
    """Kaiming's: √(2/fan_in), with the fan_in that the specification says."""
    network, _ = make(case)
    initialise(network, convolution="kaiming-normal", dense="kaiming-normal", bias="zeros", seed=2)
    weights = dict(network.layers.named_parameters())
    standard = []
    for step in walk(network.specification.layers, case[1]):
        if isinstance(step.layer, Conv | Dense):
            fan_in = connections(step.layer, step.input) or 0
            standard.append(weights[f"{step.name}.weight"].flatten() * sqrt(fan_in / 2))
            assert not weights.get(f"{step.name}.bias", torch.zeros(1)).any()
    joined = torch.cat(standard)
    assume(len(joined) >= 100)
    assert abs(joined.mean().item()) < 5 / sqrt(len(joined))
    assert abs(joined.square().mean().item() - 1) < 5 * sqrt(2 / len(joined))


@given(items=networks(MAPS))
@settings(deadline=None, max_examples=20)
def test_the_table_of_the_words_is_the_table_of_the_module(items: tuple[Item, ...]) -> None:
    network, _ = make((items, MAPS))
    told = summary(chain(items), input=MAPS, outputs=OUTPUTS)
    assert summary(network).rows == told.rows
    assert told.parameters == sum(weights.numel() for weights in network.parameters())


def _exported_equals_eager(network: Network, pictures: Tensor) -> None:
    network.eval()
    file = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", message="Constant folding - Only steps=1")
        torch.onnx.export(
            network,
            (pictures[:1],),
            file,  # type: ignore[arg-type]  # the TorchScript-based exporter takes files too
            dynamo=False,
            opset_version=18,
            input_names=["pictures"],
            dynamic_axes={"pictures": {0: "N"}},
        )
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    got = session.run(None, {"pictures": pictures.numpy()})[0]
    expected = network(pictures).detach().numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


EVERY_LAYER = {
    "convolutions": "conv 4 3x2 stride 2x1 pad 1x0 dilation 1x2 groups 2 | conv 3 2 pad same stride 2 "
    "bias off | conv 2 3 pad 0+1x2+1",
    **{
        mode: f"conv 3 3 pad 1 mode {mode} | conv 2 2 pad same mode {mode} | conv 2 3 pad 2+0 "
        f"mode {mode}"
        for mode in ("reflect", "replicate", "circular")
    },
    **{
        how: f"{how} 2 stride 1 | {how} 3x2 stride 2 pad 1x0 ceil | {how} 3 stride 2 pad same | "
        f"{how} 2 pad 0+1 ceil"
        for how in ("max", "min", "average")
    },
    "uncounted": "average 3 stride 2 pad 1 count off | average 3 stride 2 pad 1 ceil count off | "
    "average 2 stride 1 pad same count off",
    "activations": "relu | leaky-relu | gelu | silu | sigmoid | tanh | softmax | log-softmax",
    "blocks": "residual ( conv 2 3 pad 1 | batchnorm ) | residual ( conv 4 1 stride 2 ; conv 4 2 "
    "stride 2 pad same ) | parallel ( global max ; global min | dropout 0.3 ; flatten ) | dense 5 "
    "| relu",
}


@pytest.mark.parametrize("shape", [MAPS, (2, 31)], ids=["maps", "sequences"])
@pytest.mark.parametrize("line", EVERY_LAYER.values(), ids=EVERY_LAYER)
def test_every_layer_exported_equals_eager(line: str, shape: Shape) -> None:
    if len(shape) == 2:
        line = re.sub(r"(\d)x[\d+]+", r"\1", line)
    _exported_equals_eager(*make((parse(line), shape)))


@pytest.mark.slow
@given(case=CASES)
@settings(deadline=None, max_examples=100)
def test_random_networks_exported_equal_eager(case: tuple[tuple[Item, ...], Shape]) -> None:
    _exported_equals_eager(*make(case))


def test_channels_last_is_the_same_function() -> None:
    line = (
        "conv 8 3 pad 0+1 mode reflect | average 3 stride 2 pad same count off | min 2 | global max"
    )
    network = build(line, channels=3, height=19, width=24, outputs=4).eval()
    pictures = torch.randn(2, 3, 19, 24)
    plain = network(pictures)
    last = network.to(memory_format=torch.channels_last)(
        pictures.to(memory_format=torch.channels_last)
    )
    torch.testing.assert_close(last, plain, rtol=1e-5, atol=1e-5)


def test_names_of_weights_in_blocks() -> None:
    line = "parallel ( conv 2 1 ; residual ( conv 1 3 pad same ) ) | flatten | dense 4"
    network = build(line, channels=1, height=5, width=5, outputs=4)
    assert {key.removeprefix("layers.").rpartition(".")[0] for key in network.state_dict()} == {
        "parallel1.branch1.conv1", "parallel1.branch2.block1.body.conv1", "dense1",
    }  # fmt: skip
    assert [row.name for row in summary(network).rows] == [
        "parallel1.branch1.conv1",
        "parallel1.branch2.block1.body.conv1",
        "parallel1.branch2.block1.add",
        "parallel1.concatenate",
        "flatten1",
        "dense1",
    ]


def test_what_the_same_line_means_is_one_text(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text("- CONV 8 3\n- relu | flatten\n- dense: 2\n")
    line = "conv 8 3 | relu | flatten | dense 2"
    assert canonical(str(file)) == canonical("conv  8 3|relu|flatten|dense 2") == line
    assert canonical(" flatten ") == "flatten"
    assert canonical("cnn3") == "cnn3"


@pytest.mark.slow
def test_a_written_network_is_trained_shipped_and_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "stripes", each=20)
    (tmp_path / "net.yml").write_text("- conv 4 3 pad same\n- relu\n- {max: 2}\n")
    line = "conv 4 3 pad same | relu | max 2"
    first = train("stripes", network="net.yml", epochs=1, name="first")
    (tmp_path / "net.yml").unlink()
    again = train(config=first.folder / "config.yaml", name="again")
    for run in (first, again):
        config = yaml.safe_load((run.folder / "config.yaml").read_text("utf-8"))
        assert config["network"]["name"] == line
        shipped = json.loads((run.model / "model.json").read_text("utf-8"))["network"]
        assert (shipped["name"], shipped["options"]) == (line, {})
    weights = [(run.model / "weights.safetensors").read_bytes() for run in (first, again)]
    assert weights[0] == weights[1]
    assert summary(line, input=(3, 16, 16), outputs=2).parameters == shipped["parameters"]
    told = command_line.striate("summary", first.model, "--no-measure")
    assert (told.code, told.out.splitlines()[0]) == (0, f"{line} for 3×16×16")
    layers = json.loads((first.folder / "results.json").read_text("utf-8"))["layers"]
    assert [layer["name"] for layer in layers] == ["conv1", "relu1", "pool1", "flatten1", "dense1"]
