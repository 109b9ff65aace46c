"""A small process that saves checkpoints, for tests that kill it. It never imports PyTorch.

python saving_child.py FOLDER FIRST LAST: saves the states FIRST to LAST into FOLDER.
"""

import sys
from pathlib import Path

import numpy as np

from striate.training._checkpoints import Checkpoints, State


def state(number: int) -> State:
    """Return a state that is a function of its number; its frozen tensor changes every third."""
    rng = np.random.default_rng(number)
    return State(
        tensors={
            "network/kernel": rng.standard_normal((4, 3, 2, 2), dtype=np.float32),
            "network/count": np.array(number),
            "optimizer/step/kernel": np.array(number, np.float32),
        },
        frozen={"network/still": np.arange(5) + number // 3},
        tree={"step": number, "validations": [{"loss": float("nan")}]},
    )


def number_of(found: State | None) -> int:
    """Return the number of a state that was read, after looking at all of it; 0 for none."""
    if found is None:
        return 0
    expected = state(found.tree["step"])
    for mine, theirs in ((found.tensors, expected.tensors), (found.frozen, expected.frozen)):
        assert mine.keys() == theirs.keys()
        for name, array in theirs.items():
            assert isinstance(array, np.ndarray)
            assert mine[name].dtype == array.dtype and mine[name].shape == array.shape
            assert np.asarray(mine[name]).tobytes() == array.tobytes(), name
    assert repr(found.tree) == repr(expected.tree)
    return int(found.tree["step"])


def main(folder: str, first: str, last: str) -> None:
    checkpoints = Checkpoints(Path(folder), tell=sys.exit)
    for number in range(int(first), int(last) + 1):
        checkpoints.save(state(number))


if __name__ == "__main__":
    main(*sys.argv[1:])
