"""Whole runs of `striate train` under kills, signals, full disks, bad numbers and odd places.

python benchmarks/reliability/runs.py [ENTRY…] [--share 0.05 [--keep]]

Runs are forks of a process that has imported PyTorch (run_server.py) and nothing else; `runs-kills`
kills the cold command too. `--share` does that share of the counts, and `--keep` keeps its line as
ENTRY@SHARE: the full counts are still to be done. "0 of n went wrong" means a rate below 3/n with
95 % confidence.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "tests")]

import run_cost  # noqa: E402
import run_disk  # noqa: E402
import run_kills  # noqa: E402
import run_kit  # noqa: E402
import run_numbers  # noqa: E402
import run_same  # noqa: E402
import run_signals  # noqa: E402

from harness import is_kept, keep, machine, versions  # noqa: E402

SEED = 0
FILE = "reliability"


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name).resolve()


ENTRIES: dict[str, tuple[Callable[..., dict[str, Any]], dict[str, int], str]] = {
    "runs-kills": (
        run_kills.chains,
        {"kills": 200, "cold": 20},
        "SIGKILL at random moments; every second run saves after every step, 1 or 2 pool threads",
    ),
    "runs-signals": (
        run_signals.signals,
        {"each": 20, "double": 20},
        "random moments of training; SIGINT also exports; seconds from the (second) signal on",
    ),
    "runs-long-steps": (
        run_signals.long_steps,
        {"runs": 5},
        "eight convolutions of 64 channels at 160x160, batches of 20, float32; a signal within a step",
    ),
    "runs-not-finite": (
        run_numbers.injections,
        {"count": 200, "clean": 20},
        "one pixel, loss, number of a gradient or weight; saves after every step",
    ),
    "runs-places": (
        run_same.places,
        {"each": 20},
        "other PYTHONHASHSEED, pool threads, order of listings, folder, TMPDIR, cache",
    ),
    "runs-threads": (run_same.threads, {"tries": 20}, "runs of 1 thread resumed with 2"),
    "runs-two": (run_same.two, {"starts": 50}, "two `--resume` of one stopped run at once"),
    "runs-full-disk": (
        run_disk.levels,
        {"count": 50},
        "ext4 of 64 MiB with 0 to 640 KiB left; saves after every step",
    ),
    "runs-lost": (
        run_cost.lost,
        {"kills": 12},
        "default checkpoint_seconds; killed after 5 to 70 s",
    ),
    "runs-cost": (
        run_cost.saving,
        {"runs": 5, "epochs": 80},
        "checkpoint_seconds 1e9, 30 and 0 in turn; a network of 16x16 pictures",
    ),
    "finite-cost": (
        run_cost.looking,
        {"steps": 300},
        "compact, 28x28, batches of 64, 1 thread; processor time of norms of gradients and weights",
    ),
}
SEEDED = ("runs-kills", "runs-signals", "runs-long-steps", "runs-not-finite", "runs-lost")


def line(name: str, share: float) -> dict[str, Any]:
    """Do one entry and return its line."""
    function, counts, note = ENTRIES[name]
    wanted = {key: max(1, round(count * share)) for key, count in counts.items()}
    if name in SEEDED:
        wanted["seed"] = SEED
    load = os.getloadavg()[0]
    with folder() as path:
        figures = function(path, **wanted)
    conditions = {
        "commit": run_kit.commit(),
        "load": [round(load, 1), round(os.getloadavg()[0], 1)],
    }
    head = {"name": name, "date": date.today().isoformat(), "note": note}
    return head | figures | conditions | {"machine": machine(), "versions": versions()}


def main() -> None:
    """Run the entries asked for that have no line yet."""
    parser = argparse.ArgumentParser(description=f"Entries: {', '.join(ENTRIES)}")
    parser.add_argument("entries", nargs="*", default=list(ENTRIES), help="which; default: all")
    parser.add_argument("--share", type=float, default=1.0, help="of the counts")
    parser.add_argument("--keep", action="store_true", help="the line of a share of the counts too")
    parser.add_argument("--again", action="store_true", help="run even what has a line already")
    arguments = parser.parse_args()
    # Ended from outside too, the loop device and the folders go.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in arguments.entries:
        if name not in ENTRIES:
            parser.error(f"there is no entry '{name}'; there are {', '.join(ENTRIES)}")
        share = arguments.share
        kept_as = name if share == 1 else f"{name}@{share:g}"
        if is_kept(FILE, kept_as) and not arguments.again:
            print(f"{kept_as}: has a line in results/{FILE}.jsonl", file=sys.stderr)
        elif share == 1 or arguments.keep:
            keep(FILE, {**line(name, share), "name": kept_as})
        else:
            print(line(name, share))


if __name__ == "__main__":
    main()
