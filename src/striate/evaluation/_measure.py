"""The figures of one part."""

from typing import Any

import numpy.typing as npt

from striate.answer import Answer, Floats, Json


def measure(answer: Answer, answer_NK: Floats, targets: npt.NDArray[Any]) -> Json:
    """Return `samples` and the task's metrics, averaged over samples (docs/run-folder.md)."""
    return {"samples": len(answer_NK), **answer.metrics(answer_NK, targets)}
