"""A pretrained backbone: made with PyTorch once, and kept, so that later runs needn't import it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from striate.data._cache_folder import BACKBONES
from striate.data._cache_sealed import read_sealed, write_sealed
from striate.data._room import cache_folder
from striate.errors import CheckError, DiskError, UsageError
from striate.flow._prepare import Prepared, outputs_of, pretrained_of
from striate.model import Backbone
from striate.network import Dense, Pretrained, entry
from striate.training._start import dense_layers

if TYPE_CHECKING:
    from striate.network import Classifier
    from striate.training._pixels import InputStage

FORMAT = 2
"""Version of the files that are kept; it must grow whenever the same weights may give others."""

MOST_KEPT = 8
"""Backbones that are kept, the last used ones: a few dozen MB each."""

KNOWN_BELOW = 1_000
"""Training pictures below which the known classes' answers are features too: with more they add little,
and make fitting the head nearly twice as long."""

CHECKED_PICTURES = 8
"""On so many pictures ONNX Runtime's features are held against PyTorch's."""

AGREE = 1e-4
"""How far features may be from PyTorch's, as a share of the largest."""


@dataclass(frozen=True, kw_only=True)
class KeptBackbone:
    """A backbone with its pretrained weights, as an ONNX file and as tensors.

    Attributes:
        onnx: the file from uint8 pictures (N, H, W, C) to features (N, F).
        tensors: safetensors of the whole network's state; the head's last layer isn't in it.
        mean, deviation: the scaling of pixels that the file does, a number per channel.
        parameters: of the whole network, with a last layer for `features` inputs and no outputs.
        features: F.
        known: the last so many features are the known classes' answers (network.head.known_classes).
        first: the name of the first convolution's kernels in `tensors`.
        layers: rows of the layer table, as `Summary.to_json` gives them, with some last layer.
        notes: what differs from the network's publication, in sentences.
        key: what it was kept under.
    """

    onnx: bytes
    tensors: bytes
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    parameters: int
    features: int
    known: int
    first: str
    layers: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    key: str

    def run(self, threads: int | None) -> Backbone:
        """Return the file on ONNX Runtime."""
        return Backbone(self.onnx, name="the kept backbone", threads=threads)

    def layers_to(self, outputs: int) -> list[Mapping[str, Any]]:
        """Return the rows of the layer table where the last layer gives so many logits."""
        last, size = Dense(outputs), (self.features,)
        cost = last.cost(size)
        changed = {
            "formula": last.formula(size),
            "output": list(last.output(size)),
            "parameters": last.parameters(size),
            "trainable": last.parameters(size),
            "flops": cost.flops,
            "multiplies": cost.multiplies,
            "adds": cost.adds,
            "bytes": np.dtype(np.float32).itemsize * outputs,
        }
        return [*self.layers[:-1], {**self.layers[-1], **changed}]

    def state(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the tensors by name."""
        from safetensors.numpy import load

        return dict(load(self.tensors))


def open_backbone(prepared: Prepared) -> KeptBackbone:
    """Return the backbone that the settings want; where it isn't kept, it is made.

    It is kept then, unless nothing is (`data.cache`).

    Raises:
        UsageError: the weights can't be had, or don't fit.
        CheckError: ONNX Runtime's features aren't PyTorch's.
    """
    pretrained = pretrained_of(prepared.settings)
    assert pretrained is not None
    key, keep = _key(prepared, pretrained), prepared.settings.data.cache
    found = _read(key) if keep else None
    wanted = prepared.settings.network.head.known_classes
    if found is None or (wanted and wanted != found.known):
        found = _made(prepared, pretrained, key)
        if keep:
            _keep(found)
    return found


def without_layers(prepared: Prepared) -> Prepared:
    """Return what is prepared with a head of one layer: a backbone is kept for all its heads."""
    settings = prepared.settings.model_copy(deep=True)
    settings.network.head.dense, settings.network.head.dropout = [], None
    settings.network.options.pop("dropout", None)
    settings.network.head.known_classes = settings.network.head.known_classes or 0
    return replace(prepared, settings=settings)


def _wants_known(prepared: Prepared) -> bool:
    """Whether the weights' own classifier is to answer too, if they have one that can.

    Where the user hasn't decided: for classes, and from few pictures, which it helps most. It reads
    the features of the published head only.
    """
    network, answer = prepared.settings.network, prepared.source.answer
    if network.head.known_classes is not None or dense_layers(prepared.settings):
        return False
    as_published = not {"pooling", "cut"} & network.all_options.keys()
    few = len(prepared.split.train) < KNOWN_BELOW
    return answer.task == "classification" and as_published and few


def _key(prepared: Prepared, pretrained: Pretrained) -> str:
    """Return the hash of everything that the kept files depend on."""
    settings, shape = prepared.settings, prepared.shape
    scaling = (settings.data.mean, settings.data.deviation)
    own = {one.name: one.default for one in entry(settings.network.name or "").options}
    words = {
        "format": FORMAT,
        "weights": pretrained.sha256,
        "network": settings.network.name,
        "options": own | settings.network.all_options | {"known_classes": None},
        "known": bool(settings.network.head.known_classes) or _wants_known(prepared),
        "shape": [shape.channels, shape.height, shape.width],
        "scaling": scaling,
        "pictures": _hash(prepared) if "computed" in scaling else "",
    }
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()[:32]


def _hash(prepared: Prepared) -> str:
    """Return a hash of the training part's pictures, which a scaling may be computed from."""
    digests = prepared.store.digests[prepared.split.train]
    return hashlib.sha256(np.ascontiguousarray(digests).tobytes()).hexdigest()


def _path(key: str) -> Path:
    return cache_folder() / BACKBONES / key


def _read(key: str) -> KeptBackbone | None:
    path = _path(key)
    found = read_sealed(path, 2)
    if found is None:
        return None
    with suppress(OSError):
        os.utime(path)
    words, (onnx, tensors) = found
    return KeptBackbone(
        onnx=onnx.tobytes(),
        tensors=tensors.tobytes(),
        mean=tuple(words["mean"]),
        deviation=tuple(words["deviation"]),
        parameters=words["parameters"],
        features=words["features"],
        known=words["known"],
        first=words["first"],
        layers=tuple(words["layers"]),
        notes=tuple(words["notes"]),
        key=key,
    )


def _keep(made: KeptBackbone) -> None:
    words = {
        name: getattr(made, name)
        for name in (
            "mean",
            "deviation",
            "parameters",
            "features",
            "known",
            "first",
            "layers",
            "notes",
        )
    }
    arrays = [np.frombuffer(data, np.uint8) for data in (made.onnx, made.tensors)]
    path = _path(made.key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_sealed(path, words, arrays)
        newest = sorted(path.parent.iterdir(), key=lambda one: -one.stat().st_mtime)
        for one in newest[MOST_KEPT:]:
            one.unlink(missing_ok=True)
    except (OSError, DiskError):
        # It can be made again: a run needn't end for that.
        return


def _made(prepared: Prepared, pretrained: Pretrained, key: str) -> KeptBackbone:
    """Make the files with PyTorch, and hold one against the other on the source's own pictures."""
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
    if _wants_known(prepared):
        settings.network.head.known_classes = known_classes(network, pretrained)
        network = built() if settings.network.head.known_classes else network
    report = fit_weights(network, pretrained)
    # The scaling becomes numbers in the copy; the run's own settings stay as they were given.
    stage = input_stage(prepared, settings, report)
    network.eval()
    onnx = features_to_onnx(stage, network, shape)
    _check(prepared, onnx, network, stage)
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


def _check(prepared: Prepared, onnx: bytes, network: Classifier, stage: InputStage) -> None:
    """Compare ONNX Runtime's features of some pictures with PyTorch's."""
    import torch

    from striate.training._export import Features

    some = prepared.split.train[:CHECKED_PICTURES]
    pictures = prepared.store.take(some)
    with torch.inference_mode():
        expected = Features(stage, network)(torch.from_numpy(pictures)).numpy()
    got = Backbone(onnx, name="the exported backbone").run(pictures)
    difference, largest = float(np.abs(got - expected).max()), float(np.abs(expected).max())
    if difference > AGREE * largest:
        raise CheckError(
            f"The exported backbone gives other features than PyTorch: {difference:.2g} apart, the "
            f"largest is {largest:.2g}. Train without --freeze."
        )
