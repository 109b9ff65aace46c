"""Run ours and a plain peer in turn, as whole processes, and keep one JSON line for each comparison.

These machines are shared and noisy: a figure is a median over runs, a comparison the ratio of two
medians taken in the same call, ours and peer alternating. A comparison whose line is already in
`results/` is not run again; remove the line, or pass --again, to repeat it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from striate.flow._conditions import machine, versions

RESULTS = Path(__file__).parent / "results"
LONGEST = 3_600  # seconds one command may take


@dataclass(frozen=True)
class Measured:
    """One whole process: wall and processor seconds, peak resident memory, and its own figures."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    figures: dict[str, Any]


@dataclass(frozen=True)
class Contender:
    """A command, and how to read its own figures (accuracy, say) from its stdout and folder.

    `environment` wins over the caller's, and over the empty STRIATE_CACHE that each run gets.
    """

    name: str
    command: Sequence[str]
    read: Callable[[str, Path], dict[str, Any]] = field(default=lambda _text, _folder: {})
    environment: Mapping[str, str] = field(default_factory=dict)


# A forked process starts with its parent's peak memory, so a small process starts the command and
# measures it: about 9 MB, less than any command here takes. It ends the command, too, after LONGEST.
LAUNCH = """
import json, os, signal, sys, time
begun = time.perf_counter()
process = os.fork()
if process == 0:
    os.execvp(sys.argv[3], sys.argv[3:])
signal.signal(signal.SIGALRM, lambda *_: os.kill(process, signal.SIGTERM))
signal.alarm(int(sys.argv[2]))
_, status, usage = os.wait4(process, 0)
with open(sys.argv[1], "w") as file:
    json.dump({
        "seconds": time.perf_counter() - begun,
        "cpu": usage.ru_utime + usage.ru_stime,
        "kilobytes": usage.ru_maxrss,
    }, file)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def run(contender: Contender) -> Measured:
    """Run a command once in an empty folder; `{folder}` in its words becomes that folder.

    It is sent SIGTERM after LONGEST seconds. The folder of one that fails is left, and named: a
    training can be resumed there.
    """
    name = tempfile.mkdtemp()
    folder = Path(name)
    words = [word.replace("{folder}", name) for word in contender.command]
    usage = folder / "usage.json"
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", LAUNCH, str(usage), str(LONGEST), *words],
        cwd=name,
        env=os.environ | {"STRIATE_CACHE": str(folder / "cache")} | contender.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    spent = json.loads(usage.read_text())
    if done.returncode:
        raise SystemExit(
            f"{words} left with {done.returncode} after {spent['seconds']:.0f} s (the most is "
            f"{LONGEST:,}); its folder is left: {folder}\n{done.stderr[-2000:]}"
        )
    figures = contender.read(done.stdout, folder)
    shutil.rmtree(folder, ignore_errors=True)
    return Measured(
        seconds=spent["seconds"],
        cpu_seconds=spent["cpu"],
        megabytes=spent["kilobytes"] / 1024,
        figures=figures,
    )


def compare(
    name: str,
    contenders: Sequence[Contender],
    *,
    runs: int,
    peer: str | None = None,
    warm: int = 0,
    note: str = "",
) -> dict[str, Any]:
    """Run the contenders in turn, `runs` times each, and return the line that is kept.

    `ratio` in it is each contender's median time divided by that of `peer`.
    """
    measured: dict[str, list[Measured]] = {one.name: [] for one in contenders}
    for turn in range(warm + runs):
        for one in contenders:
            result = run(one)
            print(f"{name} {one.name}: {result.seconds:.2f} s {result.figures}", file=sys.stderr)
            if turn >= warm:
                measured[one.name].append(result)
    line: dict[str, Any] = {"name": name, "date": date.today().isoformat(), "note": note}
    line["runs"] = runs
    for one in contenders:
        line[one.name] = _summary(measured[one.name])
    if peer is not None:
        base = line[peer]["seconds"]
        line["ratio"] = {
            one.name: round(line[one.name]["seconds"] / base, 4)
            for one in contenders
            if one.name != peer
        }
    return line | {"machine": machine(), "versions": versions()}


def _summary(results: Sequence[Measured]) -> dict[str, Any]:
    seconds = [one.seconds for one in results]
    return {
        "seconds": round(median(seconds), 3),
        "fastest": round(min(seconds), 3),
        "slowest": round(max(seconds), 3),
        "cpu_seconds": round(median(one.cpu_seconds for one in results), 3),
        "megabytes": round(median(one.megabytes for one in results), 1),
        "figures": [one.figures for one in results if one.figures],
    }


def keep(file: str, line: dict[str, Any]) -> None:
    """Append a finished line to `results/<file>.jsonl`."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{file}.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line, ensure_ascii=False) + "\n")
    print(json.dumps(line, ensure_ascii=False, indent=1))


def is_kept(file: str, name: str) -> bool:
    """Return whether a line of that name is there already."""
    path = RESULTS / f"{file}.jsonl"
    if not path.exists():
        return False
    lines = path.read_text(encoding="utf-8").splitlines()
    return any(json.loads(line)["name"] == name for line in lines)


def main(file: str, entries: dict[str, Callable[[argparse.Namespace], dict[str, Any]]]) -> None:
    """Command line of a benchmark file: run the entries asked for that have no line yet."""
    parser = argparse.ArgumentParser(description=f"Benchmarks: {', '.join(entries)}")
    parser.add_argument("entries", nargs="*", default=list(entries), help="which; default: all")
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each contender")
    parser.add_argument("--data", type=Path, help="folder of the data that isn't embedded")
    parser.add_argument(
        "--peers", type=Path, help="folder of the peers' packages, if not installed"
    )
    parser.add_argument("--again", action="store_true", help="run even what has a line already")
    arguments = parser.parse_args()
    for name in arguments.entries:
        if name not in entries:
            parser.error(f"there is no entry '{name}'; there are {', '.join(entries)}")
        if is_kept(file, name) and not arguments.again:
            print(f"{name}: has a line in results/{file}.jsonl", file=sys.stderr)
            continue
        keep(file, entries[name](arguments))
