"""How good is a model on a source? Figures of `network.onnx`, never of PyTorch."""

from striate.evaluation._align import align
from striate.evaluation._answers import Network, Stored, answers
from striate.evaluation._evaluate import evaluate
from striate.evaluation._evaluation import Evaluation
from striate.evaluation._measure import measure

__all__ = ["Evaluation", "Network", "Stored", "align", "answers", "evaluate", "measure"]
