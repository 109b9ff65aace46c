"""A pretrained backbone as two files, made with PyTorch."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from striate.errors import CheckError, UsageError
from striate.flow._kept_backbone import KeptBackbone
from striate.flow._prepare import pretrained_of
from striate.image import Shape
from striate.model import Backbone
from striate.training import Settings

if TYPE_CHECKING:
    from striate.network import Classifier
    from striate.training._pixels import InputStage

AGREE = 1e-4
"""How far features may be from PyTorch's, as a share of the largest."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a backbone is made from; it can be sent to another process.

    Attributes:
        settings: of a run with pretrained weights; the scaling of pixels isn't "computed".
        shape: the size of pictures.
        outputs: logits of the run's network.
        known: whether the weights' own classifier answers too, if they have one.
        key: what the files are to be kept under.
        pictures_NHWC: uint8, some of the source's own, on which one file is held against the other.
    """

    settings: Settings
    shape: Shape
    outputs: int
    known: bool
    key: str
    pictures_NHWC: npt.NDArray[np.uint8]

    def to_bytes(self) -> bytes:
        """Return it as `from_bytes` takes it."""
        words = {
            **vars(self),
            "settings": self.settings.model_dump(mode="json"),
            "shape": asdict(self.shape),
        }
        pictures = words.pop("pictures_NHWC")
        file = io.BytesIO()
        np.savez(file, words=np.array(json.dumps(words)), pictures_NHWC=pictures)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return what `to_bytes` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            words, pictures = json.loads(str(arrays["words"])), arrays["pictures_NHWC"]
        words["settings"] = Settings.model_validate(words["settings"])
        words["shape"] = Shape(**words["shape"])
        return cls(**words, pictures_NHWC=pictures)


def export_backbone(order: Order) -> KeptBackbone:
    """Make the files with PyTorch, and hold one against the other.

    Raises:
        UsageError: the weights don't fit, or the network has no backbone.
        CheckError: ONNX Runtime's features aren't PyTorch's.
    """
    from safetensors.torch import save
    from torch import nn

    from striate.flow._fit import NO_BACKBONE, input_stage
    from striate.network import (
        Classifier,
        build,
        first_kernels,
        fit_weights,
        freeze,
        known_classes,
        summary,
    )
    from striate.training._export import features_to_onnx

    settings, shape = order.settings.model_copy(deep=True), order.shape
    pretrained = pretrained_of(settings)
    assert pretrained is not None

    def built() -> Classifier:
        network = build(
            settings.network.name or "",
            channels=shape.channels,
            height=shape.height,
            width=shape.width,
            outputs=order.outputs,
            options=settings.network.all_options,
        )
        if not isinstance(network, Classifier):
            raise UsageError(NO_BACKBONE.format(settings.network.name))
        return network

    network = built()
    if order.known:
        settings.network.head.known_classes = known_classes(network, pretrained)
        network = built() if settings.network.head.known_classes else network
    report = fit_weights(network, pretrained)
    # The scaling becomes numbers in the copy; the run's own settings stay as they were given.
    stage = input_stage(settings, shape.channels, report)
    network.eval()
    onnx = features_to_onnx(stage, network, shape)
    _check(order, onnx, network, stage)
    last = network.head[-1]
    assert isinstance(last, nn.Linear)
    state = {
        name: tensor.contiguous()
        for name, tensor in network.state_dict().items()
        if not name.startswith("head.output.")
    }
    freeze(network)  # as the layer table is to show it
    first = first_kernels(network)
    table = summary(
        network,
        input=(shape.channels, shape.height, shape.width),
        outputs=order.outputs,
        options=settings.network.all_options,
    )
    return KeptBackbone(
        onnx=onnx,
        tensors=save(state),
        mean=_numbers(settings.data.mean),
        deviation=_numbers(settings.data.deviation),
        parameters=sum(p.numel() for p in network.parameters())
        - sum(p.numel() for p in last.parameters()),
        features=last.in_features,
        known=settings.network.head.known_classes or 0,
        first=f"{first[0]}.weight" if first else "",
        layers=tuple(table.to_json()["layers"]),
        notes=network.notes,
        key=order.key,
    )


def _numbers(values: list[float] | str | None) -> tuple[float, ...]:
    assert isinstance(values, list)  # `input_stage` has made them numbers
    return tuple(values)


def _check(order: Order, onnx: bytes, network: Classifier, stage: InputStage) -> None:
    """Compare ONNX Runtime's features of some pictures with PyTorch's."""
    import torch

    from striate.training._export import Features

    pictures = order.pictures_NHWC
    with torch.inference_mode():
        expected = Features(stage, network)(torch.from_numpy(pictures)).numpy()
    got = Backbone(onnx, name="the exported backbone").run(pictures)
    difference, largest = float(np.abs(got - expected).max()), float(np.abs(expected).max())
    if difference > AGREE * largest:
        raise CheckError(
            f"The exported backbone gives other features than PyTorch: {difference:.2g} apart, the "
            f"largest is {largest:.2g}. Train without --freeze."
        )
