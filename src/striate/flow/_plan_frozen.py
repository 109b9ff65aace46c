"""What a head on a frozen backbone costs: looks timed, the rest measured once or reckoned."""

from itertools import pairwise
from time import perf_counter

from striate.flow._backbone import open_backbone, without_layers
from striate.flow._frozen import CHECKED_PICTURES
from striate.flow._plan_cost import WRITING, Cost
from striate.flow._plan_sample import Sample
from striate.flow._prepare import Prepared, outputs_of
from striate.model import BATCH
from striate.training._start import dense_layers, trains_on_features
from striate.training._timing import time_calls

FLOAT = 4
"""Bytes of a feature."""

FITTING = 2.0
"""Seconds taken for fitting the head of a small source, penalties and all."""

FLOPS_A_SECOND = 2e10
"""Taken for the steps of a head of several layers: few cores do less."""

FLOPS_A_WEIGHT = 6
"""Of a step, for each picture: two of the forward pass, four of the backward pass."""


def find_frozen_cost(prepared: Prepared, sample: Sample, *, seconds: float) -> Cost:
    """Make the backbone as training does, time it for about `seconds`, and reckon the rest.

    An epoch is one look at every picture: there is no second one.
    """
    begun = perf_counter()
    layered = trains_on_features(prepared.settings)
    backbone = open_backbone(without_layers(prepared) if layered else prepared)
    runner = backbone.run(prepared.settings.training.threads)
    ready = perf_counter() - begun
    some = prepared.store.take(prepared.split.train[:BATCH])
    step = time_calls(lambda: runner.run(some), seconds=seconds, warm_up=1)
    count = sum(len(part) for part in prepared.split.parts().values())
    look = step.median / BATCH
    checking = CHECKED_PICTURES * (look + sample.loading)
    head, fitting = _head_parameters(prepared, backbone.features), FITTING
    if layered:
        seen = len(prepared.split.train) * (prepared.settings.training.epochs or 1)
        # What is shipped is measured, which takes another look at each picture.
        fitting = FLOPS_A_WEIGHT * head * seen / FLOPS_A_SECOND + count * look
    return Cost(
        parameters=backbone.parameters + head,
        step=step,
        epoch=look * count,
        before=ready + count * (sample.decoding + sample.comparing),
        after=fitting + checking + WRITING,
        # The tensors, their copy on ONNX Runtime, and what is computed of every picture.
        memory=2 * len(backbone.onnx) + FLOAT * count * backbone.features,
    )


def _head_parameters(prepared: Prepared, features: int) -> int:
    """Return the parameters of the head's dense layers."""
    settings = prepared.settings
    outputs = outputs_of(settings, prepared.source.answer)
    sizes = [features, *dense_layers(settings), outputs]
    return sum((before + 1) * after for before, after in pairwise(sizes))
