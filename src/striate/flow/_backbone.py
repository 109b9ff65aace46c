"""A pretrained backbone: made with PyTorch once, and kept, so that later runs needn't import it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np

from striate.data import Audit, Source
from striate.errors import PictureError
from striate.flow._early import Early
from striate.flow._export_backbone import Order, export_backbone
from striate.flow._kept_backbone import KeptBackbone, is_kept, keep, read_kept
from striate.flow._prepare import Prepared, facts_for, outputs_of, pretrained_of
from striate.image import Shape
from striate.network import entry
from striate.training import Settings
from striate.training._start import dense_layers

CHECKED_PICTURES = 8
"""On so many pictures ONNX Runtime's features are held against PyTorch's."""

FORMAT = 3
"""Version of the files that are kept; it must grow whenever the same weights may give others."""

KNOWN_BELOW = 1_000
"""Training pictures below which the known classes' answers are features too: with more they add little,
and make fitting the head nearly twice as long."""


def open_backbone(prepared: Prepared, early: Early | None = None) -> KeptBackbone:
    """Return the backbone that the settings want; where it isn't kept, it is made.

    It is kept then, unless nothing is (`data.cache`). If `early` makes it, it is waited for.

    Raises:
        UsageError: the weights can't be had, or don't fit.
        CheckError: ONNX Runtime's features aren't PyTorch's.
    """
    settings, key = prepared.settings, _key_of(prepared)
    if early is not None:
        early.wait()
    found = read_kept(key) if settings.data.cache else None
    wanted = settings.network.head.known_classes
    if found is None or (wanted and wanted != found.known):
        settings = settings.model_copy(deep=True)
        if _is_computed(settings):
            # Imports PyTorch.
            from striate.flow._fit import compute_scaling

            compute_scaling(prepared, settings)
        found = export_backbone(
            Order(
                settings=settings,
                shape=prepared.shape,
                outputs=outputs_of(settings, prepared.source.answer),
                known=_knows(prepared),
                key=key,
                pictures_NHWC=prepared.store.take(prepared.split.train[:CHECKED_PICTURES]),
            )
        )
        if settings.data.cache:
            keep(found)
    return found


def begin_backbone(
    early: Early, source: Source, audit: Audit, settings: Settings, shape: Shape
) -> None:
    """Let another process make the backbone while this one decodes pictures, where that helps.

    What it can't do is left to `open_backbone`, which says why it can't be done.
    """
    if settings.training.threads == 1 or not settings.data.cache or _is_computed(settings):
        return
    task, training = source.answer.task, facts_for(source, audit, settings).training
    known = _wants_known(settings, task, training)
    key = _key(settings, shape, known=known)
    if is_kept(key):
        return
    try:
        pictures = [
            source.pictures.load(int(position), shape, settings.data.max_pixels).picture_HWC
            for position in np.flatnonzero(audit.sizes[:, 0] > 0)[:CHECKED_PICTURES]
        ]
    except PictureError:
        return
    early.begin(
        Order(
            settings=settings,
            shape=shape,
            outputs=outputs_of(settings, source.answer),
            known=known,
            key=key,
            pictures_NHWC=np.stack(pictures),
        )
    )


def without_layers(prepared: Prepared) -> Prepared:
    """Return what is prepared with a head of one layer: a backbone is kept for all its heads."""
    settings = prepared.settings.model_copy(deep=True)
    settings.network.head.dense, settings.network.head.dropout = [], None
    settings.network.options.pop("dropout", None)
    settings.network.head.known_classes = settings.network.head.known_classes or 0
    return replace(prepared, settings=settings)


def _knows(prepared: Prepared) -> bool:
    """Whether the weights' own classifier is to answer too, as `_wants_known`."""
    task = prepared.source.answer.task
    return _wants_known(prepared.settings, task, len(prepared.split.train))


def _wants_known(settings: Settings, task: str, training: int) -> bool:
    """Whether the weights' own classifier is to answer too, if they have one that can.

    Where the user hasn't decided: for classes, and from few pictures, which it helps most. It reads
    the features of the published head only.
    """
    network = settings.network
    if network.head.known_classes is not None or dense_layers(settings):
        return False
    as_published = not {"pooling", "cut"} & network.all_options.keys()
    return task == "classification" and as_published and training < KNOWN_BELOW


def _key_of(prepared: Prepared) -> str:
    """Return the hash of everything that the kept files depend on."""
    settings = prepared.settings
    pictures = _hash(prepared) if _is_computed(settings) else ""
    return _key(settings, prepared.shape, known=_knows(prepared), pictures=pictures)


def _key(settings: Settings, shape: Shape, *, known: bool, pictures: str = "") -> str:
    """Return the hash of everything that the kept files depend on."""
    pretrained = pretrained_of(settings)
    assert pretrained is not None
    own = {one.name: one.default for one in entry(settings.network.name or "").options}
    words = {
        "format": FORMAT,
        "weights": pretrained.sha256,
        "network": settings.network.name,
        "options": own | settings.network.all_options | {"known_classes": None},
        "known": bool(settings.network.head.known_classes) or known,
        "shape": [shape.channels, shape.height, shape.width],
        "scaling": (settings.data.mean, settings.data.deviation),
        "pictures": pictures,
    }
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()[:32]


def _is_computed(settings: Settings) -> bool:
    """Whether the scaling of pixels is worked out from the training part's pictures."""
    return "computed" in (settings.data.mean, settings.data.deviation)


def _hash(prepared: Prepared) -> str:
    """Return a hash of the training part's pictures."""
    digests = prepared.store.digests[prepared.split.train]
    return hashlib.sha256(np.ascontiguousarray(digests).tobytes()).hexdigest()
