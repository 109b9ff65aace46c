"""Written networks: one language for reading and writing, and what is said of bad words."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from random_networks import ITEMS
from striate.errors import NetworkError
from striate.network import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Parallel,
    Pool,
    Residual,
    Sides,
    entry,
    parse,
    specify,
    summary,
)
from striate.network._spec_block import Item, chain
from striate.network._vocabulary import KNOWN, LAYERS
from striate.network._written_list import one_line, read_list

RELU = Activation("relu")
SHAPE = (1, 28, 28)


@given(items=st.lists(ITEMS, min_size=1, max_size=5))
@settings(deadline=None, max_examples=60)
def test_what_is_written_is_read_back(items: list[Item]) -> None:
    assert parse(chain(items)) == tuple(items)


def test_the_line_of_the_manual() -> None:
    line = "conv 32 3 pad 1 | relu | max 2 | conv 64 3 pad same stride 2 | batchnorm | dropout .5"
    assert parse(f"{line} | flatten | dense 128 bias off | log-softmax") == (
        *(Conv(32, 3, padding=1), RELU, Pool("max", 2)),
        *(Conv(64, 3, padding="same", stride=2), BatchNorm(), Dropout(0.5)),
        *(Flatten(), Dense(128, bias=False), Activation("log-softmax")),
    )


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("conv 8 3x5 stride 2×1 pad 1x2", Conv(8, (3, 5), stride=(2, 1), padding=(1, 2))),
        ("CONV 8 3 pad 0+1", Conv(8, 3, padding=Sides(0, 1))),
        ("conv 8 3 pad 0+1x2", Conv(8, 3, padding=(Sides(0, 1), 2))),
        ("conv 8 3 pad valid mode circular", Conv(8, 3, mode="circular")),
        ("conv 8 3 groups 4 dilation 2 bias off", Conv(8, 3, groups=4, dilation=2, bias=False)),
        ("average 3 stride 2 pad 1 ceil count off", Pool("average", 3, 2, 1, True, False)),
        ("min 2 pad same", Pool("min", 2, padding="same")),
        ("global min", GlobalPool("min")),
        ("dropout 1e-3", Dropout(0.001)),
        ("residual(conv 1 1|relu)", Residual((Conv(1, 1), RELU))),
        ("residual ( relu ; conv 1 1 )", Residual((RELU,), (Conv(1, 1),))),
        (
            "parallel ( conv 8 1 | relu ; max 2 ; residual ( relu ) )",
            Parallel(((Conv(8, 1), RELU), (Pool("max", 2),), (Residual((RELU,)),))),
        ),
    ],
)
def test_one_layer(text: str, item: Item) -> None:
    assert parse(text) == (item,)


KNOWN_LAYERS = (
    "Known: conv, max, min, average, global, batchnorm, dropout, relu, leaky-relu, gelu, silu, "
    "sigmoid, tanh, softmax, log-softmax, flatten, dense, residual, parallel."
)


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        (
            "max 2 | conv 32 3 pda 1 | relu",
            "Layer 2: conv has no option 'pda'. Did you mean 'pad'? It takes stride, pad, dilation, "
            "groups, mode, bias.\n"
            "    conv 32 3 pda 1\n"
            "              ^^^",
        ),
        (
            "max 2 | rellu",
            f"Layer 2: there is no layer called 'rellu'. Did you mean 'relu'? {KNOWN_LAYERS}\n"
            "    rellu\n"
            "    ^^^^^",
        ),
        (
            "linear 10",
            f"Layer 1: there is no layer called 'linear'. Did you mean 'dense'? {KNOWN_LAYERS}\n"
            "    linear 10\n"
            "    ^^^^^^",
        ),
        (
            "conv 32 | relu",
            "Layer 1: expected the kernel (a number, or one for each axis as in 3x5) after '32', but "
            "the layer ends there.\n"
            "    conv 32 |\n"
            "            ^",
        ),
        (
            "relu | conv 8 3 pad smae",
            "Layer 2: expected pad (same, valid or a number; 1x2 for each axis, 0+1 for before and "
            "after), got 'smae'. Did you mean 'same'?\n"
            "    conv 8 3 pad smae\n"
            "                 ^^^^",
        ),
        (
            "conv 8 3 mode reflct",
            "Layer 1: expected mode (zeros, reflect, replicate or circular), got 'reflct'. "
            "Did you mean 'reflect'?\n"
            "    conv 8 3 mode reflct\n"
            "                  ^^^^^^",
        ),
        (
            "conv 8 3 relu | max 2",
            "Layer 1: 'relu' is a layer of its own. Put '|' before it.\n"
            "    conv 8 3 relu\n"
            "             ^^^^",
        ),
        (
            "max 2 ceil ceil",
            "Layer 1: 'ceil' is given twice.\n    max 2 ceil ceil\n               ^^^^",
        ),
        (
            "relu 3 | tanh",
            "Layer 1: relu takes nothing more, got '3'.\n    relu 3\n         ^",
        ),
        (
            "relu | conv 0 3",
            "Layer 2: the number of channels of a layer must be 1 or more, got 0.\n"
            "    conv 0 3\n"
            "    ^^^^^^^^",
        ),
        (
            "max 3 pad same ceil",
            "Layer 1: padding 'same' gives ceil(size / stride) by itself. Leave 'ceil' out.\n"
            "    max 3 pad same ceil\n"
            "    ^^^^^^^^^^^^^^^^^^^",
        ),
        ("relu |", "Layer 2: expected a layer, got the end.\n    relu |\n           ^"),
        ("relu | | tanh", "Layer 2: expected a layer, got '|'.\n    relu | |\n           ^"),
        (
            "relu | residual conv 3 1",
            "Layer 2: expected '(' after 'residual'.\n    residual conv 3 1\n             ^^^^",
        ),
        (
            "residual ( conv 3 1",
            "Layer 1: expected ')' to end 'residual', got nothing.\n"
            "    residual ( conv 3 1\n"
            "                        ^",
        ),
        (
            "relu )",
            "Layer 1: ')' closes nothing: there is no '(' for it.\n    relu )\n         ^",
        ),
        (
            "relu ; tanh",
            "Layer 1: ';' parts the branches of a block, and here is none. Put '|' between layers.\n"
            "    relu ;\n"
            "         ^",
        ),
        ("relu (", "Layer 1: '(' comes only after residual or parallel.\n    relu (\n         ^"),
        (
            "parallel ( relu )",
            "Layer 2: parallel needs 2 branches or more, parted by ';'.\n"
            "    parallel ( relu )\n"
            "    ^^^^^^^^",
        ),
        (
            "residual ( relu ; tanh ; silu )",
            "Layer 4: residual takes a body and at most one shortcut, got 3 branches.\n"
            "    residual ( relu ; tanh ; silu )\n"
            "    ^^^^^^^^",
        ),
        (
            "residual ( relu ) tanh",
            "Layer 2: expected '|' after ')'.\n    residual ( relu ) tanh\n                      ^^^^",
        ),
    ],
)
def test_bad_words_get_their_place_and_the_right_word(text: str, letter: str) -> None:
    with pytest.raises(NetworkError) as caught:
        parse(text)
    assert str(caught.value) == letter


def test_blocks_within_blocks_have_an_end() -> None:
    with pytest.raises(NetworkError, match="blocks can be nested 20 deep at most"):
        parse("residual ( " * 5000 + "relu" + " )" * 5000)


@given(text=st.text(alphabet="convrelu 0123x+|;().-pad\n", max_size=60))
@settings(deadline=None, max_examples=200)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        items = parse(text)
    except NetworkError as error:
        assert str(error).startswith("Layer ")
        assert str(error).splitlines()[-1].strip(" ^") == ""
    else:
        assert parse(chain(items)) == items


def test_a_list_in_yaml_is_the_same_network(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(
        """
- conv 8 3 pad 1
- relu
- conv: 8 3x5 pad same
- conv: {channels: 4, kernel: [3, 5], stride: 2, bias: off}
- average: {window: 2, ceil: true, count: off}
- max: {window: 2, ceil: false}
- residual: [conv 4 1, relu]
- residual: {body: [conv 4 1], shortcut: [conv 4 1]}
- parallel: [[conv 2 1, relu], [batchnorm]]
- global: max
- dropout: 0.5
- flatten:
- dense: 10
""",
        encoding="utf-8",
    )
    line = (
        "conv 8 3 pad 1 | relu | conv 8 3x5 pad same | conv 4 3x5 stride 2 bias off | "
        "average 2 ceil count off | max 2 | residual ( conv 4 1 | relu ) | "
        "residual ( conv 4 1 ; conv 4 1 ) | parallel ( conv 2 1 | relu ; batchnorm ) | "
        "global max | dropout 0.5 | flatten | dense 10"
    )
    assert chain(parse(read_list(file))) == line
    found = entry(str(file))
    assert found.default_outputs == 10
    assert specify(str(file), shape=(1, 40, 40), outputs=10) == specify(
        line, shape=(1, 40, 40), outputs=10
    )


@pytest.mark.parametrize(
    ("tree", "letter"),
    [
        (
            {"conv": 3},
            "net: expected a list of layers, such as 'conv 32 3 pad 1', 'relu' or "
            "'conv: {channels: 32, kernel: 3}', got {'conv': 3}.",
        ),
        (
            ["relu", 3],
            "net, item 2: expected one layer, such as 'conv 32 3 pad 1', 'relu' or "
            "'conv: {channels: 32, kernel: 3}', got 3.",
        ),
        ([{"conv": {"channels": 3}}], "net, item 1: conv needs 'kernel'."),
        (
            [{"residual": {"boddy": ["relu"]}}],
            "net, item 1: residual takes 'body' and 'shortcut', got boddy.",
        ),
        (
            [{"conv": {"channels": None, "kernel": 3}}],
            "net, item 1: expected a number or a word, got nothing.",
        ),
    ],
)
def test_a_list_that_is_no_network(tree: object, letter: str) -> None:
    with pytest.raises(NetworkError) as caught:
        one_line(tree, "net")
    assert str(caught.value) == letter


def test_a_file_is_named_in_what_is_said_of_it(tmp_path: Path) -> None:
    missing = tmp_path / "gone.yaml"
    with pytest.raises(NetworkError) as caught:
        entry(str(missing))
    assert str(caught.value) == f"{missing}: can't be read (No such file or directory)."
    bad = tmp_path / "bad.yml"
    bad.write_text("- relu\n- con: 3\n")
    with pytest.raises(NetworkError) as caught:
        entry(str(bad))
    assert str(caught.value).startswith(f"{bad}: Layer 2: there is no layer called 'con'.")
    broken = tmp_path / "broken.yml"
    broken.write_text("- [relu\n")
    with pytest.raises(NetworkError, match=r"broken.yml: not a YAML file striate can read\. "):
        entry(str(broken))


def test_the_head_is_added_or_checked() -> None:
    def layers(name: str, outputs: int) -> tuple[str, int, str | None]:
        found = specify(name, shape=SHAPE, outputs=outputs)
        return chain(found.layers), found.added, found.final_activation

    own = "conv 8 3 | relu | flatten | dense 10"
    assert layers(own, 10) == (own, 0, None)
    assert layers(f"{own} | log-softmax", 10) == (own, 0, "log-softmax")
    assert layers("flatten | dense 1 | sigmoid", 1) == ("flatten | dense 1", 0, "sigmoid")
    assert layers("conv 8 3 | relu", 3) == ("conv 8 3 | relu | flatten | dense 3", 2, None)
    for vector in ("conv 8 3 | global max", "flatten | dense 5 | relu"):
        assert layers(vector, 3) == (f"{vector} | dense 3", 1, None)
    branches = "parallel ( global max ; global min )| relu"
    assert layers(branches, 2)[0].endswith("relu | dense 2")
    assert entry(own).default_outputs == 10
    assert entry("flatten | dense 1 | sigmoid").default_outputs == 1


def test_the_table_names_the_head_that_was_added() -> None:
    table = summary("conv 8 3 | relu", input=SHAPE, outputs=3)
    assert table.added == ("flatten1", "dense1")
    told = "flatten1 and dense1 were added: the network didn't end in a dense layer."
    assert told in table.table().splitlines()
    own = summary("conv 8 3 | relu | flatten | dense 3", input=SHAPE, outputs=3)
    assert own.to_json()["added"] == []
    assert "added" not in own.table()


@pytest.mark.parametrize(
    ("name", "outputs", "letter"),
    [
        (
            "flatten | dense 7 | softmax",
            10,
            "The network ends in 'dense 7', but 10 outputs are needed. Write 'dense 10', or leave "
            "the last layer out: striate then adds it.",
        ),
        (
            "flatten | dense 1 | softmax",
            1,
            "The network ends in 'dense 1 | softmax', but a softmax of one number is always 1. "
            "Write 'sigmoid', or leave it out.",
        ),
        (
            "conv 8 3 | dense 10",
            10,
            "Network 'conv 8 3 | dense 10' doesn't fit. A dense layer takes a vector, but layer 2 "
            "'dense 10' gets a feature map of 8×26×26. Put 'flatten' or a global pooling before it.",
        ),
        (
            "conv 8 3 groups 2",
            10,
            "Network 'conv 8 3 groups 2' doesn't fit. Layer 1 'conv 8 3 groups 2' has 2 groups, "
            "which must divide the 1 channels that it gets.",
        ),
        (
            "conv 8 3 pad 28 mode reflect",
            10,
            "Network 'conv 8 3 pad 28 mode reflect' doesn't fit. Layer 1 'conv 8 3 pad 28 mode "
            "reflect' gets 28×28, and with mode reflect its padding must be at most the size less 1; "
            "take a larger picture or less padding.",
        ),
        (
            "parallel ( conv 8 3 ; relu )",
            10,
            "Network 'parallel ( conv 8 3 ; relu )' doesn't fit. The branches of 'parallel1' can't "
            "be concatenated: they give 8×26×26, 1×28×28. Give all the same height and width, by "
            "their strides and padding.",
        ),
    ],
)
def test_networks_that_do_not_fit(name: str, outputs: int, letter: str) -> None:
    with pytest.raises(NetworkError) as caught:
        specify(name, shape=SHAPE, outputs=outputs)
    assert str(caught.value) == letter


def test_options_belong_to_registered_networks() -> None:
    with pytest.raises(NetworkError) as caught:
        specify("flatten | dense 3", shape=SHAPE, outputs=3, options={"width": 3})
    assert str(caught.value) == (
        "Network 'flatten | dense 3' takes no options, got 'width'. Leave it out."
    )


def test_every_layer_has_a_word() -> None:
    """A layer class that couldn't be written would have no place in a config.yaml.

    Sums, joins and adaptive poolings are only read off modules.
    """
    from striate.network._adaptive import AdaptivePool
    from striate.network._spec import Layer
    from striate.network._spec_block import Add, Concatenate

    examples = "conv 1 1 | max 2 | batchnorm | dropout 0.1 | relu | flatten | dense 1"
    written = {type(item) for item in (*parse(examples), *parse("global max"))}
    assert written == set(Layer.__subclasses__()) - {Add, AdaptivePool, Concatenate}
    assert set(KNOWN) - set(LAYERS) == {"residual", "parallel"}
