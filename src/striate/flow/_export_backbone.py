"""A pretrained backbone as two files, made with PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from striate.errors import CheckError, UsageError
from striate.flow._kept_backbone import KeptBackbone
from striate.flow._prepare import Prepared, outputs_of
from striate.model import Backbone
from striate.network import Pretrained
from striate.training._interrupt import import_torch

if TYPE_CHECKING:
    from striate.network import Classifier
    from striate.training._export import Features

CHECKED_PICTURES = 8
"""On so many pictures ONNX Runtime's features are held against PyTorch's."""

AGREE = 1e-4
"""How far features may be from PyTorch's, as a share of the largest."""


def export_backbone(
    prepared: Prepared, pretrained: Pretrained, *, known: bool, key: str
) -> KeptBackbone:
    """Make the files with PyTorch, and hold one against the other on the source's own pictures.

    Args:
        prepared: its source's pictures and its settings.
        pretrained: the weights.
        known: whether the weights' own classifier answers too, if they have one.
        key: what the files are to be kept under.

    Raises:
        UsageError: the weights don't fit, or the network has no backbone.
        CheckError: ONNX Runtime's features aren't PyTorch's.
    """
    # Imports take most of it. In a process of its own while pictures are decoded it gained nothing: runs
    # took 21.5 to 26.0 instead of 17.9 to 23.3 s (3 in turn), and 5 s more of the processors.
    import_torch()
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
    from striate.training._export import Features, features_to_onnx

    settings, shape = prepared.settings.model_copy(deep=True), prepared.shape
    outputs = outputs_of(settings, prepared.source.answer)

    def built() -> Classifier:
        network = build(
            settings.network.name or "",
            channels=shape.channels,
            height=shape.height,
            width=shape.width,
            outputs=outputs,
            options=settings.network.all_options,
        )
        if not isinstance(network, Classifier):
            raise UsageError(NO_BACKBONE.format(settings.network.name))
        return network

    network = built()
    if known:
        settings.network.head.known_classes = known_classes(network, pretrained)
        network = built() if settings.network.head.known_classes else network
    report = fit_weights(network, pretrained)
    # The scaling becomes numbers in the copy; the run's own settings stay as they were given.
    stage = input_stage(prepared, settings, report)
    network.eval()
    features = Features(stage, network, settings.network.views)
    onnx = features_to_onnx(features, shape)
    _check(prepared, onnx, features)
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
        outputs=outputs,
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
        key=key,
    )


def _numbers(values: list[float] | str | None) -> tuple[float, ...]:
    assert isinstance(values, list)  # `input_stage` has made them numbers
    return tuple(values)


def _check(prepared: Prepared, onnx: bytes, features: Features) -> None:
    """Compare ONNX Runtime's features of some pictures with PyTorch's."""
    import torch

    some = prepared.split.train[:CHECKED_PICTURES]
    pictures = prepared.store.take(some)
    with torch.inference_mode():
        expected = features(torch.from_numpy(pictures)).numpy()
    got = Backbone(onnx, name="the exported backbone").run(pictures)
    difference, largest = float(np.abs(got - expected).max()), float(np.abs(expected).max())
    if difference > AGREE * largest:
        raise CheckError(
            f"The exported backbone gives other features than PyTorch: {difference:.2g} apart, the "
            f"largest is {largest:.2g}. Train without --freeze."
        )
