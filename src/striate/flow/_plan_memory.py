"""How much memory a training takes, worked out from sizes; nothing is measured but the base."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from math import prod
from pathlib import Path

from striate._launch import local_processes
from striate.data._room import IN_MEMORY
from striate.image import Shape
from striate.network import Summary
from striate.network._rows import FLOAT32
from striate.training._freed_memory import freed_memory_kept
from striate.training._measure import EVALUATION_BATCH
from striate.training._plan import Plan


def process_memory() -> int:
    """Return the bytes of memory that this process has in use now, or at its peak; 0 if unknown."""
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        return int(statistics.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def training_memory(plan: Plan, table: Summary, batch_size: int) -> int:
    """Return the bytes that weights, optimizer and layers' outputs take at the peak of a step.

    Four bytes for every number: the weights, their gradients, the best epoch's copy and the moving
    average where there is one; the optimizer's state; for each picture of a batch the network's input
    and every layer's output, and as much again for the gradients on their way back. Measuring on the
    validation part holds two neighbouring layers for more pictures at once. What libraries need to
    compute one layer isn't in it.
    """
    weights = (4 if plan.average else 3) * sum(p.numel() for p in plan.network.parameters())
    state = sum(tensor.numel() for tensor in plan.optimizer.state().values())
    picture = FLOAT32 * prod(table.input)
    outputs = [picture, *(row.bytes for row in table.rows)]
    step = 2 * sum(outputs) * batch_size
    neighbours = [one + other for one, other in pairwise(outputs)]
    return FLOAT32 * (weights + state) + max(step, EVALUATION_BATCH * max(neighbours, default=0))


def memory_kept(plan: Plan, table: Summary) -> AbstractContextManager[bool]:
    """Return what keeps memory from step to step, where there is plenty (`freed_memory_kept`)."""
    if plan.device.type != "cpu":
        return nullcontext(False)
    batch_size = min(plan.batches.batch_size, plan.samples)
    return freed_memory_kept(local_processes() * training_memory(plan, table, batch_size))


def stored_memory(count: int, shape: Shape, *, in_file: bool) -> int:
    """Return the bytes of decoded pictures that stay in memory: none of those in a file."""
    wide = shape.wide
    size = count * prod((wide.height, wide.width, wide.channels))
    return 0 if in_file or size > IN_MEMORY else size
