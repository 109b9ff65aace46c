"""A pretrained backbone: made with PyTorch once, and kept, so that later runs needn't import it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np

from striate.flow._export_backbone import export_backbone
from striate.flow._kept_backbone import KeptBackbone, keep, read_kept
from striate.flow._prepare import Prepared, pretrained_of
from striate.network import Pretrained, entry
from striate.training._start import dense_layers

FORMAT = 3
"""Version of the files that are kept; it must grow whenever the same weights may give others."""

KNOWN_BELOW = 1_000
"""Training pictures below which the known classes' answers are features too: with more they add little,
and make fitting the head nearly twice as long."""


def open_backbone(prepared: Prepared) -> KeptBackbone:
    """Return the backbone that the settings want; where it isn't kept, it is made.

    It is kept then, unless nothing is (`data.cache`).

    Raises:
        UsageError: the weights can't be had, or don't fit.
        CheckError: ONNX Runtime's features aren't PyTorch's.
    """
    pretrained = pretrained_of(prepared.settings)
    assert pretrained is not None
    key, kept = _key(prepared, pretrained), prepared.settings.data.cache
    found = read_kept(key) if kept else None
    wanted = prepared.settings.network.head.known_classes
    if found is None or (wanted and wanted != found.known):
        known = _wants_known(prepared)
        found = export_backbone(prepared, pretrained, known=known, key=key)
        if kept:
            keep(found)
    return found


def without_layers(prepared: Prepared) -> Prepared:
    """Return what is prepared with a head of one layer, and one view: what steps on features read.

    A backbone is kept for all its heads.
    """
    settings = prepared.settings.model_copy(deep=True)
    settings.network.views = 1
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
        "views": settings.network.views,
        "shape": [shape.channels, shape.height, shape.width],
        "scaling": scaling,
        "pictures": _hash(prepared) if "computed" in scaling else "",
    }
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()[:32]


def _hash(prepared: Prepared) -> str:
    """Return a hash of the training part's pictures, which a scaling may be computed from."""
    digests = prepared.store.digests[prepared.split.train]
    return hashlib.sha256(np.ascontiguousarray(digests).tobytes()).hexdigest()
