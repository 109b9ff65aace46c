"""One answer about one picture."""

from dataclasses import dataclass
from typing import Any

from striate.answer import Json
from striate.errors import PictureError


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a model says about one picture, or why it says nothing.

    Attributes:
        path: the picture's path as it was given, None for bytes, PIL images and arrays.
        answer: what `Answer.describe` returned; empty where the picture couldn't be read.
        error: why the picture couldn't be read, or None.
    """

    path: str | None
    answer: Json
    error: PictureError | None = None

    @property
    def label(self) -> str | None:
        """The most probable class, or None for other tasks."""
        return self.answer.get("label")

    @property
    def probability(self) -> float | None:
        """The probability of `label`, 0 to 1, or None for other tasks."""
        return self.answer.get("probability")

    @property
    def labels(self) -> list[str] | None:
        """The labels that are present (multi-label), or None for other tasks."""
        return self.answer.get("labels")

    @property
    def probabilities(self) -> dict[str, float] | None:
        """Class or label → probability, 0 to 1, in the model's order; None for regression."""
        return self.answer.get("probabilities")

    @property
    def values(self) -> dict[str, float] | None:
        """Target → number in the user's units (regression), or None for other tasks."""
        return self.answer.get("values")

    def to_json(self) -> dict[str, Any]:
        """Return `path` and the answer's fields, or `path` and `error`."""
        if self.error is not None:
            return {"path": self.path, "error": self.error.reason}
        return {"path": self.path, **self.answer}
