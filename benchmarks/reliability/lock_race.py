"""Many processes for one run folder; prints one JSON object. Used by checkpoints.py.

python lock_race.py FOLDER STARTS KILLS
"""

import json
import os
import random
import signal
import sys
from pathlib import Path

from striate.errors import RunFolderError
from striate.training._lock import RunLock


class Contender:
    """A forked process that tries to take the lock when told, says how it went, and waits."""

    def __init__(self, folder: Path) -> None:
        begin_read, self.begin = os.pipe()
        self.said, said_write = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            os.close(self.begin)
            os.read(begin_read, 1)
            try:
                with RunLock(folder):
                    os.write(said_write, b"held")
                    os.read(begin_read, 1)
            except RunFolderError as error:
                os.write(said_write, str(error).encode())
            os._exit(0)
        os.close(begin_read)
        os.close(said_write)

    def answer(self) -> str:
        return os.read(self.said, 4096).decode()

    def go(self) -> None:
        os.write(self.begin, b"x")

    def kill(self) -> None:
        os.kill(self.process, signal.SIGKILL)

    def end(self) -> None:
        os.close(self.begin)
        os.waitpid(self.process, 0)
        os.close(self.said)


def race(folder: Path, count: int) -> tuple[bool, bool]:
    """Return whether exactly one of `count` processes held the lock, and all named it."""
    contenders = [Contender(folder) for _ in range(count)]
    for one in contenders:
        one.go()
    answers = {one.process: one.answer() for one in contenders}
    owners = [process for process, said in answers.items() if said == "held"]
    named = all(
        said == "held" or f"process {owners[0]} is writing" in said for said in answers.values()
    )
    for one in contenders:
        one.end()
    return len(owners) == 1, named


def restart(folder: Path) -> bool:
    """Return whether the lock can be taken at once after its holder was killed."""
    first, second = Contender(folder), Contender(folder)
    first.go()
    held = first.answer() == "held"
    first.kill()
    first.end()
    second.go()
    taken = second.answer() == "held"
    second.end()
    return held and taken


def main(folder: Path, starts: int, kills: int) -> None:
    draw = random.Random(0)
    races = [race(folder, draw.randint(2, 4)) for _ in range(starts)]
    restarts = [restart(folder) for _ in range(kills)]
    figures = {
        "starts": starts,
        "exactly_one_owner": sum(one for one, _ in races),
        "owner_named": sum(named for _, named in races),
        "killed_owners": kills,
        "taken_at_once": sum(restarts),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
