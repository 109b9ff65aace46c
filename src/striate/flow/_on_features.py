"""A head of several layers on a frozen backbone: trained by steps, on features computed once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import numpy as np
from torch import nn

from striate.data import FeatureBatches, KeptFeatures
from striate.flow._backbone import open_backbone, without_layers
from striate.flow._facts import Fact, Told
from striate.flow._features import MIRRORED, PLAIN, Positions, features_by
from striate.flow._fit import Trained, augmentation_of
from striate.flow._prepare import Prepared
from striate.network import Classifier
from striate.training._measure import measure
from striate.training._plan import Plan
from striate.training._start import trains_on_features

MOST_BYTES = 2 << 30
"""Of features, which are held in memory; where they were more, the backbone runs in every epoch."""


def on_features(prepared: Prepared, plan: Plan, told: Told) -> Plan:
    """Return a plan that trains the head of `plan` alone, on features; or `plan` where it can't be.

    The head's layers are those of `plan.network`, which so learns with them.

    Raises:
        UsageError, CheckError: as `open_backbone`.
    """
    network = plan.network
    if not isinstance(network, Classifier) or not trains_on_features(prepared.settings):
        return plan
    head = layers_on_features(network)
    parts = prepared.split.parts()
    everything = np.concatenate(list(parts.values()))
    size = len(everything) * _first_dense(head).in_features * np.dtype(np.float32).itemsize
    augmentation = augmentation_of(prepared.settings)
    if plan.world.size > 1 or (2 if augmentation else 1) * size > MOST_BYTES:
        return plan
    features = _computed(prepared, everything, told, mirrored=augmentation is not None)
    source, device = prepared.source, plan.device
    stage, held_out = nn.Identity(), prepared.split.validation
    return replace(
        plan,
        network=head,
        stage=stage,
        batches=FeatureBatches(
            features,
            targets=source.targets,
            ids=source.ids,
            positions=prepared.split.train,
            batch_size=plan.batches.batch_size,
            seed=plan.seed,
            augmentation=augmentation,
        ),
        validate=(
            (lambda net: measure(net, stage, plan.task, features, source.targets, held_out, device))
            if len(held_out)
            else None
        ),
    )


def layers_on_features(network: Classifier) -> nn.Sequential:
    """Return a head's layers from the first that learns or drops on: the network's own."""
    layers = OrderedDict(network.head.named_children())
    names = list(layers)
    first = next(
        at for at, one in enumerate(layers.values()) if isinstance(one, nn.Linear | nn.Dropout)
    )
    return nn.Sequential(OrderedDict((name, layers[name]) for name in names[first:]))


def _first_dense(head: nn.Module) -> nn.Linear:
    return next(layer for layer in head.children() if isinstance(layer, nn.Linear))


def _computed(
    prepared: Prepared, everything: Positions, told: Told, *, mirrored: bool
) -> KeptFeatures:
    """Return features of every picture in a part, and of the training part's mirror images."""
    told.listener.progress("Preparing the backbone", 0, 1)
    backbone = open_backbone(without_layers(prepared))
    row_of = np.full(len(prepared.source), -1)
    row_of[everything] = np.arange(len(everything))

    features = features_by(backbone, prepared, told)
    rows_NF = features(everything, PLAIN)
    mirrored_NF = None
    if mirrored:
        train = prepared.split.train
        mirrored_NF = np.empty_like(rows_NF)
        mirrored_NF[row_of[train]] = features(train, MIRRORED)
    return KeptFeatures(rows_NF, mirrored_NF, row_of)


def fact(plan: Plan, steps: Plan) -> list[Fact]:
    """Return how many features there are, where it is on them that the steps of a plan train."""
    if steps is plan:
        return []
    assert isinstance(steps.batches, FeatureBatches)
    mirrored = " and of its mirror image" if steps.batches.mirrors else ""
    count = _first_dense(steps.network).in_features
    return [("features", f"{count:,} of each picture{mirrored}", "computed once")]


def whole(trained: Trained, plan: Plan) -> Trained:
    """Return what was trained as the whole network of a plan, with its scaling of pixels."""
    return replace(trained, network=plan.network.cpu(), stage=plan.stage.cpu())
