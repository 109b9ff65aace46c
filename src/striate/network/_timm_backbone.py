"""Backbones of any convolutional network of timm."""

from typing import final

import torch
from torch import Tensor, nn

from striate.errors import NetworkError, unknown
from striate.network._entry import Entry
from striate.network._timm import import_timm


@final
class Pooled(nn.Module):
    """A network of timm without its last layer: vectors (N, F), through its own pooling."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pictures_NCHW: Tensor) -> Tensor:
        features_NF: Tensor = self.model(pictures_NCHW)
        return features_NF


@final
class Features(nn.Module):
    """The last map of a network of timm, or of a part of it: (N, F, h, w)."""

    def __init__(self, model: nn.Module, *, part: bool) -> None:
        super().__init__()
        self.model = model
        self.part = part

    def forward(self, pictures_NCHW: Tensor) -> Tensor:
        if self.part:
            maps_NFhw: Tensor = self.model(pictures_NCHW)[-1]
        else:
            maps_NFhw = self.model.forward_features(pictures_NCHW)  # type: ignore[operator]
        return maps_NFhw


def timm_backbone(
    entry: Entry, channels: int, *, small: bool, cut: str, pooling: str
) -> Pooled | Features:
    """Return an untrained network of timm without its last layer, up to `cut` where one is given.

    Raises NetworkError for a cut that isn't one of its stages, and for a network that isn't
    convolutional.
    """
    timm = import_timm(entry.name)
    assert entry.origin is not None
    model = entry.origin.model
    common = {"pretrained": False, "in_chans": channels}
    with torch.device("meta"):
        whole = timm.create_model(model, pretrained=False, num_classes=0)
    _require_convolutions(entry.name, whole)
    if cut:
        stages = [one["module"] for one in whole.feature_info]
        if cut not in stages:
            raise NetworkError(unknown(f"stage of '{entry.name}' to cut at", cut, stages))
        part = timm.create_model(
            model, features_only=True, out_indices=(stages.index(cut),), **common
        )
        backbone: Pooled | Features = Features(part, part=True)
    elif pooling == "published":
        backbone = Pooled(timm.create_model(model, num_classes=0, **common))
    else:
        backbone = Features(timm.create_model(model, num_classes=0, **common), part=False)
    if small:
        _small(backbone)
    return backbone


def _require_convolutions(name: str, network: nn.Module) -> None:
    """Raise NetworkError for transformers and the like: those without a (N, F, h, w) map."""
    found = any(isinstance(one, nn.Conv2d) and one.kernel_size != (1, 1) for one in _inner(network))
    attention = any("attention" in type(one).__name__.lower() for one in network.modules())
    if attention or not found or not hasattr(network, "feature_info"):
        raise NetworkError(
            f"'{name}' isn't a convolutional network (it is made of attention or dense layers), "
            "and striate trains convolutional ones. Take another, such as timm:resnet26d."
        )


def _inner(network: nn.Module) -> list[nn.Module]:
    """Return the modules behind the first convolution, which also cuts a transformer's patches."""
    convolutions = [one for one in network.modules() if isinstance(one, nn.Conv2d)]
    return list(convolutions[1:])


def _small(backbone: nn.Module) -> None:
    """Let the first convolution move by one pixel, and leave out a pooling named maxpool."""
    first = next(one for one in backbone.modules() if isinstance(one, nn.Conv2d))
    first.stride = (1, 1)
    for name, _ in list(backbone.named_modules()):
        if name.rpartition(".")[2] == "maxpool":
            parent = backbone.get_submodule(name.rpartition(".")[0])
            parent.maxpool = nn.Identity()
