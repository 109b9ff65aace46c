"""Rows 2 and 9: what saving, a kill, and looking for numbers that aren't finite cost."""

import random
import signal
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import run_kit as kit

SECONDS = {"never": 1e9, "by default": 30, "as often as allowed": 0}


def long_words(data: dict[str, Path], *, epochs: int, seconds: float) -> list[str]:
    """Return the command of a run of so many epochs of 40 steps."""
    more = {"training__checkpoint_seconds": seconds, "training__patience": 10_000}
    return kit.words_for("classification", data["classification"], epochs=epochs, **more)


def saving(folder: Path, *, runs: int, epochs: int) -> dict[str, Any]:
    """Time runs with and without checkpoints in turn; seconds from the first step to the last."""
    data = kit.write_data(folder / "data")
    seconds: dict[str, list[float]] = {name: [] for name in SECONDS}
    saves: dict[str, list[float]] = {name: [] for name in SECONDS}
    with kit.Server(folder / "server") as server:
        for turn in range(runs):
            for name, often in SECONDS.items():
                log = folder / f"{name}{turn}.saves"
                words = long_words(data, epochs=epochs, seconds=often)
                process = server.run(
                    [*words, "--name", log.stem.replace(" ", "-")], cwd=folder, time_saves=str(log)
                )
                places = process.places()
                seconds[name].append(places[-1][2] - places[0][2])
                told = log.read_text(encoding="utf-8").split() if log.exists() else []
                saves[name].append(sum(map(float, told)))
                print(turn, name, seconds[name][-1], saves[name][-1], len(told), file=sys.stderr)
    base = median(seconds["never"])
    return {
        "runs_of_each": runs,
        "median_seconds": {name: round(median(one), 2) for name, one in seconds.items()},
        "ratio_to_never": {name: round(median(one) / base, 4) for name, one in seconds.items()},
        "share_of_time_in_saves": {
            name: round(median(s / w for s, w in zip(saves[name], one, strict=True)), 4)
            for name, one in seconds.items()
        },
    }


def lost(folder: Path, *, kills: int, seed: int) -> dict[str, Any]:
    """Kill a run with the default `checkpoint_seconds` at random; seconds of work lost each time."""
    draw = random.Random(seed)
    data = kit.write_data(folder / "data")
    seconds = []
    words = [*long_words(data, epochs=100_000, seconds=30), "--name", "run"]
    with kit.Server(folder / "server") as server:
        for _ in range(kills):
            process = server.start(words, cwd=folder)
            process.wait_for_place()
            time.sleep(draw.uniform(5, 70))
            killed = time.monotonic()
            process.kill(signal.SIGKILL)
            process.end()
            saved = kit.saved_step(folder / "runs" / "run")[0]
            begun = process.places()[0][2]
            safe = [when for step, _, when in process.places() if step <= saved]
            seconds.append(killed - (safe[-1] if safe else begun))
            words = ["--resume", "runs/run", "--quiet"]
            print(seconds[-1], file=sys.stderr)
    return {"kills": kills, "most_seconds_lost": round(max(seconds), 2)}


def looking(_folder: Path, *, steps: int) -> dict[str, Any]:
    """Time steps of the default network, every second without looking for bad numbers."""
    import torch

    from striate.network import build
    from striate.training._finite import Finite
    from striate.training._gradients import gradient_norm
    from striate.training._optimizers import Group, make_optimizer

    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = build("compact", channels=1, height=28, width=28, outputs=10, options={})
    parameters = list(network.parameters())
    optimizer = make_optimizer("adamw", [Group(parameters)])
    finite = Finite(network)
    pictures, targets = torch.randn(64, 1, 28, 28), torch.arange(64) % 10
    whole: list[float] = []
    looks: list[float] = []
    for _ in range(steps):
        begun = time.thread_time()
        loss = torch.nn.functional.cross_entropy(network(pictures), targets)
        loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step(1e-3)
        whole.append(time.thread_time() - begun)
        begun = time.thread_time()
        gradient_norm(parameters)
        finite.first_wrong()
        looks.append(time.thread_time() - begun)
    return {
        "steps": steps,
        "step_milliseconds": round(1000 * median(whole), 3),
        "looking_milliseconds": round(1000 * median(looks), 4),
        "share": round(median(looks) / median(whole), 4),
    }
