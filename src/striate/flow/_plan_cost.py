"""What one candidate costs: steps and validation timed, the rest measured once or reckoned."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from striate.flow._fit import make_ready, to_device
from striate.flow._look import layer_table
from striate.flow._parts import TRAIN_SAMPLE
from striate.flow._plan_memory import memory_kept, training_memory
from striate.flow._plan_sample import Sample
from striate.flow._prepare import Prepared
from striate.flow._ship import CHECKED_PICTURES
from striate.training._export import to_onnx
from striate.training._measure import EVALUATION_BATCH, measure
from striate.training._plan import Plan
from striate.training._timing import Timing, steps_an_epoch, time_calls, time_steps

WRITING = 1.0
"""Seconds taken for writing model folder and report, which hardly depend on the candidate."""

SHARE = 0.25
"""Of the time for the steps, how long the validation is timed."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What was found out about one network at one size; times in seconds.

    Attributes:
        parameters: of the network.
        step: one full batch.
        epoch: all steps and the validation of one epoch.
        before: from the opened source to the first step.
        after: exporting, checking, measuring all parts and writing.
        memory: bytes of weights, optimizer and layers' outputs.
    """

    parameters: int
    step: Timing
    epoch: float
    before: float
    after: float
    memory: int


def find_cost(prepared: Prepared, sample: Sample, *, seconds: float) -> Cost:
    """Build the network as training does, time it for about `seconds`, and reckon the rest.

    `prepared.store` is the sample's: what is seen has the right size, and nothing is kept of what
    was learnt.
    """
    begun = perf_counter()
    plan = make_ready(prepared, module=None, loss=None)
    table = layer_table(prepared, plan.network, plan.outputs)
    ready = perf_counter() - begun
    with memory_kept(plan, table):
        step = time_steps(plan, seconds=seconds)
        looking = time_looking(plan, prepared, SHARE * seconds)
    validation = looking * len(prepared.split.validation)
    memory = training_memory(plan, table, min(plan.batches.batch_size, plan.samples))
    count = sum(len(part) for part in prepared.split.parts().values())
    return Cost(
        parameters=sum(p.numel() for p in plan.network.parameters()),
        step=step,
        epoch=step.median * steps_an_epoch(plan) + validation,
        before=ready + count * (sample.decoding + sample.comparing),
        after=seconds_after(plan, prepared, loading=sample.loading, looking=looking),
        memory=memory,
    )


def time_looking(plan: Plan, prepared: Prepared, seconds: float) -> float:
    """Return the seconds in which one picture's answer is measured in evaluation mode."""
    divided, targets = prepared.split, prepared.source.targets
    part = divided.validation if len(divided.validation) else divided.train
    some = part[: 2 * EVALUATION_BATCH]

    def once() -> None:
        measure(plan.network, plan.stage, plan.task, prepared.store, targets, some, plan.device)

    return time_calls(once, seconds=seconds, warm_up=1).median / len(some)


def seconds_after(plan: Plan, prepared: Prepared, *, loading: float, looking: float) -> float:
    """Return the seconds after the last epoch.

    `loading` and `looking` are seconds for one picture: to decode it, and to measure its answer. No
    weight is changed.

    The export is done and timed. Each answer of the model folder is taken to cost what one in
    PyTorch does; those that are held against PyTorch are decoded once more.
    """
    exporting = _seconds(lambda: rehearse_export(plan, prepared))
    divided = prepared.split
    reference = next(p for p in (divided.validation, divided.test, divided.train) if len(p))
    checked = min(CHECKED_PICTURES, len(reference))
    measured = min(TRAIN_SAMPLE, len(divided.train)) + len(divided.validation) + len(divided.test)
    answers = (2 * checked + measured) * looking * prepared.settings.network.views
    return exporting + answers + checked * loading + WRITING


def rehearse_export(plan: Plan, prepared: Prepared) -> None:
    """Do what the end of a run does first, and leave the plan as it was.

    Raises:
        NetworkError: the network can't be exported.
    """
    to_onnx(plan.stage, plan.network, plan.task, prepared.shape)
    # Exporting has moved them to the CPU.
    to_device(plan.network, plan.stage, plan.device)
    # What checks and measures the export is loaded too: it takes time and memory at the end of a run.
    import onnxruntime  # noqa: F401


def _seconds(work: Callable[[], object]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun
