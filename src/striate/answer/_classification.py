"""Classification: one of K classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from striate.answer._agreement import (
    MARGIN,
    TOLERANCE,
    joined,
    labels_fault,
    numbers_fault,
    shapes_fault,
)
from striate.answer._base import Floats, Json
from striate.answer._calibration import calibration
from striate.answer._counts import class_rates, confusion
from striate.answer._cross_entropy import cross_entropy
from striate.answer._curves import Areas, areas, curves, positions_of_classes
from striate.answer._form import first_bad, require_names, require_pairs
from striate.answer._interval import wilson
from striate.errors import SourceError


@dataclass(frozen=True)
class Classification:
    """Targets are class numbers, int64 (N,), 0 to K − 1; answers are probabilities (N, K)."""

    classes: tuple[str, ...]

    task: ClassVar[str] = "classification"

    def __post_init__(self) -> None:
        require_names("classes", self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """The class names."""
        return self.classes

    @property
    def selection(self) -> tuple[str, bool]:
        """Accuracy: the figure that is promised to the user.

        The loss is not used: it can rise for many epochs, on a few answers that are wrong with
        growing certainty, while ever more answers are right.
        """
        return "accuracy", True

    def to_json(self) -> Json:
        """Return {"task": "classification", "classes": [...]}."""
        return {"task": self.task, "classes": list(self.classes)}

    def check(self, targets: npt.NDArray[Any]) -> None:
        """Raise SourceError unless targets are whole numbers (N,) from 0 to K − 1."""
        if targets.ndim != 1 or not np.issubdtype(targets.dtype, np.integer):
            raise SourceError(
                "Classes must be whole numbers, one a picture, but the targets are "
                f"{targets.dtype} of shape {targets.shape}."
            )
        bad = (targets < 0) | (targets >= len(self.classes))
        if bad.any():
            row = first_bad(bad)
            raise SourceError(
                f"Sample {row} has class number {targets[row]}, but the {len(self.classes)} "
                f"classes are numbered 0 to {len(self.classes) - 1}."
            )

    def strata(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the class numbers."""
        return targets.astype(np.int64)

    def metrics(self, answer_NK: Floats, targets: npt.NDArray[Any]) -> dict[str, float]:
        """Return the figures listed in docs/run-folder.md.

        precision, recall and f1 are averages over the classes that occur in targets or answers
        (scikit-learn's macro); `balanced_accuracy` is the mean recall of classes that occur in the
        targets; `roc_auc` and `average_precision` are means over classes, one against the rest,
        for which they are defined, and left out where there is none.
        """
        require_pairs(answer_NK, targets, self.names, None)
        chosen_N = answer_NK.argmax(axis=1)
        found = class_rates(confusion(targets, chosen_N, len(self.classes)))
        right_N = chosen_N == targets
        correct, total = int(right_N.sum()), len(targets)
        low, high = wilson(correct, total)
        return {
            "loss": float(cross_entropy(answer_NK, targets).mean()),
            "correct": correct,
            "total": total,
            "accuracy": correct / total,
            "accuracy_low": low,
            "accuracy_high": high,
            "balanced_accuracy": float(found.recall_K[found.count_K > 0].mean()),
            **found.macro((found.count_K > 0) | (found.answered_K > 0)),
            "calibration_error": calibration(answer_NK.max(axis=1), right_N).error(),
            **areas(answer_NK, positions_of_classes(targets, len(self.classes))).means(),
        }

    def details(self, answer_NK: Floats, targets: npt.NDArray[Any]) -> Json:
        """Return confusion, per_class, roc, precision_recall and calibration."""
        require_pairs(answer_NK, targets, self.names, None)
        chosen_N = answer_NK.argmax(axis=1)
        counts_KK = confusion(targets, chosen_N, len(self.classes))
        positives = positions_of_classes(targets, len(self.classes))
        found = areas(answer_NK, positives)
        if len(self.classes) == 2:
            found = _second_only(found)
        return {
            "confusion": counts_KK.tolist(),
            "per_class": class_rates(counts_KK).per_class(self.classes),
            **curves(answer_NK, positives, found, self.classes),
            "calibration": calibration(answer_NK.max(axis=1), chosen_N == targets).rows(),
        }

    def worst(
        self, answer_NK: Floats, targets: npt.NDArray[Any], count: int
    ) -> npt.NDArray[np.int64]:
        """Return wrong answers by the probability of the wrong class, largest first."""
        require_pairs(answer_NK, targets, self.names, None)
        wrong = np.flatnonzero(answer_NK.argmax(axis=1) != targets)
        order = np.argsort(-answer_NK[wrong].max(axis=1), kind="stable")
        return wrong[order[:count]]

    def describe(self, answer_K: Floats) -> Json:
        """Return {"label": name, "probability": its probability, "probabilities": {name: p}}."""
        chosen = int(answer_K.argmax())
        probabilities = dict(zip(self.classes, answer_K.tolist()))
        return {
            "label": self.classes[chosen],
            "probability": float(answer_K[chosen]),
            "probabilities": probabilities,
        }

    def describe_target(self, target: Any) -> str:
        """Return the class name."""
        return self.classes[int(target)]

    def brief(self, answer_K: Floats, target: Any) -> Json:  # noqa: ARG002
        """Return the chosen class and its probability."""
        chosen = int(answer_K.argmax())
        return {"answer": self.classes[chosen], "confidence": float(answer_K[chosen])}

    def counts(self, targets: npt.NDArray[Any]) -> list[int]:
        """Return the number of samples of each class (K)."""
        return [int(count) for count in np.bincount(targets, minlength=len(self.classes))]

    def sentence(self, metrics: Mapping[str, float]) -> str:
        """Return average loss, correct/total, accuracy with its interval."""
        low, high = 100 * metrics["accuracy_low"], 100 * metrics["accuracy_high"]
        return (
            f"average loss {metrics['loss']:.4f}, "
            f"{metrics['correct']:.0f}/{metrics['total']:.0f} correct, "
            f"accuracy {100 * metrics['accuracy']:.2f} % "
            f"(95 % interval {low:.2f} to {high:.2f} %)"
        )

    def disagreement(self, expected_NK: Floats, got_NK: Floats) -> str | None:
        """Return what differs: a probability by over 1e-4, or a label.

        The label counts where the expected answer's two largest probabilities differ by over 1e-4.
        """
        fault = shapes_fault(expected_NK, got_NK)
        if fault:
            return fault
        ranked_NK: Floats = expected_NK.copy()
        ranked_NK.partition(-2, axis=1)
        clear_N = ranked_NK[:, -1] - ranked_NK[:, -2] > MARGIN
        other_N = clear_N & (expected_NK.argmax(axis=1) != got_NK.argmax(axis=1))
        allowed_K = np.full(len(self.classes), TOLERANCE)
        return joined(
            labels_fault(other_N), numbers_fault(expected_NK, got_NK, self.classes, allowed_K)
        )


def _second_only(found: Areas) -> Areas:
    """Return the areas without the first of two classes: its curves say the same once more."""
    hidden = np.array([np.nan, 0.0])
    return Areas(roc_K=found.roc_K + hidden, precision_recall_K=found.precision_recall_K + hidden)
