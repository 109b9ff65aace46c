"""Weights into a module: by name, by order, refused whole; grey and many-channelled pictures."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from striate.errors import UsageError
from striate.network import Classifier, fit_weights, known_classes
from striate.network._classifier import make_head
from striate.network._weights_channels import adapt_kernel
from striate.network._weights_pixels import IMAGENET, Pixels
from weight_files import EQUAL, pretrained


def network(channels: int = 3, outputs: int = 5, *, prefix: str = "", width: int = 4) -> nn.Module:
    """Return a convolution, batch norm and a dense layer under names that begin with `prefix`."""
    torch.manual_seed(channels + outputs)
    layers = nn.Sequential(
        OrderedDict(
            [
                (f"{prefix}conv", nn.Conv2d(channels, width, 3, padding=1, bias=False)),
                (f"{prefix}norm", nn.BatchNorm2d(width)),
                (f"{prefix}mix", nn.Conv2d(width, width, 1)),
                (f"{prefix}pool", nn.AdaptiveAvgPool2d(1)),
                (f"{prefix}flat", nn.Flatten()),
                (f"{prefix}fc", nn.Linear(width, outputs)),
            ]
        )
    )
    with torch.no_grad():
        for one in layers.state_dict().values():
            if one.is_floating_point():
                one.copy_(torch.rand_like(one) + 0.1)
    return layers.eval()


def values(module: nn.Module) -> dict[str, np.ndarray]:
    return {name: one.numpy().copy() for name, one in module.state_dict().items()}


def test_equal_names_fill_every_tensor() -> None:
    source, target = network(), network(outputs=5, channels=3)
    target.fc.reset_parameters()
    report = fit_weights(target, pretrained(source, ordered=False))
    assert (report.matched, report.loaded, report.kept, report.left_out) == ("name", 9, (), ())
    assert (report.mean, report.exact) == (IMAGENET.mean, True)
    for name, one in values(source).items():
        np.testing.assert_array_equal(one, values(target)[name])


def test_other_names_are_matched_by_order_and_the_counters_are_no_tensors() -> None:
    source, target = network(prefix="old_"), network(outputs=7)
    before = values(target)["fc.weight"]
    report = fit_weights(target, pretrained(source))
    assert (report.matched, report.loaded) == ("order", 7)
    assert report.kept == ("fc.weight", "fc.bias")
    assert report.left_out == ("old_fc.weight", "old_fc.bias")
    np.testing.assert_array_equal(values(target)["fc.weight"], before)
    np.testing.assert_array_equal(
        values(target)["norm.running_var"], values(source)["old_norm.running_var"]
    )


def test_a_backbone_without_classifier_leaves_the_weights_one_out() -> None:
    source = network(prefix="old_")
    backbone = network()
    del backbone.fc
    report = fit_weights(backbone, pretrained(source))
    assert (report.matched, report.loaded) == ("order", 7)
    assert report.left_out == ("old_fc.weight", "old_fc.bias")
    named = fit_weights(
        backbone, pretrained({f"module.{k}": v for k, v in values(network()).items()})
    )
    assert (named.matched, named.left_out) == ("name", ("fc.weight", "fc.bias"))


@pytest.mark.parametrize("same_names", [True, False])
def test_a_head_of_other_layers_stays_as_it_is_and_the_backbone_is_filled(same_names: bool) -> None:
    source, target = classifier([]), classifier([6])
    came, before = values(source), values(target)
    if not same_names:
        came = {f"old.{name}": one for name, one in came.items()}
    report = fit_weights(target, pretrained(came))
    assert report.matched == ("name" if same_names else "order")
    assert report.kept == tuple(name for name in before if name.startswith("head."))
    assert [name.removeprefix("old.") for name in report.left_out] == [
        "head.output.weight",
        "head.output.bias",
    ]
    for name, one in values(target).items():
        expected = before if name.startswith("head.") else values(source)
        np.testing.assert_array_equal(one, expected[name])


def test_a_backbone_that_does_not_fit_is_refused_whatever_the_head_is() -> None:
    came = values(classifier([]))
    came["backbone.conv.weight"] = np.zeros((4, 3, 5, 5))
    with pytest.raises(UsageError) as caught:
        fit_weights(classifier([6]), pretrained(came))
    assert "  backbone.conv.weight: expected (4, 3, 3, 3), came (4, 3, 5, 5)" in str(caught.value)


@pytest.mark.parametrize("same_names", [True, False])
def test_the_classifier_of_the_weights_becomes_the_known_classes(same_names: bool) -> None:
    # By name from a folder of striate's, whose own last layer is of other classes; by order from others.
    source, target = classifier([], known=3 if same_names else 0), classifier([], known=3)
    came, before = values(source), values(target)
    if not same_names:
        came = {f"old.{name}": one for name, one in came.items()} | {
            "old.head.output.weight": np.ones((3, 4), np.float32),
            "old.head.output.bias": np.ones(3, np.float32),
        }
    assert known_classes(classifier([]), pretrained(came)) == 3
    report = fit_weights(target, pretrained(came))
    assert report.matched == ("name" if same_names else "order")
    own = ("head.output.weight", "head.output.bias")
    assert set(report.kept) <= set(own)
    after = values(target)
    expected = came["head.known.classifier.weight" if same_names else "old.head.output.weight"]
    np.testing.assert_array_equal(after["head.known.classifier.weight"], expected)
    np.testing.assert_array_equal(
        after["backbone.conv.weight"], values(source)["backbone.conv.weight"]
    )
    for name in report.kept:
        np.testing.assert_array_equal(after[name], before[name])


def test_a_model_with_known_classes_fills_a_network_without_them() -> None:
    source, target = classifier([], known=3), classifier([])
    before = values(target)
    report = fit_weights(target, pretrained(values(source)))
    assert (report.matched, report.kept) == ("name", ("head.output.weight", "head.output.bias"))
    assert {name.rpartition(".")[0] for name in report.left_out} == {
        "head.known.classifier",
        "head.output",
    }
    for name, one in values(target).items():
        expected = before if name.startswith("head.") else values(source)
        np.testing.assert_array_equal(one, expected[name])


def test_weights_without_a_classifier_of_these_features_know_no_classes() -> None:
    came = values(classifier([]))
    module = classifier([])
    # Its last layer is for the pictures of an earlier training.
    assert known_classes(module, pretrained(came)) == 0
    foreign = {name.replace("head.output", "fc"): one for name, one in came.items()}
    assert known_classes(module, pretrained(foreign)) == 5
    assert known_classes(classifier([6]), pretrained(foreign)) == 0
    assert known_classes(module, pretrained(foreign, ordered=False)) == 0
    assert known_classes(module, pretrained(foreign | {"fc.bias": np.zeros(4)})) == 0
    assert known_classes(module, pretrained({"fc.bias": np.zeros(4)})) == 0


def classifier(dense: list[int], known: int = 0) -> Classifier:
    """Return the convolution and batch norm of `network` as a backbone, with a head."""
    layers = network()
    options = {"pooling": "average", "known_classes": known, "dense": dense, "dropout": 0.0}
    head = make_head((4, 8, 8), 5, options)
    backbone = nn.Sequential(OrderedDict(conv=layers.conv, norm=layers.norm))
    return Classifier("tiny", backbone, head, shape=(3, 8, 8)).eval()


def test_every_mismatch_is_listed_and_nothing_is_copied() -> None:
    target = network()
    before = values(target)
    came = values(network())
    came["conv.weight"] = np.zeros((4, 3, 5, 5))
    came["conv.bias"] = np.zeros(4)
    del came["mix.bias"]
    with pytest.raises(UsageError) as caught:
        fit_weights(target, pretrained(came))
    assert str(caught.value) == (
        "The weights of file tiny.pth don't fit tiny, which has 9 tensors. Those that differ:\n"
        "  mix.bias: expected (4,), came nothing\n"
        "  conv.bias: expected nothing, came (4,)\n"
        "  conv.weight: expected (4, 3, 3, 3), came (4, 3, 5, 5)\n"
        "Give weights of this network, or name the network they are for."
    )
    for name, one in values(target).items():
        np.testing.assert_array_equal(one, before[name])


def test_by_order_one_tensor_too_few_is_one_mismatch() -> None:
    came = values(network(prefix="old_"))
    del came["old_norm.running_mean"]
    with pytest.raises(UsageError) as caught:
        fit_weights(network(), pretrained(came))
    assert str(caught.value).split("\n")[1:-1] == [
        "  norm.running_mean: expected (4,), came nothing"
    ]


def test_by_order_the_last_words_must_agree() -> None:
    came = {
        name.replace("weight", "x").replace("bias", "weight").replace("x", "bias"): one
        for name, one in values(network(prefix="old_")).items()
    }
    with pytest.raises(UsageError, match="don't fit tiny"):
        fit_weights(network(), pretrained(came))


def test_a_file_sorted_by_name_is_not_matched_by_order() -> None:
    with pytest.raises(UsageError) as caught:
        fit_weights(network(), pretrained(network(prefix="old_"), ordered=False))
    assert str(caught.value) == (
        "The weights of file tiny.pth have other names than tiny, and the file doesn't keep the "
        "network's order. Give weights of the same network with the same names, or a .pth file."
    )


def test_numbers_that_are_not_finite_are_refused() -> None:
    came = values(network())
    came["norm.weight"][1] = np.nan
    with pytest.raises(UsageError, match=r"'norm\.weight' holds numbers that aren't finite"):
        fit_weights(network(), pretrained(came))


def scaled(
    grey_NHW: np.ndarray, mean: tuple[float, ...], deviation: tuple[float, ...]
) -> torch.Tensor:
    """Return a grey picture in every channel, scaled: float32 (N, C, H, W)."""
    channels = [(grey_NHW - m) / s for m, s in zip(mean, deviation, strict=True)]
    return torch.from_numpy(np.stack(channels, axis=1).astype(np.float32))


@pytest.mark.parametrize(
    ("channels", "pixels"), [(1, EQUAL), (3, EQUAL), (6, EQUAL), (6, IMAGENET)]
)
def test_a_grey_picture_gives_the_features_of_its_copy_up_to_the_border(
    channels: int, pixels: Pixels
) -> None:
    source, target = network(), network(channels)
    report = fit_weights(target, pretrained(source, pixels=pixels))
    assert report.exact and len(report.mean) == channels
    grey = np.random.default_rng(0).random((2, 9, 7))
    with torch.inference_mode():
        expected = source(scaled(grey, pixels.mean, pixels.deviation))
        got = target(scaled(grey, report.mean, report.deviation))
    assert (expected - got).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize("bias", [True, False])
def test_unequal_scaling_is_exact_inside_and_said_not_to_be_at_the_border(bias: bool) -> None:
    def made(channels: int) -> nn.Module:
        torch.manual_seed(1)
        return nn.Sequential(
            nn.Conv2d(channels, 4, 3, padding=1, bias=bias), nn.BatchNorm2d(4)
        ).eval()

    source, target = made(3), made(1)
    report = fit_weights(target, pretrained(source))
    assert not report.exact
    grey = np.random.default_rng(0).random((2, 9, 7))
    with torch.inference_mode():
        expected = source(scaled(grey, IMAGENET.mean, IMAGENET.deviation))
        got = target(scaled(grey, report.mean, report.deviation))
    apart = (expected - got).abs()
    assert apart[:, :, 1:-1, 1:-1].max() <= 1e-5 * expected.abs().max()
    assert apart.max() > 1e-3


def test_a_first_layer_without_place_for_the_constant_is_refused() -> None:
    def made(channels: int) -> nn.Module:
        return nn.Sequential(nn.Conv2d(channels, 4, 3, bias=False), nn.ReLU())

    with pytest.raises(UsageError) as caught:
        fit_weights(made(1), pretrained(made(3)))
    assert str(caught.value) == (
        "The weights of file tiny.pth can't be made to take one channel: the first convolution, 0, "
        "has neither a bias nor a batch norm after it. Use data.channels: 3."
    )


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32), st.booleans())
def test_the_grey_kernel_and_constant_are_the_three_channels_sum(seed: int, equal: bool) -> None:
    random = np.random.default_rng(seed)
    kernel = random.normal(size=(2, 3, 2, 2)).astype(np.float32)
    mean = (0.4,) * 3 if equal else tuple(random.random(3))
    deviation = (0.3,) * 3 if equal else tuple(random.random(3) + 0.1)
    adapted = adapt_kernel(kernel, mean, deviation, 1)
    patch = random.random((2, 2))
    by_hand = sum(
        (kernel[:, c] * (patch - mean[c]) / deviation[c]).sum(axis=(1, 2)) for c in range(3)
    )
    ours = (adapted.kernel_KChw[:, 0] * (patch - adapted.mean[0]) / adapted.deviation[0]).sum(
        (1, 2)
    )
    np.testing.assert_allclose(ours + adapted.constant_K, by_hand, atol=1e-4)
    assert adapted.exact or not equal


def test_four_channels_repeat_red_and_are_not_called_exact() -> None:
    kernel = np.arange(12, dtype=np.float32).reshape(1, 3, 2, 2)
    adapted = adapt_kernel(kernel, (0.1, 0.2, 0.3), (1, 2, 3), 4)
    np.testing.assert_allclose(adapted.kernel_KChw, kernel[:, [0, 1, 2, 0]] * 0.75)
    assert (adapted.mean, adapted.deviation) == ((0.1, 0.2, 0.3, 0.1), (1, 2, 3, 1))
    assert not adapted.exact
