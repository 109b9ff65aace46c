"""A process that saves again and again, killed at random moments; prints one JSON object.

python random_kills.py FOLDER KILLS
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from saving_child import number_of, state
from striate.training._checkpoints import Checkpoints


def save_for_ever(folder: Path, said: int) -> None:
    """Go on from the newest state; say each number once it is safe."""
    checkpoints = Checkpoints(folder, tell=sys.exit)
    number = number_of(checkpoints.newest())
    while True:
        number += 1
        checkpoints.save(state(number))
        os.write(said, f"{number} ".encode())


def killed(folder: Path, seconds: float) -> int:
    """Let a forked process save for so long, kill it, and return the last number it said, or 0."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        save_for_ever(folder, write)
    os.close(write)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(read) as said:
        return max(map(int, said.read().split()), default=0)


def main(folder: Path, kills: int) -> None:
    draw = random.Random(0)
    right = hidden = newest = 0
    told: list[str] = []
    for _ in range(kills):
        safe = max(newest, killed(folder, draw.uniform(0, 0.3)))
        newest = number_of(Checkpoints(folder, tell=told.append).newest())
        right += newest in (safe, safe + 1)
        if folder.is_dir():
            hidden = max(hidden, sum(one.name.startswith(".") for one in folder.iterdir()))
    figures = {
        "kills": kills,
        "nothing_lost": right,
        "saves": newest,
        "damaged_generations": len(told),
        "most_hidden_files": hidden,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
