"""The flow from a source to a run, and from a model to its figures: the front door's functions."""

from striate.flow._evaluate import evaluate
from striate.flow._run import Run
from striate.flow._train import train

__all__ = ["Run", "evaluate", "train"]
