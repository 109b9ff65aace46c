"""A step of training where the C library gives freed memory back, and where it is kept.

python benchmarks/freed_memory.py [--runs RUNS] [ENTRY...]     # Linux with glibc

Each run is a process of its own, on two threads, on noise; the two ways alternate.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from harness import Contender, compare, main

SCRIPT = Path(__file__).parent / "peers" / "memory_steps.py"

NETWORKS = {
    "efficientnet-lite0": ("timm:tf_efficientnet_lite0", 3, 256, 32, 8),
    "resnet18": ("resnet18", 3, 224, 32, 8),
    "airbench": ("airbench", 3, 32, 500, 8),
    "compact": ("compact", 1, 28, 128, 100),
}
"""Name → network, channels, height and width, batch, steps that count."""


def _figures(text: str, _folder: Path) -> dict[str, Any]:
    return dict(json.loads(text))


def entry(name: str) -> Callable[[argparse.Namespace], dict[str, Any]]:
    """Return the comparison for one network."""

    def both(arguments: argparse.Namespace) -> dict[str, Any]:
        words = [sys.executable, str(SCRIPT), *map(str, NETWORKS[name])]
        line = compare(
            f"freed-memory-{name}",
            [
                Contender(
                    "given back",
                    [*words, "plain"],
                    _figures,
                    {"THP_MEM_ALLOC_ENABLE": "0", "OMP_NUM_THREADS": "2"},
                ),
                Contender(
                    "kept",
                    [*words, "kept"],
                    _figures,
                    {"THP_MEM_ALLOC_ENABLE": "1", "OMP_NUM_THREADS": "2"},
                ),
            ],
            runs=arguments.runs,
            note="forward, backward and AdamW, float32, 2 threads; seconds are the whole process's",
        )
        middle = {
            way: median(one["step_ms"] for one in line[way]["figures"])
            for way in ("given back", "kept")
        }
        return line | {"step_ratio": round(middle["kept"] / middle["given back"], 3)}

    return both


if __name__ == "__main__":
    main("freed_memory", {f"freed-memory-{name}": entry(name) for name in NETWORKS})
