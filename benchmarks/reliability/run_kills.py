"""Rows 1 and 2 on whole runs: SIGKILL at random moments, and what a kill and a save cost."""

import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import run_kit as kit

KILLS_OF_A_RUN = 20


@dataclass
class Chain:
    """One run, killed again and again.

    Attributes:
        epochs: epoch of each kill, 0 for one before the first step of its process.
        lost: seconds of work that each kill has cost.
        manual: what somebody had to do by hand, which nobody should.
    """

    folder: Path
    words: Sequence[str]
    name: str
    epochs: list[int] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)
    manual: list[str] = field(default_factory=list)

    @property
    def run(self) -> Path:
        """The run folder."""
        return self.folder / "runs" / self.name

    def next_words(self) -> list[str]:
        """Return the command that goes on."""
        if not (self.run / "config.yaml").exists():
            if self.run.exists():
                self.manual.append("a run folder without config.yaml, removed")
                shutil.rmtree(self.run)
            return [*self.words, "--name", self.name]
        return ["--resume", f"runs/{self.name}", "--quiet"]


def kill_again(
    chain: Chain, starter: Any, draw: random.Random, *, steps: int, kills: int, changes: Any
) -> kit.Process:
    """Kill one run `kills` times, then let it end; its last process is returned.

    A kill in eight comes before the first step, the rest evenly over what is left; in a quarter of
    the runs the last kills come after the last step, while the model is written.
    """
    pace = 0.02
    late = draw.random() < 0.25
    for left in range(kills, 0, -1):
        process = starter.start(chain.next_words(), cwd=chain.folder, **changes())
        if draw.random() < 0.125:
            time.sleep(draw.uniform(0, 0.5))
        else:
            process.wait_for_place()
            done = process.place()[0]
            share = (steps - done) / (left + 1) * (3 if late and left < 4 else 1)
            time.sleep(pace * draw.uniform(0, 2 * share) + (0.3 if late and left == 1 else 0))
        before = kit.saved_step(chain.run)[0] if chain.run.exists() else 0
        killed_at = time.monotonic()
        process.kill(signal.SIGKILL)
        code = process.end()
        if code == 0:
            return process
        if code != -signal.SIGKILL:
            chain.manual.append(f"left with {code}: {process.said()[-300:]}")
        places = process.places()
        if len(places) > 5:
            pace = (places[-1][2] - places[0][2]) / (len(places) - 1)
        saved, _ = kit.saved_step(chain.run) if chain.run.exists() else (0, 1)
        assert saved >= before, (saved, before)
        safe = [when for step, _, when in places if step <= saved]
        chain.epochs.append(places[-1][1] if places else 0)
        if places:
            chain.lost.append(killed_at - (safe[-1] if safe else process.begun))
    process = starter.start(chain.next_words(), cwd=chain.folder, **changes())
    code = process.end()
    if code:
        chain.manual.append(f"left with {code}: {process.said()[-300:]}")
    return process


def references(
    server: kit.Server, folder: Path, data: dict[str, Path]
) -> dict[str, tuple[str, str, int]]:
    """Return per task what an undisturbed run comes to, its checkpoint, and its steps.

    A run that never saves and one that saves after every step must agree.
    """
    found = {}
    for task in kit.TASKS:
        words = kit.words_for(task, data[task], training__checkpoint_seconds=0)
        never = kit.words_for(task, data[task], training__checkpoint_seconds=1e9)
        process = server.run([*words, "--name", f"{task}-saving"], cwd=folder, save_always=1)
        server.run([*never, "--name", f"{task}-never"], cwd=folder)
        saving, quiet = (folder / "runs" / f"{task}-{one}" for one in ("saving", "never"))
        assert not (quiet / "checkpoints").exists()
        assert kit.weights_hash(saving) == kit.weights_hash(quiet)
        found[task] = (kit.outcome(saving), kit.checkpoint_outcome(saving), process.place()[0])
    return found


def chains(folder: Path, *, kills: int, cold: int, seed: int) -> dict[str, Any]:
    """Kill forked runs `kills` times in all, and cold ones `cold` times; return the figures."""
    draw = random.Random(seed)
    data = kit.write_data(folder / "data")
    done: list[Chain] = []
    same = same_checkpoint = 0
    hashes: dict[str, set[str]] = {task: set() for task in kit.TASKS}
    with kit.Server(folder / "server") as server:
        expected = references(server, folder, data)

        def one(task: str, starter: Any, count: int, name: str, changes: Any) -> None:
            nonlocal same, same_checkpoint
            words = kit.words_for(task, data[task], training__checkpoint_seconds=0)
            chain = Chain(folder, words, name)
            kill_again(chain, starter, draw, steps=expected[task][2], kills=count, changes=changes)
            done.append(chain)
            if not (chain.run / "report.html").exists():
                print(name, "has no end", chain.manual, file=sys.stderr)
                return
            hashes[task].add(kit.weights_hash(chain.run))
            same += kit.outcome(chain.run) == expected[task][0]
            same_checkpoint += kit.checkpoint_outcome(chain.run) == expected[task][1]
            print(name, len(chain.epochs), same, len(done), chain.manual, file=sys.stderr)

        def forked(chain_number: int) -> dict[str, Any]:
            always = {"save_always": 1} if chain_number % 2 else {}
            return {"pool_threads": draw.choice((1, 2)), **always}

        number = 0
        while (left := kills - sum(len(chain.epochs) for chain in done)) > 0:
            task = kit.TASKS[0] if number % 2 == 0 else kit.TASKS[1 + number // 2 % 2]
            count = min(left, KILLS_OF_A_RUN)
            one(task, server, count, f"run{number}", lambda n=number: forked(n))
            number += 1
        warm = list(done)
        starter = kit.Cold(server)
        number = 0
        while (left := cold - sum(len(chain.epochs) for chain in done[len(warm) :])) > 0:
            task = kit.TASKS[number % 3]
            name = f"cold{number}"
            run = folder / "runs" / name
            one(task, starter, min(left, 7), name, lambda run=run: {"run": run})
            number += 1
    tables = [Counter(epoch for epoch in chain.epochs if epoch) for chain in done]
    lost = sorted(second for chain in warm for second in chain.lost)
    return {
        "runs": len(warm),
        "kills": sum(len(chain.epochs) for chain in warm),
        "kills_before_a_step": sum(chain.epochs.count(0) for chain in warm),
        "most_kills_in_an_epoch": [max(table.values(), default=0) for table in tables[: len(warm)]],
        "cold_runs": len(done) - len(warm),
        "cold_kills": sum(len(chain.epochs) for chain in done[len(warm) :]),
        "hashes_of_final_weights": {task: len(found) for task, found in hashes.items()},
        "same_as_never_killed": same,
        "same_last_checkpoint": same_checkpoint,
        "unreadable_checkpoints": 0,  # the first would have ended the benchmark
        "manual_steps": [step for chain in done for step in chain.manual],
        "most_seconds_lost": round(lost[-1], 2) if lost else None,
    }
