"""The registered networks: exact parameter counts, options, defaults."""

import pytest

from striate.errors import NetworkError
from striate.network import Pool, entry, networks, specify, summary

GREY = (1, 28, 28)


@pytest.mark.parametrize(
    ("name", "options", "parameters"),
    [
        ("cnn3", {}, 421_642),
        ("cnn3", {"batch_norm": True}, 421_834),
        ("cnn3", {"dropout": 0.5}, 421_642),
        ("cnn3-batchnorm", {}, 421_834),
        ("cnn3-dropout", {}, 421_642),
        ("cnn5", {}, 3_199_106),
        ("cnn-gap", {}, 28_618),
        ("cnn-gap", {"batch_norm": False}, 28_426),
        ("mlp", {}, 28 * 28 * 512 + 512 + 512 * 10 + 10),
    ],
)
def test_parameter_counts_on_28_pixels_grey(
    name: str, options: dict[str, object], parameters: int
) -> None:
    assert summary(name, input=GREY, outputs=10, options=options).parameters == parameters


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("cnn64", 1_625_281),
        ("cnn64-small", 3_937_409),
        ("lenet5", 61_706),
        ("cnn3", 421_642),
        ("airbench", 1_972_792),
    ],
)
def test_parameter_counts_at_the_default_input(name: str, parameters: int) -> None:
    assert entry(name).parameters == parameters == summary(name).parameters


def test_the_layers_of_cnn3_and_its_variants() -> None:
    def kinds(name: str, **options: object) -> str:
        return " ".join(row.kind for row in summary(name, options=options).rows)

    plain = (
        "conv, max pool, relu, conv, max pool, relu, flatten, dense, relu, dense, log-softmax"
    ).replace(",", "")
    assert kinds("cnn3") == plain
    assert kinds("cnn3-dropout") == plain.replace("relu dense log", "relu dropout dense log")
    assert kinds("cnn3-batchnorm") == plain.replace("conv max", "conv batch norm max")
    assert kinds("cnn3", dropout=0.5) == kinds("cnn3-dropout")
    assert kinds("cnn3-batchnorm", batch_norm=False) == plain


def test_the_final_activation_belongs_to_the_outputs_it_was_published_with() -> None:
    def final(name: str, outputs: int) -> str | None:
        return specify(name, shape=(3, 64, 64), outputs=outputs).final_activation

    assert (final("cnn3", 10), final("cnn3", 1)) == ("log-softmax", None)
    assert (final("cnn64", 1), final("cnn64", 2)) == ("sigmoid", None)
    assert final("cnn5", 10) is None


@pytest.mark.parametrize("pooling", ["max", "min", "average"])
def test_the_blocks_of_cnn_gap_follow_its_options(pooling: str) -> None:
    options = {"widths": [8, 16, 24], "pooling": pooling, "dense": 40}
    layers = specify("cnn-gap", shape=GREY, outputs=10, options=options).layers
    pools = [layer.how for layer in layers if isinstance(layer, Pool)]
    assert pools == [pooling] * 3
    rows = {row.name: row.output for row in summary("cnn-gap", input=GREY, options=options).rows}
    assert (rows["conv3"], rows["dense1"]) == ((24, 7, 7), (40,))


@pytest.mark.parametrize("side", [4, 8, 12, 16, 28, 32, 64, 95, 96, 150, 224, 333, 512])
def test_compact_leaves_a_small_map_at_any_size(side: int) -> None:
    rows = summary("compact", input=(3, side, side + 5), outputs=7).rows
    last = [row for row in rows if len(row.output) == 3][-1]
    least, most = (3, 5) if side <= 64 else (6, 11)
    assert least <= last.output[1] <= most
    assert last.output[0] <= 256
    assert rows[0].output[1] == (side if side < 16 else -(-side // 2))
    assert rows[0].output[0] == (32 if side <= 64 else 24)


def test_options_are_refused_with_the_nearest_right_one() -> None:
    for name, options, sentence in (
        (
            "cnn3",
            {"batchnorm": True},
            "There is no option of network 'cnn3' called 'batchnorm'. Did you mean 'batch_norm'? "
            "Known: dropout, batch_norm.",
        ),
        ("cnn5", {"dropout": 0.1}, "Network 'cnn5' takes no options, got 'dropout'. Leave it out."),
        (
            "cnn3",
            {"dropout": 1},
            "Option 'dropout' of network 'cnn3' takes a number from 0 to below 1, got 1. "
            "Probability of dropout before the last layer.",
        ),
        (
            "cnn3",
            {"batch_norm": 1},
            "Option 'batch_norm' of network 'cnn3' takes true or false, got 1. "
            "Batch norm after every convolution.",
        ),
        (
            "cnn-gap",
            {"pooling": "mean"},
            "Option 'pooling' of network 'cnn-gap' takes one of max, min, average, got 'mean'. "
            "Pooling at the end of each block.",
        ),
        (
            "cnn-gap",
            {"widths": [32, True]},
            "Option 'widths' of network 'cnn-gap' takes a list of whole numbers of 1 or more, "
            "got [32, True]. Channels of each block.",
        ),
        (
            "cnn-gap",
            {"dense": 0},
            "Option 'dense' of network 'cnn-gap' takes a whole number of 1 or more, got 0. "
            "Units of the first dense layer.",
        ),
        (
            "cnn-gap",
            {"dense": 1.5},
            "Option 'dense' of network 'cnn-gap' takes a whole number of 1 or more, got 1.5. "
            "Units of the first dense layer.",
        ),
    ):
        with pytest.raises(NetworkError) as caught:
            specify(name, shape=GREY, outputs=10, options=options)
        assert str(caught.value) == sentence


def test_an_unknown_network_and_impossible_numbers() -> None:
    with pytest.raises(NetworkError) as caught:
        entry("cnn-3")
    assert str(caught.value) == (
        "There is no network called 'cnn-3'. Did you mean 'cnn3'? Known: compact, cnn3, "
        "cnn3-dropout, cnn3-batchnorm, cnn5, cnn64, cnn64-small, cnn-gap, airbench, lenet5, mlp, "
        "alexnet, vgg16, vgg19, vgg16-binary, googlenet, inception-v3, resnet18, resnet34, "
        "resnet50, resnet101, efficientnet-lite0, efficientnet-lite1, efficientnet-lite2. "
        "'striate networks' says what each is."
    )
    with pytest.raises(NetworkError) as caught:
        specify("cnn3", shape=GREY, outputs=0)
    assert str(caught.value) == "A network needs 1 output or more, got 0."
    with pytest.raises(NetworkError) as caught:
        specify("mlp", shape=(0, 28, 28), outputs=1)
    assert str(caught.value) == ("A picture needs 1 channel and 1×1 pixels or more, got 0×28×28.")


def test_every_entry_says_what_it_is() -> None:
    names = [one.name for one in networks()]
    assert len(set(names)) == len(names)
    for one in networks():
        assert one.title
        assert one.source
        assert one.idea.endswith(".")
        for option in one.options:
            assert option.meaning.endswith(".")
            assert option.read(one.name, option.default) == option.default
