"""The layer table, against PyTorch's own counters and for modules of any shape."""

from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from striate.errors import NetworkError
from striate.network import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    GlobalPool,
    Network,
    Pool,
    Residual,
    Specification,
    build,
    networks,
    summary,
)
from striate.network._specification import walk

# Bytes: 4 · (2 · 32·62·62 + 2 · 32·31·31 + 2 · 128 + 2).
TABLE = """\
cnn64-small for 3×64×64

layer     kind      output    parameters      FLOPs  field    bytes
───────────────────────────────────────────────────────────────────
conv1     conv      32×62×62         896  6,642,432    3×3  492,032
relu1     relu      32×62×62           0          0    3×3  492,032
pool1     max pool  32×31×31           0          0    4×4  123,008
flatten1  flatten   30752              0          0  64×64  123,008
dense1    dense     128        3,936,384  7,872,512  64×64      512
relu2     relu      128                0          0  64×64      512
dense2    dense     1                129        256  64×64        4
sigmoid   sigmoid   1                  0          0  64×64        4
───────────────────────────────────────────────────────────────────
3,937,409 parameters, 14,515,200 FLOPs (7,257,600 multiplications + 7,257,600 additions),
1,231,112 bytes

layer     size              from
conv1     64 → 62           (64 − 3 + 2·0)/1 + 1 = 62
pool1     62 → 31           (62 − 2 + 2·0)/2 + 1 = 31
flatten1  32×31×31 → 30752  32·31·31 = 30752
dense1    30752 → 128       30752 → 128
dense2    128 → 1           128 → 1

convolution  parameters   unshared          dense  connections
conv1               896  3,444,224  1,511,645,312           27
Dense: every output with a weight for every input. Unshared: the convolution's windows with other
weights at every position. Connections: how many numbers one output reads.

FLOPs are for one picture: multiplications and additions, so 2 for each multiply-add; comparisons
and exponentials aren't counted. Field: the pixels of the picture, in each direction, that one
number of the output can depend on. Bytes are those of the layer's output, for one picture, as
float32."""


class Branches(nn.Module):
    """Two branches, functional layers, a shared layer, a parameter of its own, an unused layer."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Conv2d(3, 4, 3, padding=1)
        self.right = nn.Conv2d(3, 4, 5, padding="same")
        self.twice = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
        self.head = nn.Linear(8, 2)
        self.scale = nn.Parameter(torch.ones(2))
        self.unused = nn.Linear(2, 3)

    def forward(self, pictures: Tensor) -> Tensor:
        joined = torch.cat([self.left(pictures), self.right(pictures)], dim=1)
        pooled = functional.max_pool2d(functional.relu(joined), 2)
        seen = self.twice(self.twice(pooled)) + pooled
        logits: Tensor = self.head(seen.mean((2, 3))) * self.scale
        return logits


def test_a_module_with_branches() -> None:
    table = summary(Branches(), input=(3, 16, 20))
    got = [(row.name, row.kind, row.output, row.parameters) for row in table.rows]
    assert got == [
        ("left", "conv", (4, 16, 20), 112),
        ("right", "conv", (4, 16, 20), 304),
        ("twice", "conv", (8, 8, 10), 72),
        ("twice", "conv", (8, 8, 10), 0),
        ("head", "dense", (2,), 18),
        ("network", "Branches", (2,), 2),
        ("unused", "Linear, not called", (), 9),
    ]
    fields = [row.to_json()["receptive_field"] for row in table.rows]
    # max(3, 5), pooled by 2: 6 at stride 2; twice 3×3 at stride 2: 10, then 14.
    assert fields == [[3, 3], [5, 5], [10, 10], [14, 14], [16, 20], [16, 20], None]
    assert (
        table.rows[1].formula
        == "height: (16 − 5 + 2·2)/1 + 1 = 16; width: (20 − 5 + 2·2)/1 + 1 = 20"
    )
    assert table.parameters == sum(weights.numel() for weights in Branches().parameters())


def test_the_module_is_left_as_it_was() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout())
    network[1].eval()
    mean = network[1].running_mean.clone()
    summary(network, input=(1, 9, 9), measure=True)
    assert [layer.training for layer in network.modules()] == [True, True, False, True]
    assert torch.equal(network[1].running_mean, mean)
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in network.modules())


def _flops_by_pytorch(network: nn.Module, shape: tuple[int, ...]) -> int:
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network.eval()(torch.zeros(1, *shape))
    return counter.get_total_flops()


@pytest.mark.parametrize("name", [one.name for one in networks() if one.builder])
def test_flops_of_convolutions_and_dense_layers_are_pytorchs(name: str) -> None:
    shape = (3, 45, 38)
    network = build(name, channels=3, height=45, width=38, outputs=5)
    rows = summary(name, input=shape, outputs=5).rows
    ours = sum(row.cost.flops for row in rows if row.kind in ("conv", "dense"))
    assert ours == _flops_by_pytorch(network, shape)


def test_resnet18_has_the_published_figures() -> None:
    """11,689,512 parameters, a receptive field of 435 pixels (Araujo et al. 2019)."""
    network = torchvision.models.resnet18()
    table = summary(network, input=(3, 224, 224))
    assert table.parameters == 11_689_512
    rows = {row.name: row.to_json() for row in table.rows}
    assert rows["layer4.1.conv2"]["receptive_field"] == [435, 435]
    assert rows["avgpool"]["kind"] == "global average pool"
    assert rows["avgpool"]["receptive_field"] == [224, 224]
    counted = sum(row.cost.flops for row in table.rows if row.kind in ("conv", "dense"))
    assert counted == _flops_by_pytorch(network, (3, 224, 224))


def test_costs_beside_multiply_adds_by_hand() -> None:
    layers = (BatchNorm(), Pool("average", 2), Pool("max", 2), GlobalPool(), Dense(3))
    rows = [step.layer.cost(step.input) for step in walk(layers, (2, 8, 8))]
    assert [(cost.multiplies, cost.adds) for cost in rows] == [
        (128, 128),  # a factor and a shift for each of 2·8·8
        (32, 96),  # 2·4·4 means of 4: 3 additions and a multiplication
        (0, 0),  # comparisons
        (2, 6),  # 2 means of 4
        (6, 6),
    ]


def residual() -> Network:
    block = Residual(
        (Conv(8, 3, stride=2, padding=1), BatchNorm(), Activation("relu"), Conv(8, 3, padding=1)),
        (Conv(8, 1, stride=2),),
    )
    plain = Residual((Conv(8, 3, padding=1), Activation("gelu")))
    layers = (Conv(4, 3), block, Activation("silu"), plain, GlobalPool("max"), Dense(2))
    return Network(Specification(layers=layers, final_activation="softmax"), (3, 17, 20))


def test_residual_blocks_are_opened() -> None:
    network = residual()
    table = summary(network)
    steps = walk(network.specification.layers, (3, 17, 20))
    assert [row.name for row in table.rows[:-1]] == [step.name for step in steps]
    assert [row.fields for row in table.rows[:-1]] == [step.fields for step in steps]
    assert [row.cost for row in table.rows[:-1]] == [step.layer.cost(step.input) for step in steps]
    assert table.rows[-1].kind == "softmax"
    assert table.parameters == sum(weights.numel() for weights in network.parameters())
    network(torch.randn(2, 3, 17, 20)).sum().backward()
    assert all(weights.grad is not None for weights in network.parameters())


def test_a_block_adds_its_shortcut() -> None:
    network = residual().eval()
    maps = torch.randn(1, 8, 5, 5)
    block: Any = network.layers.block2
    torch.testing.assert_close(block(maps), maps + functional.gelu(block.body.conv1(maps)))


def test_the_document_for_programs() -> None:
    document = summary("cnn3").to_json()
    assert document["input"] == [1, 28, 28]
    assert document["parameters"] == 421_642
    # 2 · (28²·32·9 + 14²·64·288 + 3136·128 + 128·10)
    assert document["flops"] == 8_482_304 == document["multiplies"] + document["adds"]
    assert document["layers"][0] == {
        "name": "conv1",
        "kind": "conv",
        "formula": "(28 − 3 + 2·1)/1 + 1 = 28",
        "input": [1, 28, 28],
        "output": [32, 28, 28],
        "parameters": 320,
        "trainable": 320,
        "frozen": 0,
        "dense_parameters": 19_694_080,
        "unshared_parameters": 250_880,
        "connections": 9,
        "flops": 451_584,
        "multiplies": 225_792,
        "adds": 225_792,
        "receptive_field": [3, 3],
        "field": [{"size": 3, "stride": 1, "centre": 0.0}] * 2,
        "unread": [0, 0],
        "bytes": 100_352,
        "milliseconds": None,
    }
    assert document["layers"][-1]["kind"] == "log-softmax"
    assert document["findings"] == []
    for key in ("parameters", "trainable", "frozen", "flops", "multiplies", "adds", "bytes"):
        assert document[key] == sum(row[key] for row in document["layers"])


def test_the_table_for_people() -> None:
    assert summary("cnn64-small").table() == TABLE


@pytest.mark.parametrize("network", ["cnn-gap", Branches()])
def test_milliseconds_are_measured_for_every_called_layer(network: str | nn.Module) -> None:
    table = summary(network, input=(3, 24, 24), measure=True)
    timed = [row.milliseconds for row in table.rows if not row.kind.endswith("not called")]
    assert all(spent is not None and spent >= 0 for spent in timed)
    assert table.milliseconds is not None
    assert table.milliseconds > 0
    assert " ms" in table.table()


def test_what_pytorch_refuses_is_said() -> None:
    with pytest.raises(NetworkError) as caught:
        summary(nn.Conv2d(3, 4, 5), input=(3, 4, 4))
    assert str(caught.value).startswith("Conv2d can't take a picture of 3×4×4. PyTorch says: ")
    with pytest.raises(NetworkError) as caught:
        summary(Branches())
    assert str(caught.value) == ("A picture size is needed to run Branches; give input=(C, H, W).")


# PyTorch warns that an even kernel with padding "same" copies its input.
@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize(
    ("module", "kind", "formula"),
    [
        (nn.AdaptiveMaxPool2d((1, 1)), "global max pool", "9·9 → 1"),
        (
            nn.AdaptiveAvgPool2d(2),
            "adaptive average pool",
            "window i: 9·i/2 rounded down to 9·(i + 1)/2 rounded up",
        ),
        (nn.AdaptiveAvgPool2d((2, 3)), "AdaptiveAvgPool2d", ""),
        (nn.MaxPool2d(2, ceil_mode=True), "max pool", "ceil((9 − 2 + 2·0)/2) + 1 = 5"),
        (nn.AvgPool2d((3, 3), 2, 1), "average pool", "(9 − 3 + 2·1)/2 + 1 = 5"),
        (nn.MaxPool2d(2, dilation=2), "MaxPool2d", ""),
        (nn.Conv2d(2, 2, 3, padding="valid"), "conv", "(9 − 3 + 2·0)/1 + 1 = 7"),
        (nn.Conv2d(2, 2, 2, padding="same"), "conv", "(9 − 2 + 0 + 1)/1 + 1 = 9"),
        (nn.GroupNorm(1, 2), "GroupNorm", ""),
        (nn.Hardswish(), "Hardswish", ""),
        (nn.Flatten(), "flatten", "2·9·9 = 162"),
        (nn.Flatten(2), "Flatten", ""),
        (nn.LeakyReLU(), "leaky-relu", ""),
    ],
)
def test_pytorchs_layers_are_recognised_or_called_by_their_class(
    module: nn.Module, kind: str, formula: str
) -> None:
    (row,) = summary(module, input=(2, 9, 9)).rows
    assert (row.kind, row.formula) == (kind, formula)
    assert row.output == tuple(module.eval()(torch.zeros(1, 2, 9, 9)).shape[1:])


def test_a_series_has_one_axis() -> None:
    network = nn.Sequential(nn.Conv1d(2, 4, 5, stride=2), nn.MaxPool1d(3), nn.AvgPool1d(2))
    rows = summary(network, input=(2, 50)).rows
    assert [row.formula for row in rows] == [
        "floor((50 − 5 + 2·0)/2) + 1 = 23",
        "floor((23 − 3 + 2·0)/3) + 1 = 7",
        "floor((7 − 2 + 2·0)/2) + 1 = 3",
    ]
    assert [row.to_json()["receptive_field"] for row in rows] == [[5], [9], [15]]


WRITTEN = (
    "conv 8 3 pad same stride 2 | relu | max 2 | parallel ( conv 4 1 ; conv 4 3 pad 1 | relu ; "
    "max 3 stride 1 pad 1 ) | residual ( conv 16 3 pad 1 ; conv 16 1 ) | relu | global average",
    "conv 8 3 pad 0+1 | relu | conv 4 3 pad 1 mode circular | min 2 ceil | average 3 stride 2 pad "
    "same | flatten | dense 10",
    "conv 8 5x3 stride 2x1 pad 2x1 | tanh | residual ( relu | conv 8 3 pad 1 | batchnorm ) | "
    "residual ( residual ( conv 8 1 ) ; relu ) | global max | dense 10 | softmax",
)


@pytest.mark.parametrize("words", WRITTEN)
def test_a_written_networks_table_is_its_modules(words: str) -> None:
    """Rows with all their figures, and which layer reads which; a forward pass tells the other."""
    told = summary(words, input=(3, 29, 40), outputs=10)
    network = build(words, channels=3, height=29, width=40, outputs=10)
    assert summary(network).rows == told.rows


def test_layers_of_a_series_are_timed() -> None:
    table = summary("conv 8 5 | relu | global max | dense 2", input=(2, 50), measure=True)
    assert all(row.milliseconds is not None for row in table.rows)


def test_frozen_parameters_are_told() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2, 3))
    network[0].weight.requires_grad_(False)
    table = summary(network, input=(1, 3, 3))
    assert [(row.parameters, row.trainable, row.frozen) for row in table.rows] == [
        (20, 2, 18),
        (0, 0, 0),
        (9, 9, 0),
    ]
    lines = table.table().splitlines()
    assert lines[2].split()[3:5] == ["parameters", "frozen"]
    assert lines[8].startswith("29 parameters (18 frozen), ")


@pytest.mark.parametrize("name", [one.name for one in networks() if one.builder])
def test_the_table_fits_into_100_columns(name: str) -> None:
    assert max(map(len, summary(name).table().splitlines())) <= 100


def test_rows_read_what_their_module_was_given() -> None:
    rows = summary(Branches(), input=(3, 16, 20)).rows
    assert [row.reads for row in rows] == [(-1,), (-1,), (0, 1), (2,), (0, 1, 3), (4,), ()]
    assert [row.computed for row in rows] == [False, False, True, False, True, True, False]
