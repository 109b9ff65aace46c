"""Reading an answer from `model.json`."""

from typing import Any

import pytest

from striate.answer import Classification, MultiLabel, Regression, answer_from_json
from striate.errors import ModelError


def test_each_task_has_its_own_key() -> None:
    assert answer_from_json({"task": "classification", "classes": ["ant", "bee"]}) == (
        Classification(("ant", "bee"))
    )
    assert answer_from_json({"task": "multi-label", "labels": ["a"]}) == MultiLabel(("a",))
    assert answer_from_json({"task": "regression", "targets": ["x"]}) == Regression(("x",))


@pytest.mark.parametrize(
    ("described", "sentence"),
    [
        (
            {"task": "clasification", "classes": ["a", "b"]},
            "There is no task called 'clasification'. Did you mean 'classification'? Known: "
            "classification, multi-label, regression. The model may come from a newer version of "
            "striate.",
        ),
        (
            ["classification"],
            "The model's `answer` must be an object with a `task`, one of classification, "
            "multi-label, regression. The model folder is damaged or wasn't written by striate.",
        ),
        (
            {"task": 3},
            "The model's `answer` must be an object with a `task`, one of classification, "
            "multi-label, regression. The model folder is damaged or wasn't written by striate.",
        ),
        (
            {"task": "regression", "classes": ["a"]},
            "The model's `answer` for regression must have the keys task and targets, but has "
            "task, classes.",
        ),
        (
            {"task": "multi-label", "labels": "ab"},
            "The model's `answer` must list one or more different labels, but it isn't a list.",
        ),
        (
            {"task": "multi-label", "labels": ["a", ["b"]]},
            "The model's `answer` must list one or more different labels, but a name is empty or "
            "isn't text.",
        ),
        (
            {"task": "regression", "targets": ["a", "a"]},
            "The model's `answer` must list one or more different targets, but 'a' is there 2 "
            "times.",
        ),
        (
            {"task": "classification", "classes": ["ant"]},
            "The model's `answer` must list two or more different classes, but there is only "
            "'ant'.",
        ),
    ],
)
def test_anything_else_is_refused(described: Any, sentence: str) -> None:
    with pytest.raises(ModelError) as caught:
        answer_from_json(described)
    assert str(caught.value) == sentence
