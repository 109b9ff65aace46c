"""Row 5 on whole runs: SIGINT, SIGTERM and SIGHUP at random steps, and Ctrl-C twice."""

import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import run_kit as kit

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
IN_A_ROW = 5


def send(process: kit.Process, number: int, *, twice: float | None = None) -> tuple[float, int]:
    """Send a signal, or the second so many seconds after it; return seconds to the exit, its code."""
    process.kill(number)
    if twice is not None:
        time.sleep(twice)
        process.kill(number)
    begun = time.monotonic()
    code = process.end()
    return time.monotonic() - begun, code


def signals(folder: Path, *, each: int, double: int, seed: int) -> dict[str, Any]:
    """Send every signal `each` times and Ctrl-C twice `double` times; return the figures."""
    draw = random.Random(seed)
    data = kit.write_data(folder / "data")
    kinds = [*SIGNALS * each, *[None] * double]
    draw.shuffle(kinds)
    seconds: dict[str, list[float]] = {}
    wrong: list[str] = []
    other: list[list[str]] = []
    orphans = runs = same = 0
    with kit.Server(folder / "server") as server:
        expected = {}
        for task in kit.TASKS:
            words = kit.words_for(task, data[task])
            server.run([*words, "--name", f"{task}-whole"], cwd=folder)
            expected[task] = kit.outcome(folder / "runs" / f"{task}-whole")
        while kinds:
            task, name = kit.TASKS[runs % 3], f"run{runs}"
            words = [*kit.words_for(task, data[task]), "--name", name]
            for _ in range(IN_A_ROW):
                if not kinds:
                    break
                process = server.start(words, cwd=folder)
                process.wait_for_place()
                time.sleep(draw.uniform(0, 0.6))
                if not process.alive():
                    process.end()
                    break
                kind = kinds.pop()
                twice = draw.uniform(0.01, 0.3) if kind is None else None
                took, code = send(process, kind or signal.SIGINT, twice=twice)
                said = process.said()
                seconds.setdefault(kind.name if kind else "twice", []).append(took)
                number = int(kind or signal.SIGINT)
                # What comes when all is written and said ends Python's last moments as any program's.
                fine = (
                    0,
                    128 + number,
                    *((-number,) if "model " in said or "--resume" in said else ()),
                )
                if code not in fine or "Traceback" in said:
                    wrong.append(f"{kind} {code}: {said[-300:]}")
                orphans += process.orphans()
                words = ["--resume", f"runs/{name}", "--quiet"]
                if code == 0:
                    break
            else:
                server.start(words, cwd=folder).end()
            if not (folder / "runs" / name / "report.html").exists() or kinds == []:
                server.start(words, cwd=folder).end()
            if kit.outcome(folder / "runs" / name) == expected[task]:
                same += 1
            else:
                states = [kit.state_of(folder / "runs" / one) for one in (name, f"{task}-whole")]
                other.append(
                    sorted(key for key in states[1] if states[0].get(key) != states[1][key])
                )
                print(said, file=sys.stderr)
            runs += 1
            print(name, same, runs, len(kinds), wrong, other, file=sys.stderr)
    return {
        "signals": {name: len(found) for name, found in seconds.items()},
        "slowest_exit_seconds": {name: round(max(found), 2) for name, found in seconds.items()},
        "median_exit_seconds": {
            name: round(sorted(found)[len(found) // 2], 2) for name, found in seconds.items()
        },
        "runs": runs,
        "same_as_never_stopped": same,
        "what_differed": other,
        "wrong_exits": wrong,
        "orphans": orphans,
    }


LAYERS = " | ".join(["conv 64 3 pad 1 | relu"] * 8 + ["max 2 | flatten"])
LONG = (
    "--network", LAYERS, "--image-size", "160", "--batch-size", "20", "--epochs", "1",
    "--set", "training.precision=float32", "--threads", "1",
    "--set", "training.samples=none", "--set", "data.margin=0", "--quiet",
)  # fmt: skip


def long_steps(folder: Path, *, runs: int, seed: int) -> dict[str, Any]:
    """Send signals to runs whose step takes over 5 seconds; return the figures."""
    draw = random.Random(seed)
    data = kit.write_data(folder / "data")["classification"]
    took, steps, wrong = [], [], []
    same = 0
    with kit.Server(folder / "server") as server:
        server.run([str(data), *LONG, "--name", "whole"], cwd=folder)
        expected = kit.outcome(folder / "runs" / "whole")
        for number in range(runs):
            kind, name = SIGNALS[number % 3], f"run{number}"
            process = server.start([str(data), *LONG, "--name", name], cwd=folder)
            while len(process.places()) < 2:
                time.sleep(0.01)
            (_, _, first), (_, _, second) = process.places()[:2]
            steps.append(second - first)
            time.sleep(draw.uniform(0.05, 0.3) * steps[-1])
            seconds, code = send(process, kind)
            took.append(seconds)
            if code != 128 + kind or "in the middle of a step" not in process.said():
                wrong.append(f"{kind} {code}: {process.said()[-300:]}")
            server.run(["--resume", f"runs/{name}", "--quiet"], cwd=folder)
            same += kit.outcome(folder / "runs" / name) == expected
            print(name, steps[-1], seconds, same, wrong, file=sys.stderr)
    return {
        "runs": runs,
        "step_seconds": [round(one, 1) for one in steps],
        "exit_seconds": [round(one, 2) for one in took],
        "same_as_never_stopped": same,
        "wrong_exits": wrong,
    }
