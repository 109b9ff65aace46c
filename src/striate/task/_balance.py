"""What each class's samples weigh in a loss. NumPy only."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.answer import Answer
from striate.errors import UsageError, nearest
from striate.task._options import number

ClassWeights = str | Sequence[float] | None


def balanced(targets: npt.NDArray[Any], classes: int) -> npt.NDArray[np.float64]:
    """Return N / (K·n_k), the weight that gives every class present the same share; absent: 1."""
    counts_K = np.bincount(targets, minlength=classes)
    present = np.count_nonzero(counts_K)
    return np.where(counts_K > 0, len(targets) / (present * np.maximum(counts_K, 1)), 1.0)


def weights_of_classes(
    answer: Answer, class_weights: ClassWeights, train_targets: npt.NDArray[Any]
) -> npt.NDArray[np.float64] | None:
    """Return the weights (K,) that were asked for, scaled to a mean of 1 over the training part.

    Raises:
        UsageError: neither "balanced" nor one positive number for each class.
    """
    if class_weights is None:
        return None
    classes = len(answer.names)
    if isinstance(class_weights, str):
        if class_weights != "balanced":
            raise UsageError(
                "class_weights takes 'balanced' or one number per class; got "
                f"'{class_weights}'.{nearest(class_weights, ['balanced'])}"
            )
        weights_K = balanced(train_targets, classes)
    else:
        given = [number("Each of class_weights", w, above_least=True) for w in class_weights]
        if len(given) != classes:
            raise UsageError(
                f"class_weights takes one number for each of the {classes} classes "
                f"({', '.join(answer.names)}); got {len(given)}."
            )
        weights_K = np.array(given)
    return np.asarray(weights_K / weights_K[train_targets].mean(), np.float64)
