"""Reading an answer back from `model.json`."""

from typing import Any

from striate.answer._base import Answer
from striate.answer._classification import Classification
from striate.answer._form import names_fault
from striate.answer._multilabel import MultiLabel
from striate.answer._regression import Regression
from striate.errors import ModelError, unknown

TASKS = ("classification", "multi-label", "regression")

_KEYS = {"classification": "classes", "multi-label": "labels", "regression": "targets"}


def answer_from_json(described: Any) -> Answer:
    """Return the answer that `Answer.to_json` described.

    Raises ModelError on an unknown task, a missing or unknown key, and names that are missing,
    empty or there twice.
    """
    task, names = _read(described)
    if task == "classification":
        return Classification(names)
    return MultiLabel(names) if task == "multi-label" else Regression(names)


def _read(described: Any) -> tuple[str, tuple[str, ...]]:
    """Return the task and its names, checked."""
    if not isinstance(described, dict) or not isinstance(described.get("task"), str):
        raise ModelError(
            "The model's `answer` must be an object with a `task`, one of "
            f"{', '.join(TASKS)}. The model folder is damaged or wasn't written by striate."
        )
    task = described["task"]
    if task not in _KEYS:
        do = "The model may come from a newer version of striate."
        raise ModelError(unknown("task", task, TASKS, do=do))
    key = _KEYS[task]
    if set(described) != {"task", key}:
        raise ModelError(
            f"The model's `answer` for {task} must have the keys task and {key}, but has "
            f"{', '.join(map(str, described))}."
        )
    return task, _names(task, key, described[key])


def _names(task: str, key: str, value: Any) -> tuple[str, ...]:
    fault = names_fault(tuple(value)) if isinstance(value, list) else "it isn't a list"
    if fault is None and task == "classification" and len(value) < 2:
        fault = f"there is only '{value[0]}'"
    if fault:
        least = "two or more" if task == "classification" else "one or more"
        raise ModelError(f"The model's `answer` must list {least} different {key}, but {fault}.")
    return tuple(value)
