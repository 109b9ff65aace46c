"""Which process of a run this is: what PyTorch's launcher, `torchrun`, says in the environment.

Nothing is imported here: every command may ask.
"""

import os

from striate.errors import UsageError

VARIABLES = ("RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT")


def processes() -> int:
    """Return how many processes train together, on all machines; 1 without `torchrun`."""
    return _number("WORLD_SIZE", 1)


def process() -> int:
    """Return the number of this process, from 0."""
    return _number("RANK", 0) if processes() > 1 else 0


def local_process() -> int:
    """Return the number of this process on its machine, from 0."""
    return _number("LOCAL_RANK", 0) if processes() > 1 else 0


def local_processes() -> int:
    """Return how many processes of the run share this machine."""
    return _number("LOCAL_WORLD_SIZE", 1) if processes() > 1 else 1


def machine_number() -> int:
    """Return the number of this machine, from 0."""
    return _number("GROUP_RANK", 0) if processes() > 1 else 0


def check_launch() -> None:
    """Raise UsageError where there are several processes, but not from `torchrun`."""
    missing = [name for name in VARIABLES if not os.environ.get(name)]
    if processes() > 1 and missing:
        raise UsageError(
            f"WORLD_SIZE is {processes()}, but {', '.join(missing)} isn't set. Start several "
            "processes with torchrun (docs/scaling.md), or remove WORLD_SIZE to train with one."
        )


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else default
