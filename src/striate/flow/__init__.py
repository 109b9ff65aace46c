"""The flow from a source to a run: what `striate.train` does, step by step."""

from striate.flow._run import Run
from striate.flow._train import train

__all__ = ["Run", "train"]
