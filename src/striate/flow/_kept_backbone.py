"""A backbone with its pretrained weights as two files of the cache, under a key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data._cache_folder import BACKBONES
from striate.data._cache_sealed import read_sealed, write_sealed
from striate.data._room import cache_folder
from striate.errors import DiskError
from striate.model import Backbone
from striate.network import Dense

MOST_KEPT = 8
"""Backbones that are kept, the last used ones: a few dozen MB each."""


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


def read_kept(key: str) -> KeptBackbone | None:
    """Return what is kept under a key, as the last used; None where nothing whole is."""
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


def keep(made: KeptBackbone) -> None:
    """Write a backbone to the cache, and remove those used longest ago."""
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


def _path(key: str) -> Path:
    return cache_folder() / BACKBONES / key
