"""Run ours and a plain peer in turn, as whole processes, and keep one JSON line for each comparison.

These machines are shared and noisy: a figure is a median over runs, a comparison the ratio of two
medians taken in the same call, ours and peer alternating. A comparison whose line is already in
`results/` is not run again; remove the line, or pass --again, to repeat it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter
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
    """A command, and how to read its own figures (accuracy, say) from its stdout and folder."""

    name: str
    command: Sequence[str]
    read: Callable[[str, Path], dict[str, Any]] = field(default=lambda _text, _folder: {})


def run(contender: Contender) -> Measured:
    """Run a command once in an empty folder; `{folder}` in its words becomes that folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = [word.replace("{folder}", name) for word in contender.command]
        environment = os.environ | {"STRIATE_CACHE": str(folder / "cache")}
        begun = perf_counter()
        with (folder / "out").open("w+b") as out, (folder / "err").open("w+b") as err:
            process = subprocess.Popen(words, stdout=out, stderr=err, cwd=name, env=environment)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = perf_counter() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            text, errors = out.read().decode(), err.read().decode()
        if process.returncode:
            raise SystemExit(f"{' '.join(words)} left with {process.returncode}:\n{errors[-2000:]}")
        return Measured(
            seconds=seconds,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            megabytes=usage.ru_maxrss / 1024,
            figures=contender.read(text, folder),
        )


def compare(
    name: str, contenders: Sequence[Contender], *, runs: int, warm: int = 0, note: str = ""
) -> dict[str, Any]:
    """Run the contenders in turn, `runs` times each, and return the line that is kept."""
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
    if len(contenders) == 2:
        ours, peer = (line[one.name]["seconds"] for one in contenders)
        line["ratio"] = round(ours / peer, 4)
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
    parser.add_argument("--again", action="store_true", help="run even what has a line already")
    arguments = parser.parse_args()
    for name in arguments.entries:
        if name not in entries:
            parser.error(f"there is no entry '{name}'; there are {', '.join(entries)}")
        if is_kept(file, name) and not arguments.again:
            print(f"{name}: has a line in results/{file}.jsonl", file=sys.stderr)
            continue
        keep(file, entries[name](arguments))
