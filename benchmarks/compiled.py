"""What `torch.compile` costs and brings: a step of striate's networks as it is, and compiled.

python benchmarks/compiled.py [--runs STEPS]

Processor time of one thread, so that other work on the machine counts little; steps as they are and
compiled ones in turn. Compiling is done in this process and begins with an empty cache; the C++
compiler's time is part of it.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from statistics import median
from time import process_time
from typing import Any

os.environ["TORCHINDUCTOR_CACHE_DIR"] = tempfile.mkdtemp()
os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"

import torch
from torch.nn import functional

from harness import machine, main, versions
from striate.network import build
from striate.training._small_maps import SmallMaps


def _step(
    network: Any, shape: tuple[int, ...], *, bfloat16: bool, ours: bool
) -> Callable[[], None]:
    """Return a step, forward and backward, on noise; the optimizer is left out.

    `ours`: with what striate's steps do on small maps, which a compiler can't see through.
    """
    pictures = torch.randn(shape).contiguous(memory_format=torch.channels_last)
    targets = torch.randint(0, 10, shape[:1])

    def step() -> None:
        small = SmallMaps() if ours and bfloat16 else nullcontext()
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16), small:
            logits = network(pictures)
        functional.cross_entropy(logits.float(), targets).backward()
        network.zero_grad()

    return step


def _spent() -> float:
    """Return the processor seconds of this process and of those that it has waited for."""
    children = os.times()
    return process_time() + children.children_user + children.children_system


def compiled(
    name: str, batch: int, size: tuple[int, int, int], *, bfloat16: bool
) -> Callable[[argparse.Namespace], dict[str, Any]]:
    """Return the entry of one network and precision; `--runs` times ten steps of each are counted."""

    def entry(arguments: argparse.Namespace) -> dict[str, Any]:
        torch.set_num_threads(1)
        torch.manual_seed(0)
        channels, height, width = size
        network = build(name, channels=channels, height=height, width=width, outputs=10)
        network.to(memory_format=torch.channels_last)
        shape = (batch, *size)
        plain = _step(network, shape, bfloat16=bfloat16, ours=True)
        quick = _step(torch.compile(network), shape, bfloat16=bfloat16, ours=False)
        seconds: dict[str, list[float]] = {"as it is": [], "compiled": []}
        plain()
        begun = _spent()
        quick()
        compiling = _spent() - begun
        for turn in range(10 * arguments.runs + 3):
            for what, step in (("as it is", plain), ("compiled", quick)):
                begun = process_time()
                step()
                if turn >= 3:
                    seconds[what].append(process_time() - begun)
        middle = {what: median(each) for what, each in seconds.items()}
        figures = {
            f"{what}, ms": {
                "median": round(1e3 * median(each), 2),
                "least": round(1e3 * min(each), 2),
            }
            for what, each in seconds.items()
        }
        return {
            "name": _name(name, bfloat16=bfloat16),
            "date": date.today().isoformat(),
            "note": f"batches of {batch}; forward and backward, processor time, 1 thread",
            "steps": 10 * arguments.runs,
            **figures,
            "ratio": round(middle["compiled"] / middle["as it is"], 3),
            "compiling, s": round(compiling, 1),
            "machine": machine(),
            "versions": versions(),
        }

    return entry


def _name(network: str, *, bfloat16: bool) -> str:
    return f"compiled-{network}-{'bfloat16' if bfloat16 else 'float32'}"


if __name__ == "__main__":
    main(
        "compiled",
        {
            _name(name, bfloat16=bfloat16): compiled(name, batch, size, bfloat16=bfloat16)
            for name, batch, size in (("compact", 128, (1, 28, 28)), ("airbench", 500, (3, 32, 32)))
            for bfloat16 in (False, True)
        },
    )
