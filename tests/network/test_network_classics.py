"""The classic networks: counts, sizes, stems, backbones and their weights, freezing, export."""

import subprocess
import sys
from math import prod

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from striate.answer import Classification
from striate.errors import NetworkError
from striate.image import Shape as Picture
from striate.network import Classifier, Entry, build, entry, freeze, networks, require_fit, summary
from striate.network._adaptive import AdaptivePool, AdaptivePooling, adaptive_pooling
from striate.network._classify import classify
from striate.task import task_for
from striate.training._export import to_onnx
from striate.training._pixels import InputStage

CLASSICS = [one for one in networks() if one.origin]
QUICK = ("alexnet", "vgg16", "vgg16-binary", "resnet18", "efficientnet-lite0")
"""Those that every commit is tested with; the rest are slow to make, as is what is larger."""
TIMM = ("timm:resnet26d", "timm:mobilenetv3_small_050", "timm:convnext_atto")
FAMILIES = (
    "cs3darknet_focus_s", "cspresnet50", "densenet121", "dla34", "dpn48b", "edgenext_xx_small",
    "ghostnet_050", "hardcorenas_a", "hgnet_tiny", "hrnet_w18_small", "inception_v4", "lcnet_050",
    "regnetx_002", "regnety_002", "repghostnet_050", "res2net50_14w_8s",
    "resnest14d", "resnetv2_50", "rexnet_100", "selecsls42b", "seresnet18", "skresnet18",
    "starnet_s1", "tf_efficientnet_b0", "vgg11_bn", "vovnet39a", "xception41",
)  # fmt: skip
"""One small network for each convolutional family of timm; not of those that standardise weights by a
batch norm in training mode (nf_resnet26), of which the exporter warns."""

SIZES = {"inception_v4": 96, "vgg11_bn": 224}
"""Of families that need more than 64 px, or (vgg) can't be exported where a 7×7 pooling doesn't fit."""


def parametrised(names: tuple[str, ...], quick: tuple[str, ...] = QUICK) -> list[object]:
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


ALL = parametrised((*(one.name for one in CLASSICS), *TIMM), (*QUICK, TIMM[0]))


def make(
    name: str, size: int, channels: int = 3, outputs: int = 4, **options: object
) -> Classifier:
    torch.manual_seed(0)
    made = build(name, channels=channels, height=size, width=size, outputs=outputs, options=options)
    assert isinstance(made, Classifier)
    return made


def on_meta(one: Entry, **options: object) -> Classifier:
    return classify(one, one.default_input, one.default_outputs, options, device="meta")


def count(module: nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


@pytest.mark.parametrize("name", parametrised(tuple(one.name for one in CLASSICS)))
def test_the_table_at_full_size_has_the_published_counts(name: str) -> None:
    """FLOPs of convolutions and dense layers equal PyTorch's own counter, which counts only those."""
    one = entry(name)
    table = summary(name)
    assert one.origin is not None
    assert (table.parameters, table.cost.flops) == (one.origin.parameters, one.origin.flops)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        on_meta(one).eval()(torch.zeros(1, *one.default_input, device="meta"))
    told = sum(row.cost.flops for row in table.rows if row.kind in ("conv", "dense"))
    assert told == counter.get_total_flops()
    assert all(row.fields is not None for row in table.rows)
    assert all(row.formula for row in table.rows if row.kind in ("conv", "dense"))


@pytest.mark.parametrize(
    "name",
    parametrised(tuple(one.name for one in CLASSICS if one.name != "vgg16-binary"), QUICK[:4]),
)
def test_parameters_are_those_of_the_library_s_own_network(name: str) -> None:
    origin = entry(name).origin
    assert origin is not None
    with torch.device("meta"):
        if origin.library == "timm":
            import timm

            whole = timm.create_model(origin.model)
        else:
            from torchvision import models

            less = {"aux_logits": False, "init_weights": False}
            has = origin.model in ("googlenet", "inception_v3")
            whole = getattr(models, origin.model)(**(less if has else {}))
    shapes = [tuple(weights.shape) for weights in whole.parameters()]
    assert [tuple(weights.shape) for weights in on_meta(entry(name)).parameters()] == shapes


@pytest.mark.parametrize("name", [TIMM[0], *parametrised(TIMM[1:], ())])
def test_networks_of_timm_have_timm_s_parameters(name: str) -> None:
    import timm

    with torch.device("meta"):
        whole = timm.create_model(name.removeprefix("timm:"))
    assert summary(name).parameters == count(whole) == entry(name).parameters


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_every_convolutional_family_of_timm(family: str) -> None:
    import timm

    with torch.device("meta"):
        whole = timm.create_model(family)
    table = summary(f"timm:{family}")
    assert table.parameters == count(whole)
    size = SIZES.get(family, 64)
    made = make(f"timm:{family}", size)
    logits = made(torch.randn(2, 3, size, size))
    assert logits.shape == (2, 4)
    logits.square().mean().backward()
    compare(made, size)


def test_the_transfer_networks_of_courses_have_their_counts() -> None:
    vgg = on_meta(entry("vgg16-binary"))
    assert (count(vgg), count(vgg.backbone)) == (21_137_729, 14_714_688)
    assert [name for name, _ in vgg.head.named_children()] == [
        "flatten", "dense1", "relu1", "output",
    ]  # fmt: skip
    resnet = classify(entry("resnet18"), (3, 224, 224), 10, {}, device="meta")
    freeze(resnet)
    trainable = sum(one.numel() for one in resnet.parameters() if one.requires_grad)
    assert (count(resnet), trainable) == (11_181_642, 5_130)


@pytest.mark.parametrize("name", ALL)
def test_forward_and_backward_with_any_channels_and_classes(name: str) -> None:
    for channels, size in ((1, 28), (5, 80)):
        network = make(name, size, channels, **LIGHT.get(name, {}))
        network.train()
        logits = network(torch.randn(2, channels, size, size))
        assert logits.shape == (2, 4)
        logits.square().mean().backward()
        for weights in network.parameters():
            assert weights.grad is not None
            assert torch.isfinite(weights.grad).all()


LIGHT: dict[str, dict[str, object]] = {
    name: {"dense": [8]} for name in ("alexnet", "vgg16", "vgg19", "vgg16-binary")
}
"""Where two dense layers of 4096 units would take most of the time."""


@pytest.mark.parametrize("name", ALL)
def test_weights_come_back_and_the_exported_network_equals_eager(name: str) -> None:
    network = make(name, 64, **LIGHT.get(name, {}))
    other = make(name, 64, **LIGHT.get(name, {}))
    for weights in other.parameters():
        nn.init.zeros_(weights)
    other.load_state_dict(load(save(network.state_dict())))
    pictures = torch.randn(2, 3, 64, 64)
    assert torch.equal(network.eval()(pictures), other.eval()(pictures))
    compare(network, 64)


@pytest.mark.parametrize("size", [64, 100, pytest.param(128, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["alexnet", "vgg16"])
def test_export_where_the_published_pooling_does_not_divide_the_map(name: str, size: int) -> None:
    compare(make(name, size, dense=[8]), size)


def compare(network: Classifier, size: int) -> None:
    """Hold an exported network against eager: logits, with statistics of smooth pictures.

    Both are judged by the same module in float64. The export may be off by 1e-5 of the largest
    logit, or by 3 times what eager itself is off by in float32: in deep networks of small pictures
    rounding grows beyond 1e-5 (2.6e-5 in EfficientNet-Lite0 at 64 px), and another order of sums
    rounds otherwise.
    """
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(8, 3, 5, 5, generator=generator)
    smooth = nn.functional.interpolate(coarse, (size, size), mode="bicubic").clamp(0, 1)
    pictures = (255 * smooth).permute(0, 2, 3, 1).to(torch.uint8)
    stage = InputStage([0.5] * 3, [0.25] * 3)
    set_statistics(network, stage(pictures))
    answer = Classification(classes=("a", "b", "c", "d"))
    task = task_for(answer, train_targets=np.arange(4), outputs=4)
    data = to_onnx(stage, network, task, Picture(height=size, width=size, channels=3))
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    exported = session.run(["logits"], {"pictures": pictures.numpy()})[0]
    with torch.no_grad():
        eager = network.eval()(stage(pictures)).numpy()
        exact = network.double()(stage(pictures).double()).numpy()
    off, own = np.abs(exported - exact).max(), np.abs(eager - exact).max()
    assert off <= max(1e-5 * np.abs(exact).max(), 3 * own)
    # The criterion means something only where float32 is near the truth.
    assert own <= 1e-3 * np.abs(exact).max()


def set_statistics(network: nn.Module, pictures: Tensor) -> None:
    """Give batch norms the mean and variance of these pictures."""
    norms = [one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    network.train()
    with torch.no_grad():
        network(pictures)


@pytest.mark.parametrize("name", parametrised(("resnet18", "googlenet", "efficientnet-lite0")))
def test_receptive_fields_hold_every_pixel_with_a_gradient(name: str) -> None:
    """Of an early layer, in float64: the field's size is exactly what the middle position reads."""
    cut = {"resnet18": "layer1", "googlenet": "inception3a", "efficientnet-lite0": "blocks.1"}[name]
    network = make(name, 96, cut=cut, pooling="average").double().eval()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, 1 / prod(layer.weight.shape[1:]))
        if isinstance(layer, nn.MaxPool2d):
            # A mean hands gradients to every position of its window, a maximum to one.
            layer.forward = lambda maps, layer=layer: nn.functional.avg_pool2d(  # type: ignore
                maps, layer.kernel_size, layer.stride, layer.padding, layer.ceil_mode
            )
    table = summary(name, input=(3, 96, 96), outputs=4, options={"cut": cut})
    last = [row for row in table.rows if row.name.startswith("backbone")][-1]
    assert last.fields is not None
    pictures = torch.ones(1, 3, 96, 96, dtype=torch.float64, requires_grad=True)
    maps = network.backbone(pictures)
    middle = maps.shape[2] // 2
    maps[0, :, middle, middle].sum().backward()
    assert pictures.grad is not None
    rows = pictures.grad[0].abs().sum((0, 2)).nonzero().flatten()
    field = last.fields[0]
    first = field.start + middle * field.stride
    assert (int(rows[0]), int(rows[-1])) == (max(first, 0), min(first + field.size, 96) - 1)


def test_a_frozen_backbone_keeps_weights_statistics_and_drops_nothing() -> None:
    network = make("efficientnet-lite0", 32)
    network.backbone.add_module("extra", nn.Dropout(0.5))
    pictures = torch.randn(4, 3, 32, 32)
    freeze(network)
    network.train()
    assert network.training and network.head.training
    before = {key: one.clone() for key, one in network.backbone.state_dict().items()}
    first = network.backbone(pictures)
    network(pictures).sum().backward()
    assert torch.equal(network.backbone(pictures), first)
    for key, one in network.backbone.state_dict().items():
        assert torch.equal(one, before[key]), key
    assert all(one.grad is None for one in network.backbone.parameters())
    assert all(one.grad is not None for one in network.head.parameters())
    assert summary(network).frozen == count(network.backbone)


def test_heads_of_every_kind() -> None:
    for options, names in (
        ({}, ["pool", "output"]),
        ({"pooling": "flatten", "dense": [6, 5], "dropout": 0.3},
         ["flatten", "dense1", "relu1", "dropout1", "dense2", "relu2", "dropout2", "output"]),
        ({"pooling": "max", "dropout": 0.3}, ["pool", "dropout1", "output"]),
    ):  # fmt: skip
        made = classify(entry("resnet18"), (3, 64, 64), 4, options, device="meta")
        assert [name for name, _ in made.head.named_children()] == names
        assert made(torch.zeros(2, 3, 64, 64, device="meta")).shape == (2, 4)
    assert [name for name, _ in on_meta(entry("alexnet"), dropout=0.0).head.named_children()] == [
        "pool", "flatten", "dense1", "relu1", "dense2", "relu2", "output",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "cut", "features"),
    [
        ("resnet18", "layer2", (128, 8, 8)),
        ("resnet18", "layer3.0", (256, 4, 4)),
        ("vgg16", "pool3", (256, 8, 8)),
        ("efficientnet-lite0", "blocks.2.1", (40, 8, 8)),
        ("timm:resnet26d", "layer1", (256, 16, 16)),
    ],
)
def test_the_backbone_ends_where_it_is_cut(name: str, cut: str, features: tuple[int, ...]) -> None:
    made = classify(entry(name), (3, 64, 64), 4, {"cut": cut}, device="meta")
    assert made.backbone(torch.zeros(1, 3, 64, 64, device="meta")).shape[1:] == features


def test_a_cut_backbone_computes_the_same() -> None:
    whole, part = make("resnet18", 32), make("resnet18", 32, cut="layer2")
    part.backbone.load_state_dict(whole.backbone.state_dict(), strict=False)
    pictures = torch.randn(1, 3, 32, 32)
    expected = pictures
    for name, child in whole.eval().backbone.named_children():
        expected = child(expected)
        if name == "layer2":
            break
    assert torch.equal(part.eval().backbone(pictures), expected)


def test_small_pictures_get_a_small_stem_and_it_is_said() -> None:
    table = summary("resnet18", input=(1, 28, 28), outputs=10)
    assert table.parameters == 11_172_810
    first = table.rows[0]
    assert (first.name, first.output) == ("backbone.conv1", (64, 28, 28))
    note = (
        "Small stem for small pictures: a first convolution of 3×3 with stride 1, and no pooling "
        "after it."
    )
    assert table.notes == (note,)
    assert note in table.table().replace("\n", " ")
    assert not summary("resnet18", input=(3, 64, 64), outputs=10).notes
    published = summary("resnet18", input=(1, 28, 28), outputs=10, options={"stem": "published"})
    assert published.rows[0].output == (64, 14, 14)
    assert not published.notes


@pytest.mark.parametrize(
    ("name", "size", "options", "sentence"),
    [
        (
            "vgg16",
            8,
            {},
            "Network 'vgg16' doesn't fit. A picture of 8×8 shrinks below 1×1 in the middle: layer "
            "'pool5' (max 2) gets 1×1; a picture of at least 16×16 would do.",
        ),
        (
            "alexnet",
            40,
            {"stem": "published"},
            "Network 'alexnet' doesn't fit. A picture of 40×40 shrinks below 1×1 in the middle: "
            "layer 'pool3' (max 3 stride 2) gets 1×1; a picture of at least 63×63 would do.",
        ),
        (
            "vgg16",
            64,
            {"cut": "pol3"},
            "There is no layer of the backbone of 'vgg16' to cut at called 'pol3'. Did you mean "
            "'pool3'? Known: conv1, relu1, conv2, relu2, pool1, conv3, relu3, conv4, relu4, pool2, "
            "conv5, relu5, conv6, relu6, conv7, relu7, pool3, conv8, relu8, conv9, relu9, conv10, "
            "relu10, pool4, conv11, relu11, conv12, relu12, conv13, relu13, pool5.",
        ),
        (
            "vgg16",
            64,
            {"dense": [0]},
            "Option 'dense' of network 'vgg16' takes a list of whole numbers of 1 or more, or [], "
            "got [0]. Units of the head's dense layers before the last; [] for none.",
        ),
    ],
)
def test_what_does_not_fit_is_told(
    name: str, size: int, options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(NetworkError) as caught:
        require_fit(name, shape=(3, size, size), outputs=4, options=options)
    assert str(caught.value) == sentence


def test_names_of_timm_that_are_not_there_or_not_convolutional() -> None:
    with pytest.raises(NetworkError, match=r"no network called 'resnet26dd'\. Did you mean 'timm:"):
        entry("timm:resnet26dd")
    with pytest.raises(NetworkError) as caught:
        require_fit("timm:vit_tiny_patch16_224", shape=(3, 224, 224), outputs=4)
    assert str(caught.value) == (
        "'timm:vit_tiny_patch16_224' isn't a convolutional network (it is made of attention or "
        "dense layers), and striate trains convolutional ones. Take another, such as "
        "timm:resnet26d."
    )


@pytest.mark.parametrize("size", [(4, 4), (7, 7), (14, 7), (9, 5), (1, 1), (2, 3)])
def test_the_matrix_product_is_pytorch_s_adaptive_pooling(size: tuple[int, int]) -> None:
    maps = torch.randn(2, 3, *size, dtype=torch.float64)
    expected = nn.functional.adaptive_avg_pool2d(maps, 7)
    for module in (
        AdaptivePooling(AdaptivePool(7), (3, *size)).double(),
        adaptive_pooling(7, (3, *size)).double(),
    ):
        torch.testing.assert_close(module(maps), expected, rtol=1e-6, atol=1e-6)
        assert not module.state_dict()


def test_listing_and_training_a_course_network_import_no_library() -> None:
    program = (
        "import sys, striate.network as n\n"
        "[one.to_json() for one in n.networks()]\n"
        "n.build('cnn3', channels=1, height=28, width=28, outputs=10)\n"
        "print('torchvision' in sys.modules, 'timm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("False False", "")
