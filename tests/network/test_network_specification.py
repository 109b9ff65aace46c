"""The walk through a network's layers, and what it says where one doesn't fit."""

import pytest

from striate.errors import NetworkError
from striate.network import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Pool,
    Residual,
    specify,
)
from striate.network._specification import Item, named, walk


def said(layers: list[Item], shape: tuple[int, ...]) -> str:
    with pytest.raises(NetworkError) as caught:
        walk(layers, shape)
    return str(caught.value)


def test_a_picture_smaller_than_the_first_kernel() -> None:
    assert said([Conv(8, 5)], (1, 4, 9)) == (
        "A picture of 4×9 is smaller than the first kernel: layer 1 'conv 8 5' gets 4×9; "
        "a picture of at least 5×5 would do."
    )


def test_a_picture_that_shrinks_away_in_the_middle() -> None:
    layers: list[Item] = [
        *(Conv(8, 3), Activation("relu"), Pool("max", 2)),
        *(Conv(8, 3), Activation("relu"), Pool("max", 2), Pool("max", 2)),
        *(Flatten(), Dense(2)),
    ]
    assert said(layers, (3, 12, 12)) == (
        "A picture of 12×12 shrinks below 1×1 in the middle: layer 7 'max 2' gets 1×1; "
        "a picture of at least 14×14 would do."
    )
    assert walk(layers, (3, 14, 14))[-1].output == (2,)
    said(layers, (3, 13, 13))


def test_layers_that_no_size_can_save() -> None:
    assert said([GlobalPool(), Conv(2, 3)], (1, 9, 9)) == (
        "A conv layer takes a feature map, but layer 2 'conv 2 3' gets a vector of 1. "
        "Put it before 'flatten' or the global pooling."
    )
    assert said([Dense(2)], (1, 9, 9)) == (
        "A dense layer takes a vector, but layer 1 'dense 2' gets a feature map of 1×9×9. "
        "Put 'flatten' or a global pooling before it."
    )
    assert said([Residual((Conv(2, 3),))], (2, 9, 9)) == (
        "The branches of 'block1' can't be added: its body gives 2×7×7, its shortcut 2×9×9. "
        "Give both the same channels and strides."
    )


def test_a_registered_network_is_named() -> None:
    with pytest.raises(NetworkError) as caught:
        specify("cnn64", shape=(3, 8, 8), outputs=1)
    assert str(caught.value) == (
        "Network 'cnn64' doesn't fit. A picture of 8×8 shrinks below 1×1 in the middle: "
        "layer 6 'max 2' gets 1×1; a picture of at least 10×10 would do."
    )
    specify("cnn64", shape=(3, 10, 10), outputs=1)


def test_numbers_that_are_no_layer() -> None:
    for make, sentence in (
        (lambda: Conv(0, 3), "The number of channels of a layer must be 1 or more, got 0."),
        (lambda: Conv(1, (3, 0)), "The kernel of a layer must be 1 or more, got 3x0."),
        (lambda: Conv(1, 3, padding=-1), "The padding of a layer must be 0 or more, got -1."),
        (
            lambda: Pool("max", 2, padding=2),
            "The padding of 'max 2 pad 2' must be at most half of its window, or a window could "
            "lie in the padding alone.",
        ),
        (
            lambda: Dropout(1.0),
            "The probability of dropout must be from 0 to below 1, got 1.0.",
        ),
        (lambda: Dense(0), "A dense layer needs 1 unit or more, got 0."),
        (
            lambda: Activation("rellu"),
            "There is no activation called 'rellu'. Did you mean 'relu'? Known: relu, leaky-relu, "
            "gelu, silu, sigmoid, tanh, softmax, log-softmax.",
        ),
    ):
        with pytest.raises(NetworkError) as caught:
            make()
        assert str(caught.value) == sentence


def test_a_size_for_each_axis_must_match_the_axes() -> None:
    assert said([Conv(1, (3, 3, 3))], (1, 9, 9)) == (
        "Expected one number or 2, one for each axis of the feature map, got (3, 3, 3)."
    )


def test_names_count_each_kind_and_open_blocks() -> None:
    block = Residual((Conv(4, 3, padding=1), BatchNorm()), (Conv(4, 1),))
    layers: list[Item] = [Conv(2, 3), block, Activation("leaky-relu"), block, GlobalPool()]
    assert [name for name, _ in named(layers)] == [
        "conv1", "block1", "leaky_relu1", "block2", "global_pool1",
    ]  # fmt: skip
    assert [step.name for step in walk(layers, (1, 9, 9))][:6] == [
        "conv1", "block1.body.conv1", "block1.body.norm1", "block1.shortcut.conv1", "block1.add",
        "leaky_relu1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "written"),
    [
        (Conv(32, 3, padding=1), "conv 32 3 pad 1"),
        (Conv(8, (3, 5), stride=2, bias=False), "conv 8 3x5 stride 2 bias off"),
        (Conv(8, 3, dilation=2, groups=4), "conv 8 3 dilation 2 groups 4"),
        (Pool("average", 3, 2, 1, ceil=True), "average 3 stride 2 pad 1 ceil"),
        (Residual((Conv(1, 1), BatchNorm()), (Pool("min", 1),)),
         "residual ( conv 1 1 | batchnorm ; min 1 )"),
        (Residual((Conv(1, 1),)), "residual ( conv 1 1 )"),
        (GlobalPool("max"), "global max"),
        (Dense(10, bias=False), "dense 10 bias off"),
        (Dropout(), "dropout 0.5"),
    ],
)  # fmt: skip
def test_layers_in_writing(layer: Item, written: str) -> None:
    assert layer.notation == written
