"""Initial weights: their statistics, against torch.nn.init and by hand."""

from math import sqrt

import pytest
import torch
from torch import Tensor, nn

from striate.errors import NetworkError
from striate.network import build, initialise


def layers() -> nn.Sequential:
    """Return a convolution of fan_in 288 and fan_out 576, and a dense layer of 400 → 300."""
    return nn.Sequential(
        nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), nn.Flatten(), nn.Linear(400, 300)
    )


def drawn(kind: str, *, seed: int = 0, deviation: float = 0.01) -> tuple[Tensor, Tensor]:
    network = layers()
    initialise(network, convolution=kind, dense=kind, deviation=deviation, seed=seed)
    return network[0].weight.detach(), network[3].weight.detach()


@pytest.mark.parametrize(
    ("kind", "convolution", "dense"),
    [
        ("default", 1 / sqrt(3 * 288), 1 / sqrt(3 * 400)),
        ("normal", 0.01, 0.01),
        ("xavier-uniform", sqrt(2 / (288 + 576)), sqrt(2 / 700)),
        ("xavier-normal", sqrt(2 / (288 + 576)), sqrt(2 / 700)),
        ("kaiming-uniform", sqrt(2 / 288), sqrt(2 / 400)),
        ("kaiming-normal", sqrt(2 / 288), sqrt(2 / 400)),
    ],
)
def test_means_and_deviations(kind: str, convolution: float, dense: float) -> None:
    for weights, deviation in zip(drawn(kind), (convolution, dense), strict=True):
        assert abs(weights.mean().item()) < 0.02 * deviation + 4 * deviation / sqrt(weights.numel())
        assert weights.std().item() == pytest.approx(deviation, rel=0.03)
        uniform = kind == "default" or kind.endswith("uniform")
        # A uniform draw ends at √3 deviations; a normal one of this many goes beyond 3.5.
        furthest = weights.abs().max().item() / deviation
        assert (furthest <= sqrt(3) + 1e-3) if uniform else (3.5 < furthest < 6.5)


@pytest.mark.parametrize(
    ("kind", "torchs"),
    [
        ("normal", lambda w: nn.init.normal_(w, 0, 0.01)),
        ("xavier-uniform", nn.init.xavier_uniform_),
        ("xavier-normal", nn.init.xavier_normal_),
        ("kaiming-uniform", lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu")),
        ("kaiming-normal", lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu")),
        ("default", lambda w: nn.init.kaiming_uniform_(w, a=sqrt(5))),
    ],
)
def test_deviations_are_those_of_torch(kind: str, torchs: object) -> None:
    torch.manual_seed(3)
    for weights in drawn(kind):
        expected = torch.empty_like(weights)
        torchs(expected)  # type: ignore[operator]
        assert weights.std().item() == pytest.approx(expected.std().item(), rel=0.03)
        assert weights.abs().max().item() == pytest.approx(expected.abs().max().item(), rel=0.3)


def test_orthogonal_rows_have_length_one_and_stand_upright() -> None:
    for weights in drawn("orthogonal"):
        rows = weights.flatten(1)
        torch.testing.assert_close(rows @ rows.T, torch.eye(len(rows)), atol=1e-5, rtol=0)


def test_normal_takes_its_deviation() -> None:
    assert drawn("normal", deviation=0.5)[0].std().item() == pytest.approx(0.5, rel=0.03)


def test_constants() -> None:
    network = layers()
    initialise(network, convolution="constant", bias="constant", constant=0.5, seed=0)
    assert network[0].weight.unique().tolist() == [0.5]
    assert network[0].bias.unique().tolist() == network[3].bias.unique().tolist() == [0.5]
    assert len(network[3].weight.unique()) > 1


def test_biases_and_each_kind_of_layer_by_itself() -> None:
    network = layers()
    before = {name: weights.detach().clone() for name, weights in network.named_parameters()}
    initialise(network, dense="normal", bias="zeros", seed=0)
    after = dict(network.named_parameters())
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed == {"0.bias", "3.weight", "3.bias"}
    assert not after["0.bias"].any()
    assert not after["3.bias"].any()
    initialise(network, bias="default", seed=0)
    assert 0.9 / sqrt(400) < after["3.bias"].abs().max().item() <= 1 / sqrt(400)
    assert 0.8 / sqrt(288) < after["0.bias"].abs().max().item() <= 1 / sqrt(288)


def test_the_seed_decides_and_the_global_state_stays() -> None:
    state = torch.random.get_rng_state()
    network = layers()
    torch.random.set_rng_state(state)
    for kind in ("default", "normal", "xavier-uniform", "kaiming-normal", "orthogonal"):
        initialise(network, convolution=kind, dense=kind, bias="default", seed=5)
        first = [weights.detach().clone() for weights in network.parameters()]
        initialise(network, convolution=kind, dense=kind, bias="default", seed=5)
        for one, other in zip(first, network.parameters(), strict=True):
            assert torch.equal(one, other)
        initialise(network, convolution=kind, seed=6)
        assert not torch.equal(first[0], network[0].weight)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_small_weights_stay_small_after_two_blocks_of_cnn3() -> None:
    """With unit-normal input, normal(0, 0.01) leaves about 0.004, Kaiming 1.8, the default 0.31."""
    pictures = torch.randn(64, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    network = build("cnn3", channels=1, height=28, width=28, outputs=10)
    for kind, expected in (("normal", 0.004), ("kaiming-normal", 1.8), ("default", 0.31)):
        zeros = "default" if kind == "default" else "zeros"
        initialise(network, convolution=kind, bias=zeros, deviation=0.01, seed=1)
        maps = network.layers[:6](pictures)
        assert maps.std().item() == pytest.approx(expected, rel=0.35)


def test_unknown_kinds_are_refused() -> None:
    for options, sentence in (
        (
            {"convolution": "kaiming"},
            "There is no initialisation of convolutions called 'kaiming'. Did you mean "
            "'kaiming-normal'? Known: default, normal, xavier-uniform, xavier-normal, "
            "kaiming-uniform, kaiming-normal, orthogonal, dirac, constant.",
        ),
        (
            {"bias": "zero"},
            "There is no initialisation of biases called 'zero'. Did you mean 'zeros'? "
            "Known: default, zeros, constant.",
        ),
        (
            {"dense": "normal", "deviation": 0.0},
            "The deviation of initial weights must be above 0, got 0.0.",
        ),
        (
            {"dense": "constant", "constant": float("inf")},
            "The constant of initial weights must be finite, got inf.",
        ),
    ):
        with pytest.raises(NetworkError) as caught:
            initialise(layers(), seed=0, **options)  # type: ignore[arg-type]
        assert str(caught.value) == sentence


def test_dirac_hands_on_the_channels_that_come_in() -> None:
    convolution, dense = drawn("dirac")
    pictures = torch.randn(2, 32, 7, 7)
    same = nn.functional.conv2d(pictures, convolution, padding=1)
    assert torch.equal(same[:, :32], pictures)
    assert convolution[32:].std().item() == pytest.approx(1 / sqrt(3 * 288), rel=0.05)
    assert torch.equal(dense, torch.eye(400)[:300])
