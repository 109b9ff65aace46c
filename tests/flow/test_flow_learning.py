"""How fast each layer of a pretrained network learns, and what its batch norms do meanwhile."""

from collections import OrderedDict

import pytest
import torch
from torch import nn

from striate.flow import _learning as learning
from striate.flow._learning import optimizer_of
from striate.network import Classifier, Network, build, freeze, layer_units
from striate.training import Settings, make_settings
from striate.training._optimizers import Group

LITE0_BLOCKS = [1, 2, 2, 3, 3, 4, 1]


def lite0() -> Classifier:
    network = build("efficientnet-lite0", channels=3, height=64, width=64, outputs=2)
    assert isinstance(network, Classifier)
    return network


def names_of(network: nn.Module) -> dict[int, str]:
    return {id(one): name for name, one in network.named_parameters()}


def rates(
    network: nn.Module, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> dict[str, tuple[float, bool, bool]]:
    """Return what each parameter's rate is multiplied by, whether it decays, whether it's the head."""
    taken: list[Group] = []

    def keep(_name: str, groups: list[Group], **_options: object) -> None:
        taken.extend(groups)

    monkeypatch.setattr(learning, "make_optimizer", keep)
    optimizer_of(network, settings)
    names = names_of(network)
    found = {
        names[id(one)]: (group.rate, group.decay, group.head)
        for group in taken
        for one in group.parameters
    }
    assert sum(len(group.parameters) for group in taken) == len(found)
    return found


def test_units_are_the_layers_in_their_order() -> None:
    network = lite0()
    names = names_of(network)
    units = [[names[id(one)].removeprefix("backbone.") for one in u] for u in layer_units(network)]
    assert units[0] == ["conv_stem.weight", "bn1.weight", "bn1.bias"]
    assert units[-1] == ["conv_head.weight", "bn2.weight", "bn2.bias"]
    blocks = [
        f"blocks.{stage}.{n}." for stage, count in enumerate(LITE0_BLOCKS) for n in range(count)
    ]
    assert len(units) == 2 + len(blocks)
    for unit, block in zip(units[1:-1], blocks, strict=True):
        assert unit
        assert all(name.startswith(block) for name in unit)
    every = [name.removeprefix("backbone.") for name in names.values() if "backbone" in name]
    assert [name for unit in units for name in unit] == every


def test_wrappers_are_looked_through_and_norms_belong_to_the_layer_before() -> None:
    inner = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, 4, 3),
            norm1=nn.BatchNorm2d(4),
            relu=nn.ReLU(),
            conv2=nn.Conv2d(4, 4, 3),
        )
    )
    network = Classifier(
        "tiny", nn.Sequential(inner), nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), shape=(3, 5, 5)
    )
    sizes = [[tuple(one.shape) for one in unit] for unit in layer_units(network)]
    assert sizes == [[(4, 3, 3, 3), (4,), (4,), (4,)], [(4, 4, 3, 3), (4,)]]


def test_the_earlier_a_layer_the_slower_it_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make_settings(
        {"optimizer": {"name": "adamw", "layer_decay": 0.5, "bias_rate": 3.0, "head_rate": 7.0}}
    )
    found = rates(lite0(), settings, monkeypatch)
    assert found["head.output.weight"] == (7.0, True, True)
    assert found["head.output.bias"] == (3.0, False, False)
    assert found["backbone.conv_head.weight"] == (0.5, True, False)
    assert found["backbone.bn2.weight"] == (1.5, False, False)
    assert found["backbone.blocks.6.0.conv_pw.weight"] == (0.25, True, False)
    assert found["backbone.conv_stem.weight"] == (0.5**18, True, False)
    assert found["backbone.bn1.bias"] == (3 * 0.5**18, False, False)
    assert len(found) == len(list(lite0().parameters()))


def test_without_a_decay_all_layers_learn_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    for given in ({}, {"layer_decay": 1.0}):
        found = rates(lite0(), make_settings({"optimizer": given}), monkeypatch)
        assert {rate for rate, _, _ in found.values()} == {1.0}
    course = build("cnn3", channels=1, height=28, width=28, outputs=10)
    assert isinstance(course, Network)
    settings = make_settings({"optimizer": {"layer_decay": 0.5}})
    assert {rate for rate, _, _ in rates(course, settings, monkeypatch).values()} == {1.0}


def test_what_is_frozen_is_in_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    network = lite0()
    freeze(network)
    found = rates(network, make_settings({"optimizer": {"layer_decay": 0.5}}), monkeypatch)
    assert set(found) == {"head.output.weight", "head.output.bias"}


@pytest.mark.parametrize("kept", [True, False])
def test_batch_norms_keep_their_statistics_where_they_are_to(kept: bool) -> None:
    torch.default_generator.manual_seed(1)
    backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 2))
    network = Classifier("tiny", backbone, head, shape=(3, 6, 6))
    network.keeps_statistics = kept
    norm = backbone[1]
    before = norm.running_mean.clone()
    weight = norm.weight.detach().clone()
    for _ in range(3):
        network.train()
        # A validation in between must not change that.
        network.eval().train()
        network(torch.rand(4, 3, 6, 6)).square().sum().backward()
        with torch.no_grad():
            for one in network.parameters():
                one -= 0.1 * one.grad
    assert torch.equal(norm.running_mean, before) is kept
    assert norm.training is not kept
    assert not torch.equal(norm.weight, weight)  # its scale is learnt all the same
    assert backbone[2].training
    assert head[2].training
