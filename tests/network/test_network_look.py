"""A second look at networks: every finding's sentence, and what is said of the registered ones."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from striate.network import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Finding,
    Flatten,
    GlobalPool,
    Network,
    Pool,
    Residual,
    Specification,
    Summary,
    look,
    networks,
    summary,
)

RELU = Activation("relu")


def table(layers: Sequence[object], shape: tuple[int, ...] = (1, 12, 12)) -> Summary:
    return summary(Network(Specification(layers=tuple(layers)), shape))  # type: ignore[arg-type]


def sentences(found: tuple[Finding, ...]) -> list[str]:
    return [one.sentence for one in found]


EXPECTED = {
    "compact": [("pool2", "unread")],
    "cnn3": [],
    "cnn3-dropout": [],
    "cnn3-batchnorm": [("conv1", "bias")],
    "cnn5": [("dense1", "activation")],
    "cnn64": [("pool2", "unread")],
    "cnn64-small": [],
    "cnn-gap": [("conv1", "bias"), ("global_pool1", "seen")],
    "airbench": [("pool1", "unread"), ("pool2", "unread"), ("pool3", "unread")],
    "lenet5": [],
    "mlp": [],
}


def test_what_is_found_in_the_registered_networks() -> None:
    found = {
        one.name: [
            (finding.layer, next(word for word in WORDS if word in finding.sentence))
            for finding in look(summary(one.name), loss="cross-entropy")
        ]
        for one in networks()
        if one.builder
    }
    assert {name: found[name] for name in EXPECTED} == EXPECTED
    assert all(not findings for name, findings in found.items() if name not in EXPECTED)


WORDS = ("unread", "bias", "activation", "seen")


def test_dense_layers_without_an_activation() -> None:
    assert look(summary("cnn5")) == (
        Finding(
            level="warn",
            layer="dense1",
            sentence=(
                "Between dense1 and dense2 there is no activation, so together they can compute no "
                "more than one dense layer of 3,136 → 10; their 3,147,010 parameters do what 31,370 "
                "could. Put an activation between them, for example 'relu', or take one of them "
                "out."
            ),
        ),
    )


def test_convolutions_without_an_activation() -> None:
    assert sentences(
        look(table([Conv(4, 3), Conv(8, 3, padding=1), RELU, Flatten(), Dense(2)]))
    ) == [
        "Between conv1 and conv2 there is no activation, so together they can compute no more than "
        "one 5×5 convolution, borders apart; their 336 parameters do what 208 could. Put an "
        "activation between them, for example 'relu', or take one of them out."
    ]


def test_one_convolution_does_what_two_could() -> None:
    """The merged kernel has the size and the parameters that the sentence names."""
    first, second = nn.Conv2d(1, 4, 3, bias=False), nn.Conv2d(4, 8, 3, stride=2, bias=False)
    pictures = torch.randn(2, 1, 12, 12, dtype=torch.float64)
    first, second = first.double(), second.double()
    with torch.no_grad():
        # One delta a channel, convolved with both kernels in turn.
        merged = torch.zeros(8, 1, 5, 5, dtype=torch.float64)
        for i in range(3):
            for j in range(3):
                merged[:, :, i : i + 3, j : j + 3] += torch.einsum(
                    "om,mckl->ockl", second.weight[:, :, i, j], first.weight
                )
        torch.testing.assert_close(
            functional.conv2d(pictures, merged, stride=2), second(first(pictures))
        )
    assert merged.numel() == 200


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([Conv(4, 3), RELU, Conv(4, 3)], id="activation"),
        pytest.param([Conv(4, 3), Pool("max", 2), Conv(4, 3)], id="max pooling"),
        pytest.param([Conv(8, 1), RELU, Conv(8, 3, groups=8), Conv(16, 1)], id="groups"),
        pytest.param([Conv(8, 1), RELU, Conv(2, 1), Conv(8, 1), RELU], id="bottleneck"),
        pytest.param([Conv(4, 3), Residual((RELU, Conv(4, 1))), RELU], id="two readers"),
    ],
)
def test_no_finding_where_two_layers_do_more_than_one(layers: list[object]) -> None:
    found = sentences(look(table([*layers, RELU, Flatten(), Dense(2)])))
    assert not [one for one in found if "no activation" in one]


@pytest.mark.parametrize(
    "between", [[Dropout(0.5)], [BatchNorm()], [Pool("average", 2)], [Dropout(0.1), BatchNorm()]]
)
def test_linear_layers_between_change_nothing(between: list[object]) -> None:
    layers = [Conv(4, 3, bias=False), *between, Conv(4, 3), RELU, Flatten(), Dense(2)]
    assert "Between conv1 and conv2" in sentences(look(table(layers)))[0]


class Functional(nn.Module):
    """A ReLU without a module stands between the layers."""

    def __init__(self, relu: bool) -> None:
        super().__init__()
        self.first, self.second, self.relu = nn.Linear(4, 4), nn.Linear(4, 2), relu

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x.mean(dim=(2, 3)))
        return self.second(functional.relu(x) if self.relu else x.clone())


@pytest.mark.parametrize(("relu", "count"), [(True, 0), (False, 1)])
def test_functions_without_a_module_are_seen(relu: bool, count: int) -> None:
    assert len(look(summary(Functional(relu), input=(4, 3, 3)))) == count


def test_probabilities_under_a_loss_that_expects_logits() -> None:
    layers = summary(
        nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Softmax(dim=1)), input=(1, 2, 2)
    )
    assert sentences(look(layers, loss="cross-entropy")) == [
        "2 makes probabilities, but cross-entropy expects logits and applies a softmax itself; "
        "applied twice, the gradients become small and the probabilities can't come near 0 and 1. "
        "Take 2 out of the network."
    ]
    assert look(layers) == look(layers, loss="mse") == ()
    layers = summary(nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Sigmoid()), input=(1, 2, 2))
    assert sentences(look(layers, loss="binary-cross-entropy"))[0].startswith(
        "2 makes probabilities, but binary-cross-entropy expects logits and applies a sigmoid itself"
    )


def test_the_tasks_own_activation_is_no_finding() -> None:
    assert look(summary("cnn3"), loss="cross-entropy") == ()


def test_softmax_inside_a_network() -> None:
    layers = [Flatten(), Dense(8), Activation("softmax"), Dropout(0.5), Dense(3)]
    assert sentences(look(table(layers))) == [
        "softmax1 stands between layers with weights: it makes each position's numbers add up to 1, "
        "so they become small and hang together. As an activation inside a network take 'relu'; "
        "the loss applies the softmax."
    ]


def test_biases_before_batch_norm() -> None:
    layers = [
        *(Conv(4, 3), BatchNorm(), RELU, Conv(4, 3), Pool("max", 2), BatchNorm(), RELU),
        *(Conv(4, 3, bias=False), BatchNorm(), RELU, Flatten(), Dense(2)),
    ]
    assert sentences(look(table(layers))) == [
        "conv1 has a bias, but norm1 subtracts every channel's mean, and the bias with it. The same "
        "holds for conv2. Without it ('conv 4 3 bias off') the network computes the same with 8 "
        "parameters less."
    ]


def test_nothing_to_train_is_refused() -> None:
    frozen = nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).requires_grad_(False)
    assert look(summary(frozen, input=(1, 2, 2))) == (
        Finding(
            level="refuse",
            layer="Sequential",
            sentence="All 10 parameters of the network are frozen, so nothing could be learnt. "
            "Leave those of one layer or more trainable (requires_grad).",
        ),
    )
    (finding,) = look(summary(nn.Flatten(), input=(1, 2, 2)))
    assert (finding.level, finding.sentence) == (
        "refuse",
        "The network has no parameters, so nothing could be learnt. Add a convolution or a dense "
        "layer.",
    )


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (
            Pool("max", 2),
            "pool1 leaves one row and one column of its input unread (29×29 → 14×14). 'max 2 ceil' "
            "reads them too.",
        ),
        (
            Conv(2, 3, stride=(2, 3)),
            "conv1 leaves two columns of its input unread (29×29 → 14×9). An input of 29×27, or "
            "padding, leaves none.",
        ),
        (
            Conv(2, 1, stride=2),
            "conv1 leaves 14 rows and 14 columns of its input unread (29×29 → 15×15). Take a "
            "smaller stride or dilation.",
        ),
    ],
)
def test_input_that_is_not_read(layer: Conv | Pool, sentence: str) -> None:
    found = look(table([layer, RELU, Flatten(), Dense(2)], (2, 29, 29)))
    assert sentences(found) == [sentence]


def test_a_shortcut_may_leave_out_what_its_body_reads() -> None:
    block = Residual((Conv(4, 3, stride=2, padding=1),), (Conv(4, 1, stride=2),))
    assert look(table([block, RELU, Flatten(), Dense(2)])) == ()


def test_a_receptive_field_smaller_than_the_picture() -> None:
    layers = [Conv(4, 3), RELU, Pool("max", 2), GlobalPool("max"), Dense(2)]
    assert sentences(look(table(layers))) == [
        "Before global_pool1 no number has seen more than 4×4 of the picture's 12×12 pixels, so "
        "nothing larger is seen as a whole. Add convolution and pooling before it, or make the "
        "pictures smaller."
    ]
    assert look(table(layers, (1, 4, 4))) == ()


def test_more_parameters_than_the_pictures_have_numbers() -> None:
    found = look(summary("cnn3"), training_values=42_000)
    assert sentences(found) == [
        "The network has 421,642 trainable parameters, 10.0 times the 42,000 numbers in the "
        "training pictures; above 10 times, it may learn the pictures by heart. Take a smaller "
        "network or more pictures."
    ]
    assert look(summary("cnn3"), training_values=42_165) == ()
