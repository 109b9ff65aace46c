"""What lists of mistakes and the counts in the report say of each task."""

import numpy as np

from striate.answer import Classification, MultiLabel, Regression


def test_brief_and_counts_of_each_task() -> None:
    classes = Classification(("ant", "bee"))
    assert classes.brief(np.array([0.25, 0.75]), 0) == {"answer": "bee", "confidence": 0.75}
    assert classes.counts(np.array([1, 1, 0, 1])) == [1, 3]
    labels = MultiLabel(("red", "round", "big"))
    told = labels.brief(np.array([0.75, 0.125, 0.5]), np.array([1.0, 1.0, 1.0]))
    assert told == {"answer": "red, big", "confidence": 0.875}
    assert labels.counts(np.array([[1, 0, 1], [1, 0, 0]], np.float32)) == [2, 0, 1]
    numbers = Regression(("length", "width"))
    assert numbers.brief(np.array([3.0, 1.5]), np.array([2.5, 3.5])) == {
        "answer": "length 3, width 1.5",
        "error": 2.0,
    }
    assert numbers.counts(np.zeros((7, 2))) == [7]
