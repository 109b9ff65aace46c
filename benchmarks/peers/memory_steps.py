"""Time steps of a network: memory_steps.py NETWORK CHANNELS SIZE BATCH STEPS kept|plain.

`plain` is the C library as it is, which gives freed blocks back.
"""

import json
import resource
import sys
from contextlib import nullcontext
from statistics import median
from time import perf_counter

import torch
from torch.nn import functional

from striate.network import build
from striate.training._freed_memory import freed_memory_kept

name, *numbers, how = sys.argv[1:]
channels, size, batch, steps = map(int, numbers)

torch.set_num_threads(2)
torch.manual_seed(0)
network = build(name, channels=channels, height=size, width=size, outputs=10)
network.to(memory_format=torch.channels_last)
network.train()
pictures = torch.randn(batch, channels, size, size).contiguous(memory_format=torch.channels_last)
targets = torch.randint(0, 10, (batch,))
optimizer = torch.optim.AdamW(network.parameters())


def step() -> None:
    optimizer.zero_grad()
    functional.cross_entropy(network(pictures), targets).backward()
    optimizer.step()


with freed_memory_kept(0) if how == "kept" else nullcontext():
    for _ in range(3):
        step()
    before, seconds = resource.getrusage(resource.RUSAGE_SELF), []
    for _ in range(steps):
        begun = perf_counter()
        step()
        seconds.append(perf_counter() - begun)
    after = resource.getrusage(resource.RUSAGE_SELF)

print(
    json.dumps(
        {
            "step_ms": round(1e3 * median(seconds), 2),
            "system_ms": round(1e3 * (after.ru_stime - before.ru_stime) / steps, 2),
            "faults": (after.ru_minflt - before.ru_minflt) // steps,
            "peak_megabytes": round(after.ru_maxrss / 1024),
        }
    )
)
