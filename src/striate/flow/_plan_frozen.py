"""What a head on a frozen backbone costs: looks timed, the rest measured once or reckoned."""

from time import perf_counter

from striate.flow._backbone import open_backbone
from striate.flow._frozen import CHECKED_PICTURES
from striate.flow._plan_cost import WRITING, Cost
from striate.flow._plan_sample import Sample
from striate.flow._prepare import Prepared
from striate.model import BATCH
from striate.training._timing import time_calls

FLOAT = 4
"""Bytes of a feature."""

FITTING = 2.0
"""Seconds taken for fitting the head of a small source, penalties and all."""


def find_frozen_cost(prepared: Prepared, sample: Sample, *, seconds: float) -> Cost:
    """Make the backbone as training does, time it for about `seconds`, and reckon the rest.

    An epoch is one look at every picture: there is no second one.
    """
    begun = perf_counter()
    backbone = open_backbone(prepared)
    runner = backbone.run(prepared.settings.training.threads)
    ready = perf_counter() - begun
    some = prepared.store.take(prepared.split.train[:BATCH])
    step = time_calls(lambda: runner.run(some), seconds=seconds, warm_up=1)
    count = sum(len(part) for part in prepared.split.parts().values())
    look = step.median / BATCH
    checking = CHECKED_PICTURES * (look + sample.loading)
    return Cost(
        parameters=backbone.parameters,
        step=step,
        epoch=look * count,
        before=ready + count * (sample.decoding + sample.comparing),
        after=FITTING + checking + WRITING,
        # The tensors, their copy on ONNX Runtime, and what is computed of every picture.
        memory=2 * len(backbone.onnx) + FLOAT * count * backbone.features,
    )
