"""Drawings: what is in a box, what is folded, where branches are, and that no text is clipped."""

import xml.etree.ElementTree as ElementTree

import pytest
import torch
import torchvision
from torch import Tensor, nn

from striate.network import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    Network,
    Parallel,
    Pool,
    Residual,
    Specification,
    Summary,
    networks,
    summary,
)
from striate.network._draw import Node, draw
from striate.network._draw_svg_text import width

RELU = Activation("relu")
SVG = "{http://www.w3.org/2000/svg}"


def written(*layers: object, shape: tuple[int, ...] = (4, 16, 16)) -> Summary:
    return summary(Network(Specification(layers=tuple(layers)), shape))  # type: ignore[arg-type]


def test_cnn3_as_mermaid() -> None:
    assert (
        summary("cnn3").mermaid()
        == """\
flowchart TD
    input(["input 1×28×28"])
    n0["conv1<br/>conv 3×3, 32<br/>32×28×28 · 320 parameters"]
    n1["pool1<br/>max pool 2×2 · relu<br/>32×14×14"]
    n2["conv2<br/>conv 3×3, 64<br/>64×14×14 · 18,496 parameters"]
    n3["pool2<br/>max pool 2×2 · relu · flatten<br/>3136"]
    n4["dense1<br/>dense 128 · relu<br/>128 · 401,536 parameters"]
    n5["dense2<br/>dense 10<br/>10 · 1,290 parameters"]
    n6["log_softmax<br/>log-softmax<br/>10"]
    input --> n0
    n0 --> n1
    n1 --> n2
    n2 --> n3
    n3 --> n4
    n4 --> n5
    n5 --> n6"""
    )


def block(stride: int = 1) -> Residual:
    body = (Conv(4, 3, stride=stride, padding=1), BatchNorm(), RELU, Conv(4, 3, padding=1))
    return Residual(body, (Conv(4, 1, stride=2),) if stride == 2 else ())


def test_equal_blocks_are_drawn_once_and_skips_are_seen() -> None:
    table = written(block(), RELU, block(2), RELU, GlobalPool(), Dense(2))
    assert [node.branches for node in draw(table).nodes[::2][:2]] == [
        (("conv 3×3, 4", "conv 3×3, 4"), ()),
        (("conv 3×3, 4, stride 2", "conv 3×3, 4"), ("conv 1×1, 4, stride 2",)),
    ]
    assert [node.join for node in draw(table).nodes[::2][:2]] == ["add", "add"]
    folded = draw(written(block(), block(), block(), GlobalPool(), Dense(2)))
    assert folded.nodes[0] == Node(
        title="block1 – block3",
        lines=("4×16×16 · 304 parameters each",),
        branches=(("conv 3×3, 4", "conv 3×3, 4"), ()),
        join="add",
        repeats=3,
    )
    assert folded.edges == ((-1, 0), (0, 1), (1, 2))


def test_parallel_branches() -> None:
    parallel = Parallel(((Conv(2, 1),), (Conv(3, 3, padding=1), RELU), (Pool("max", 3, 1, 1),)))
    table = written(parallel, Flatten(), Dense(2), shape=(4, 8, 8))
    node = draw(table).nodes[0]
    assert node.branches == (("conv 1×1, 2",), ("conv 3×3, 3",), ("max pool 3×3, stride 1",))
    assert (node.title, node.join) == ("parallel1", "concatenate")
    assert node.lines == ("9×8×8 · 121 parameters",)


def test_a_block_as_mermaid() -> None:
    lines = written(block(), GlobalPool(), Dense(2)).mermaid().splitlines()
    assert lines[2:9] == [
        '    subgraph b0["block1<br/>4×16×16 · 304 parameters"]',
        "        n0(( ))",
        '        j0(["add"])',
        '        n0_0_0["conv 3×3, 4"]',
        '        n0_0_1["conv 3×3, 4"]',
        "        n0 --> n0_0_0 --> n0_0_1 --> j0",
        "        n0 -->|skip| j0",
    ]
    assert "    j0 --> n1" in lines


def test_resnet50_is_read_at_a_glance() -> None:
    """Skips are found in the forward pass of a module that striate doesn't know."""
    torch.manual_seed(0)
    drawing = draw(summary(torchvision.models.resnet50(), input=(3, 64, 64)))
    assert [(node.title, node.repeats) for node in drawing.nodes] == [
        ("conv1", 1),
        ("maxpool", 1),
        ("layer1.0", 1),
        ("layer1.1 – layer1.2", 2),
        ("layer2.0", 1),
        ("layer2.1 – layer2.3", 3),
        ("layer3.0", 1),
        ("layer3.1 – layer3.5", 5),
        ("layer4.0", 1),
        ("layer4.1 – layer4.2", 2),
        ("avgpool", 1),
        ("fc", 1),
    ]
    assert drawing.nodes[3].branches == (("conv 1×1, 64", "conv 3×3, 64", "conv 1×1, 256"), ())
    assert drawing.nodes[4].branches[1] == ("conv 1×1, 512, stride 2",)
    assert drawing.nodes[3].join == "add · relu"
    assert [b - a for a, b in drawing.edges] == [1] * 12


class Bridge(nn.Module):
    """An early feature map is concatenated to a late one: a skip past other layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
        self.third, self.last = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(4, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        early = self.first(x)
        late: Tensor = self.last(torch.cat([early, self.third(self.second(early))], dim=1))
        return late


def test_a_skip_past_other_layers_is_an_edge() -> None:
    table = summary(Bridge(), input=(1, 8, 8))
    assert draw(table).edges == ((-1, 0), (0, 1), (0, 3), (1, 2), (2, 3))
    assert 'class="skip" d=' in table.svg()
    assert "n0 --> n3" in table.mermaid()


class Inverted(nn.Module):
    """A residual block that adds without a module."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow = nn.Conv2d(2, 8, 1), nn.Conv2d(8, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.relu(self.narrow(torch.relu(self.wide(x))))


def test_a_sum_without_a_module_is_a_skip_around_its_block() -> None:
    blocks = [nn.Sequential(Inverted(), Inverted()), nn.Conv2d(2, 2, 1)]
    drawing = draw(summary(nn.Sequential(nn.Conv2d(1, 2, 3), *blocks), input=(1, 8, 8)))
    assert [(node.title, node.repeats) for node in drawing.nodes] == [
        ("0", 1),
        ("1.0 – 1.1", 2),
        ("2", 1),
    ]
    node = drawing.nodes[1]
    assert (node.branches, node.join) == ((("conv 1×1, 8", "conv 3×3, 2"), ()), "add")
    assert drawing.edges == ((-1, 0), (0, 1), (1, 2))


def test_a_tangle_is_said_to_be_one() -> None:
    """Every layer of a dense block reads all before it, and the block hands its input on."""
    network = torchvision.models.densenet121()
    drawing = draw(summary(network, input=(3, 64, 64)))
    assert drawing.nodes[1].lines == (
        "12 × batch norm, 12 × relu, 12 × conv",
        "branches inside aren't drawn",
        "256×16×16 · 335,040 parameters",
    )
    assert [edge for edge in drawing.edges if edge[1] != edge[0] + 1] == [
        (0, 2),
        (2, 4),
        (4, 6),
        (6, 8),
    ]


@pytest.mark.parametrize("name", [one.name for one in networks() if one.builder])
def test_svg_is_well_formed_and_holds_every_text(name: str) -> None:
    root = ElementTree.fromstring(summary(name).svg())
    across, down = (float(root.attrib[key]) for key in ("width", "height"))
    texts = root.findall(f".//{SVG}text")
    shown = "".join(one.text or "" for one in texts)
    for node in draw(summary(name)).nodes:
        assert all(words in shown for words in (node.title, *node.lines))
    for one in texts:
        x, y, line = float(one.attrib["x"]), float(one.attrib["y"]), one.text or ""
        left = x - width(line) / 2 if one.attrib["text-anchor"] == "middle" else x
        assert left >= 0
        assert left + width(line) <= across
        assert 0 < y < down
    style = root.findtext(f"{SVG}style") or ""
    assert "@media (prefers-color-scheme: dark)" in style


def test_names_from_outside_are_escaped() -> None:
    network = nn.Sequential()
    network.add_module('a<b&"c', nn.Conv2d(1, 1, 1))
    table = summary(network, input=(1, 2, 2))
    assert 'n0["a#lt;b#amp;#quot;c<br/>' in table.mermaid()
    shown = [one.text for one in ElementTree.fromstring(table.svg()).findall(f".//{SVG}text")]
    assert 'a<b&"c' in shown
