"""From an answer and the settings of a loss to a task. PyTorch is imported inside functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from striate.answer import Answer
from striate.errors import UsageError, unknown
from striate.task._balance import ClassWeights, weights_of_classes
from striate.task._base import Task
from striate.task._options import number, settle
from striate.task._registry import BINARY, CLASSES, LABELS, LossEntry, losses

if TYPE_CHECKING:
    from torch import Tensor

    from striate.task._losses import Loss


def task_for(
    answer: Answer,
    *,
    loss: str | Callable[[Tensor, Tensor], Tensor] | None = None,
    label_smoothing: float = 0.0,
    class_weights: ClassWeights = None,
    delta: float | None = None,
    train_targets: npt.NDArray[Any],
    outputs: int | None = None,
) -> Task:
    """Return the task that goes with an answer.

    Args:
        answer: classification, multi-label or regression, with its names.
        loss: a name of `losses()`; None takes the first that fits (cross-entropy,
            binary-cross-entropy, mse). Or the user's own function of (logits, targets), as
            `Task.tensor` makes them, that returns the mean or one value per sample.
        label_smoothing: share of the target spread evenly over the classes, [0, 1).
        class_weights: "balanced" (inverse to the class's count in the training part), or one
            positive number per class, in the order of `answer.names`.
        delta: where Huber's loss turns from square to straight, in deviations of the target;
            None means 1.
        train_targets: the training part's targets, as in `Source.targets`: for balanced weights
            and for the mean and deviation of regression.
        outputs: the network's number of logits; None means one per name.

    Raises:
        UsageError: an unknown loss, one that doesn't fit, an option that it hasn't or a value out
            of range, a number of logits that the task can't use.
    """
    given: dict[str, object] = {
        "label_smoothing": label_smoothing or None,
        "class_weights": class_weights,
        "delta": delta,
    }
    if callable(loss):
        _no_options(given)
    else:
        loss = _entry(loss, answer, given).name
    if answer.task == CLASSES:
        return _classification(answer, loss, label_smoothing, class_weights, train_targets, outputs)
    task = _other(answer, loss, delta, train_targets)
    _check_outputs(task, outputs)
    return task


def _entry(name: str | None, answer: Answer, given: dict[str, object]) -> LossEntry:
    """Return the loss's entry, or the first that fits; raise UsageError where it doesn't fit."""
    kinds = {answer.task} | ({BINARY} if is_binary(answer) else set())
    fitting = [entry for entry in losses() if kinds & set(entry.fits)]
    known = {entry.name: entry for entry in losses()}
    if name is None:
        entry = fitting[0]
    elif name not in known:
        raise UsageError(unknown("loss", name, known))
    else:
        entry = known[name]
    if entry not in fitting:
        task = f"{answer.task} with {len(answer.names)} classes"
        raise UsageError(
            f"The loss '{name}' is for {' and '.join(entry.fits)}; it doesn't fit "
            f"{task if answer.task == CLASSES else answer.task}. "
            f"Losses that fit: {', '.join(fit.name for fit in fitting)}."
        )
    settle("loss", entry.name, entry.options, given)
    return entry


def _no_options(given: dict[str, object]) -> None:
    for option, value in given.items():
        if value is not None:
            raise UsageError(
                f"A loss of your own takes no options, but {option} was given. "
                "Leave it out, and put it into the function."
            )


def _classification(
    answer: Answer,
    loss: str | Callable[[Tensor, Tensor], Tensor],
    label_smoothing: float,
    class_weights: ClassWeights,
    train_targets: npt.NDArray[Any],
    outputs: int | None,
) -> Task:
    from striate.task._classification import ClassificationTask, class_loss
    from striate.task._reduce import own_loss

    logits = len(answer.names) if outputs is None else outputs
    weights_K = _class_weights(answer, class_weights, train_targets)
    if callable(loss):
        each = own_loss(loss)
    else:
        each = class_loss(
            loss,
            label_smoothing=number("label_smoothing", label_smoothing, below=1.0),
            class_weights_K=weights_K,
        )
    task = ClassificationTask(answer, each, outputs=logits, class_weights_K=weights_K)
    _check_outputs(task, outputs)
    return task


def _other(
    answer: Answer,
    loss: str | Callable[[Tensor, Tensor], Tensor],
    delta: float | None,
    train_targets: npt.NDArray[Any],
) -> Task:
    from striate.task import _losses
    from striate.task._multilabel import MultiLabelTask
    from striate.task._reduce import own_loss
    from striate.task._regression import RegressionTask

    functions: dict[str, Loss] = {
        "binary-cross-entropy": _losses.binary_cross_entropy,
        "mse": _losses.mse,
        "mae": _losses.mae,
        "huber": partial(
            _losses.huber, delta=number("delta", 1.0 if delta is None else delta, above_least=True)
        ),
    }
    each = own_loss(loss) if callable(loss) else functions[loss]
    if answer.task == LABELS:
        return MultiLabelTask(answer, each)
    return RegressionTask(answer, each, train_targets)


def _class_weights(
    answer: Answer, class_weights: ClassWeights, train_targets: npt.NDArray[Any]
) -> Tensor | None:
    import torch

    weights_K = weights_of_classes(answer, class_weights, train_targets)
    return None if weights_K is None else torch.tensor(weights_K, dtype=torch.float32)


def _check_outputs(task: Task, outputs: int | None) -> None:
    if outputs is None or task.accepts(outputs):
        return
    names = len(task.answer.names)
    wanted = f"{names} (or 1)" if is_binary(task.answer) else f"{names}"
    raise UsageError(
        f"The network gives {outputs} numbers for a picture, but {task.answer.task} of "
        f"{', '.join(task.answer.names)} takes {wanted}. Change the size of its last layer."
    )


def is_binary(answer: Answer) -> bool:
    """Return True for classification with two classes, which one logit can do as well."""
    return answer.task == CLASSES and len(answer.names) == 2
