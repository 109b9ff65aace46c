"""Rows 7 and 10 on whole runs: what may not matter, what is refused, and two at one folder."""

import itertools
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import run_kit as kit

HASH_SEEDS = ("0", "1", "4711", "random")
POOLS = (1, 2, 4)


def places(folder: Path, *, each: int) -> dict[str, Any]:
    """Train every task `each` times in other surroundings; return the figures."""
    data = kit.write_data(folder / "data")
    hashes: dict[str, set[str]] = {task: set() for task in kit.TASKS}
    whole: dict[str, set[str]] = {task: set() for task in kit.TASKS}
    with ExitStack() as stack:
        servers = [
            stack.enter_context(kit.Server(folder / f"server{seed}", PYTHONHASHSEED=seed))
            for seed in HASH_SEEDS
        ]
        for number in range(each):
            server, pool = servers[number % len(servers)], POOLS[number % len(POOLS)]
            for task in kit.TASKS:
                here = folder / f"place{number}" / task
                here.mkdir(parents=True)
                below = "/dev/shm" if number % 2 else None
                with tempfile.TemporaryDirectory(dir=below) as temporary:
                    server.run(
                        [*kit.words_for(task, data[task]), "--name", "run"],
                        cwd=here,
                        environment={"TMPDIR": temporary, "STRIATE_CACHE": str(here / "cache")},
                        pool_threads=pool,
                        shuffle_listings=number,
                    )
                hashes[task].add(kit.weights_hash(here / "runs" / "run"))
                whole[task].add(kit.outcome(here / "runs" / "run"))
            print(number, hashes, file=sys.stderr)
    return {
        "runs": each * len(kit.TASKS),
        "hashes_of_weights": {task: len(found) for task, found in hashes.items()},
        "hashes_of_all_outcomes": {task: len(found) for task, found in whole.items()},
        "pool_threads": POOLS,
        "hash_seeds": HASH_SEEDS,
    }


def stopped_run(server: kit.Server, folder: Path, task: str, source: Path) -> Path:
    """Return a run that was stopped after a few steps."""
    words = [*kit.words_for(task, source), "--name", f"{task}-stopped"]
    process = server.start(words, cwd=folder)
    process.wait_for_place()
    process.kill(signal.SIGTERM)
    assert process.end() == 143, process.said()
    return folder / "runs" / f"{task}-stopped"


def threads(folder: Path, *, tries: int) -> dict[str, Any]:
    """Resume runs of 1 thread with 2: by the settings of the run, and by the option."""
    data = kit.write_data(folder / "data")
    refused = unchanged = 0
    with kit.Server(folder / "server") as server:
        stopped = {task: stopped_run(server, folder, task, data[task]) for task in kit.TASKS}
        for number, task in zip(range(tries), itertools.cycle(kit.TASKS), strict=False):
            run = kit.copied(stopped[task], folder / "runs" / "copy")
            words = ["--resume", "runs/copy", "--quiet"]
            expected = "training.threads"
            if number % 2:
                words += ["--threads", "2"]
            else:
                config = run / "config.yaml"
                text = config.read_text(encoding="utf-8")
                config.write_text(text.replace("threads: 1", "threads: 2"), encoding="utf-8")
                expected = "training.threads was 1 and is 2"
            before = kit.checkpoint_outcome(run)
            process = server.start(words, cwd=folder)
            refused += process.end() == 2 and expected in process.said()
            unchanged += kit.checkpoint_outcome(run) == before
    return {"tries": tries, "refused_and_named": refused, "checkpoint_unchanged": unchanged}


def two(folder: Path, *, starts: int) -> dict[str, Any]:
    """Resume one stopped run twice at once; return the figures."""
    data = kit.write_data(folder / "data")
    one_owner = named = same = 0
    with kit.Server(folder / "one") as one, kit.Server(folder / "other") as other:
        words = kit.words_for("classification", data["classification"])
        one.run([*words, "--name", "whole"], cwd=folder)
        expected = kit.outcome(folder / "runs" / "whole")
        stopped = stopped_run(one, folder, "classification", data["classification"])
        for number in range(starts):
            run = kit.copied(stopped, folder / "runs" / "copy")
            again = ["--resume", "runs/copy", "--quiet"]
            pair = [server.start(again, cwd=folder) for server in (one, other)]
            codes = [process.end() for process in pair]
            one_owner += sorted(codes) == [0, 7]
            owner = pair[codes.index(0)].number if 0 in codes else 0
            named += any(f"process {owner} is writing" in process.said() for process in pair)
            same += 0 in codes and kit.outcome(run) == expected
            print(number, codes, one_owner, named, same, file=sys.stderr)
    return {"starts": starts, "one_owner": one_owner, "owner_named": named, "same_outcome": same}
