"""Backbones of the classic networks, from torchvision and timm; imported only when one is made."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from striate.errors import NetworkError, unknown
from striate.network._arithmetic import Shape
from striate.network._entry import Entry, Origin
from striate.network._timm import TIMM, import_timm
from striate.network._timm_backbone import timm_backbone

_KINDS: dict[type[nn.Module], str] = {
    nn.Conv2d: "conv",
    nn.ReLU: "relu",
    nn.MaxPool2d: "pool",
    nn.BatchNorm2d: "norm",
}


def is_small(origin: Origin, shape: Shape, stem: str) -> bool:
    """Return whether the small stem is taken for pictures of `shape` (C, H, W)."""
    return stem == "small" or (stem == "auto" and min(shape[1:]) < origin.small_below)


def make_backbone(entry: Entry, channels: int, *, small: bool, cut: str, pooling: str) -> nn.Module:
    """Return an untrained backbone, in the current default device, for `channels` input channels.

    Raises NetworkError for a cut that isn't one of its layers, and where the library is missing or
    the network isn't convolutional.
    """
    origin = entry.origin
    assert origin is not None
    if entry.name.startswith(TIMM):
        return timm_backbone(entry, channels, small=small, cut=cut, pooling=pooling)
    if origin.library == "timm":
        backbone = _lite(import_timm(entry.name), origin, channels, small)
    else:
        backbone = _torchvision(entry, channels, small)
    return _until(backbone, cut, entry.name) if cut else backbone


def _torchvision(entry: Entry, channels: int, small: bool) -> nn.Sequential:
    try:
        from torchvision import models
    except ModuleNotFoundError as error:
        raise NetworkError(
            f"Network '{entry.name}' comes from torchvision, which isn't installed. "
            "Install striate[train]."
        ) from error
    origin = entry.origin
    assert origin is not None
    if origin.model in _FEATURES:
        backbone = _features(getattr(models, origin.model), he="vgg" in origin.model)
    else:
        backbone = _children(getattr(models, origin.model), origin.model)
    if small:
        _SMALL[origin.model.rstrip("0123456789")](backbone)
    first_channels(backbone, channels)
    return backbone


_FEATURES = ("alexnet", "vgg16", "vgg19")


def _features(make: Callable[..., Any], *, he: bool) -> nn.Sequential:
    """Return AlexNet's or VGG's convolutions, named by kind.

    Made without memory first: their dense layers hold most parameters and aren't wanted here.
    `he` draws the weights as torchvision does for VGG, for ReLU, from each map's outputs.
    """
    device = torch.get_default_device()
    with torch.device("meta"):
        features = make(weights=None).features
    counts: dict[str, int] = {}
    named: OrderedDict[str, nn.Module] = OrderedDict()
    for layer in features:
        kind = _KINDS[type(layer)]
        counts[kind] = counts.get(kind, 0) + 1
        named[f"{kind}{counts[kind]}"] = layer
    backbone = nn.Sequential(named).to_empty(device=device)
    for layer in backbone:
        if isinstance(layer, nn.Conv2d):
            layer.reset_parameters()
            if he:
                _he(layer)
    return backbone


def _he(layer: nn.Conv2d) -> None:
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def _children(make: Callable[..., Any], model: str) -> nn.Sequential:
    """Return a network's children up to its pooling: what its `forward` calls, in that order."""
    options: dict[str, Any] = {}
    if model in ("googlenet", "inception_v3"):
        # On the meta device there is nothing to draw.
        real = torch.get_default_device().type != "meta"
        options = {"aux_logits": False, "init_weights": real}
    network = make(weights=None, **options)
    kept: OrderedDict[str, nn.Module] = OrderedDict()
    for name, child in network.named_children():
        if name == "avgpool":
            break
        kept[name] = child
    return nn.Sequential(kept)


def _lite(timm: Any, origin: Origin, channels: int, small: bool) -> nn.Sequential:
    network = timm.create_model(origin.model, pretrained=False, in_chans=channels, num_classes=0)
    names = ("conv_stem", "bn1", "blocks", "conv_head", "bn2")
    if small:
        network.conv_stem.stride = (1, 1)
    return nn.Sequential(OrderedDict((name, getattr(network, name)) for name in names))


def _small_alexnet(backbone: nn.Sequential) -> None:
    first = backbone.conv1
    assert isinstance(first, nn.Conv2d)
    backbone.conv1 = nn.Conv2d(first.in_channels, first.out_channels, 3, padding=1)


def _small_resnet(backbone: nn.Sequential) -> None:
    first = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    _he(first)
    backbone.conv1 = first
    backbone.maxpool = nn.Identity()


def _small_googlenet(backbone: nn.Sequential) -> None:
    backbone.get_submodule("conv1").conv = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    backbone.maxpool1 = nn.Identity()


def _small_inception(backbone: nn.Sequential) -> None:
    first = backbone.get_submodule("Conv2d_1a_3x3.conv")
    assert isinstance(first, nn.Conv2d)
    first.stride = (1, 1)
    backbone.maxpool1 = nn.Identity()


def _small_vgg(backbone: nn.Sequential) -> None:
    backbone.pool1 = nn.Identity()


_SMALL: dict[str, Callable[[nn.Sequential], None]] = {
    "alexnet": _small_alexnet,
    "vgg": _small_vgg,
    "resnet": _small_resnet,
    "googlenet": _small_googlenet,
    "inception_v": _small_inception,
}


def first_channels(backbone: nn.Module, channels: int) -> None:
    """Replace the first convolution by one for another number of input channels."""
    name, layer = next(
        (name, one) for name, one in backbone.named_modules() if isinstance(one, nn.Conv2d)
    )
    if layer.in_channels == channels:
        return
    other = nn.Conv2d(
        channels,
        layer.out_channels,
        kernel_size=layer.kernel_size,  # type: ignore[arg-type]
        stride=layer.stride,  # type: ignore[arg-type]
        padding=layer.padding,  # type: ignore[arg-type]
        bias=layer.bias is not None,
    )
    _he(other)
    parent, _, own = name.rpartition(".")
    setattr(backbone.get_submodule(parent), own, other)


def _until(backbone: nn.Sequential, cut: str, network: str) -> nn.Sequential:
    """Return the backbone up to the layer called `cut`, that one included."""
    known = list(_names(backbone))
    if cut not in known:
        raise NetworkError(unknown(f"layer of the backbone of '{network}' to cut at", cut, known))
    first, _, rest = cut.partition(".")
    kept: OrderedDict[str, nn.Module] = OrderedDict()
    for name, child in backbone.named_children():
        kept[name] = child
        if name == first:
            if rest:
                assert isinstance(child, nn.Sequential)
                kept[name] = _until(child, rest, network)
            break
    return nn.Sequential(kept)


def _names(backbone: nn.Sequential) -> Iterator[str]:
    """Yield the names of layers that follow one another, those inside sequences too."""
    for name, child in backbone.named_children():
        yield name
        if isinstance(child, nn.Sequential):
            yield from (f"{name}.{inner}" for inner in _names(child))
