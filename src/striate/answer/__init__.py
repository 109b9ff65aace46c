"""Tasks in NumPy: what a target is, what an answer says, how good it is. See `Answer`."""

from striate.answer._base import Answer, Floats, Json
from striate.answer._classification import Classification
from striate.answer._json import TASKS, answer_from_json
from striate.answer._multilabel import MultiLabel
from striate.answer._regression import Regression

__all__ = [
    "TASKS",
    "Answer",
    "Classification",
    "Floats",
    "Json",
    "MultiLabel",
    "Regression",
    "answer_from_json",
]
