"""Memory that steps free: kept meanwhile, given back afterwards, and not where it is short."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from striate.training._freed_memory import ROOM, free_memory, freed_memory_kept

BYTES = 96 << 20

SCRIPT = f"""
import json, resource
import torch
from striate.training._freed_memory import freed_memory_kept

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones({BYTES}, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

def look():
    faults()
    return faults()

before = look()
with freed_memory_kept(0) as kept:
    meanwhile, held = look(), resident()
print(json.dumps([kept, before, meanwhile, look(), held - resident()]))
"""

glibc = pytest.mark.skipif(
    "CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", {})
    or not Path("/proc/self").exists(),
    reason="it is done with glibc on Linux only",
)


@glibc
def test_blocks_are_used_again_and_given_back_at_the_end() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env=os.environ | {"THP_MEM_ALLOC_ENABLE": "0"},
    )
    kept, before, meanwhile, after, given_back = json.loads(done.stdout)
    assert kept
    # Where all pages are large ones there is little to spare, and less to see.
    assert meanwhile < before / 10 or before < 1_000
    assert after >= before / 2
    assert given_back > 0.9 * BYTES


def test_nothing_is_kept_where_memory_is_short() -> None:
    with freed_memory_kept(free_memory() // ROOM + (64 << 20)) as kept:
        assert not kept


def _system(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


MACHINE = {"proc/meminfo": "MemTotal:  9000 kB\nMemAvailable:    8000 kB\n"}


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({}, 8000 * 1024),
        ({"sys/fs/cgroup/memory.max": "max\n"}, 8000 * 1024),
        (
            {"sys/fs/cgroup/memory.max": "5000\n", "sys/fs/cgroup/memory.current": "2000\n"},
            3000,
        ),
        (
            {
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "5000\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "6000\n",
            },
            0,
        ),
    ],
)
def test_free_memory_is_the_containers_where_it_has_less(
    tmp_path: Path, container: dict[str, str], expected: int
) -> None:
    assert free_memory(_system(tmp_path, {**MACHINE, **container})) == expected


def test_free_memory_is_0_where_it_is_not_known(tmp_path: Path) -> None:
    assert free_memory(tmp_path) == 0
    assert free_memory(_system(tmp_path, {"proc/meminfo": "MemTotal: 9 kB\n"})) == 0
