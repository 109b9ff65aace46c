"""How fast gloo adds up gradients between two processes of one machine; run by torchrun."""

import json
from datetime import timedelta
from statistics import median
from time import perf_counter

import torch
import torch.distributed as dist

SIZES = (8, 100 << 20)  # bytes: a number, and what a ResNet-50 has as float32
REPEATS = {8: 300, 100 << 20: 8}


def seconds(size: int) -> list[float]:
    """Return how long each all-reduce of so many bytes took."""
    values = torch.ones(size // 4)
    taken = []
    for _ in range(REPEATS[size]):
        dist.barrier()
        begun = perf_counter()
        dist.all_reduce(values)
        taken.append(perf_counter() - begun)
        values.fill_(1.0)
    return taken


dist.init_process_group("gloo", timeout=timedelta(minutes=5))
found = {str(size): seconds(size) for size in SIZES}
if dist.get_rank() == 0:
    print(
        json.dumps(
            {size: {"median": median(all_), "least": min(all_)} for size, all_ in found.items()}
        )
    )
dist.destroy_process_group()
