"""Checkpoints: a run's state on the disk, whole or not there. See docs/checkpoints.md.

Importing this package imports no PyTorch; `_network` does, and is imported where it is needed.
"""

from striate.training._checkpoints._folder import Checkpoints
from striate.training._checkpoints._pace import Pace
from striate.training._checkpoints._state import Saved, State

__all__ = ["Checkpoints", "Pace", "Saved", "State"]
