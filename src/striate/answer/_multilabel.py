"""Multi-label: each of K labels is there or not."""

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
from striate.answer._counts import label_rates
from striate.answer._cross_entropy import binary_cross_entropy
from striate.answer._curves import Positions, areas, curves
from striate.answer._form import first_bad, require_names, require_pairs
from striate.errors import SourceError

THRESHOLD = 0.5


@dataclass(frozen=True)
class MultiLabel:
    """Targets are 0 or 1, float32 (N, K); answers are probabilities (N, K), present from 0.5."""

    labels: tuple[str, ...]

    task: ClassVar[str] = "multi-label"

    def __post_init__(self) -> None:
        require_names("labels", self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        """The label names."""
        return self.labels

    @property
    def selection(self) -> tuple[str, bool]:
        """F1, averaged over labels.

        Accuracy is high for a network that finds nothing where labels are rare, and average
        precision isn't defined for a part in which no label occurs; F1 always is, at the
        threshold that prediction uses.
        """
        return "f1", True

    def to_json(self) -> Json:
        """Return {"task": "multi-label", "labels": [...]}."""
        return {"task": self.task, "labels": list(self.labels)}

    def check(self, targets: npt.NDArray[Any]) -> None:
        """Raise SourceError unless targets are 0 or 1, (N, K)."""
        if targets.ndim != 2 or targets.shape[1] != len(self.labels):
            raise SourceError(
                f"Labels must be a table of pictures by {len(self.labels)} labels, but the "
                f"targets have shape {targets.shape}."
            )
        bad_NK = (targets != 0) & (targets != 1)
        if bad_NK.any():
            row = first_bad(bad_NK)
            column = int(bad_NK[row].argmax())
            raise SourceError(
                f"Sample {row} has {targets[row, column]} for label '{self.labels[column]}', but a "
                "label is either 0 or 1. Fill it in or leave the sample out."
            )

    def strata(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the column of each sample's rarest label, or K where it has none."""
        present_NK = targets > 0
        # Ranks, not counts, so that labels that are equally rare stay apart.
        rank_K = np.argsort(np.argsort(present_NK.sum(axis=0), kind="stable"))
        width = len(self.labels)
        rarest_N = np.where(present_NK, rank_K, width).argmin(axis=1)
        return np.where(present_NK.any(axis=1), rarest_N, width).astype(np.int64)

    def metrics(self, answer_NK: Floats, targets: npt.NDArray[Any]) -> dict[str, float]:
        """Return the figures listed in docs/run-folder.md.

        `accuracy` is the share of labels that are right, `exact_match` the share of samples with
        no wrong label; precision, recall and f1 are averages over all labels; `roc_auc` and
        `average_precision` over those for which they are defined, left out where there is none.
        """
        present_NK, chosen_NK = self._booleans(answer_NK, targets)
        right_NK = present_NK == chosen_NK
        return {
            "loss": float(binary_cross_entropy(answer_NK, present_NK).mean() / len(self.labels)),
            "accuracy": float(right_NK.mean()),
            "exact_match": float(right_NK.all(axis=1).mean()),
            **label_rates(present_NK, chosen_NK).macro(),
            **areas(answer_NK, _positions(present_NK)).means(),
        }

    def details(self, answer_NK: Floats, targets: npt.NDArray[Any]) -> Json:
        """Return per_class, roc, precision_recall, and calibration over all labels as one."""
        present_NK, chosen_NK = self._booleans(answer_NK, targets)
        positives = _positions(present_NK)
        return {
            "per_class": label_rates(present_NK, chosen_NK).per_class(self.labels),
            **curves(answer_NK, positives, areas(answer_NK, positives), self.labels),
            "calibration": calibration(answer_NK.ravel(), present_NK.ravel()).rows(),
        }

    def worst(
        self, answer_NK: Floats, targets: npt.NDArray[Any], count: int
    ) -> npt.NDArray[np.int64]:
        """Return samples with a wrong label, those with the largest cross-entropy first."""
        present_NK, chosen_NK = self._booleans(answer_NK, targets)
        wrong = np.flatnonzero((present_NK != chosen_NK).any(axis=1))
        losses = binary_cross_entropy(answer_NK[wrong], present_NK[wrong])
        return wrong[np.argsort(-losses, kind="stable")[:count]]

    def describe(self, answer_K: Floats) -> Json:
        """Return {"labels": those present, "probabilities": {name: p}}."""
        probabilities = dict(zip(self.labels, answer_K.tolist()))
        present = [name for name, chance in probabilities.items() if chance >= THRESHOLD]
        return {"labels": present, "probabilities": probabilities}

    def describe_target(self, target: Any) -> str:
        """Return the labels that are there, separated by commas, or "no label"."""
        present = [name for name, value in zip(self.labels, target, strict=True) if value]
        return ", ".join(present) or "no label"

    def brief(self, answer_K: Floats, target: Any) -> Json:
        """Return the labels found, and the probability of the label that is most wrong."""
        off_K = np.abs(answer_K - np.asarray(target))
        worst = float(answer_K[off_K.argmax()])
        return {
            "answer": self.describe_target(answer_K >= THRESHOLD),
            "confidence": max(worst, 1.0 - worst),
        }

    def counts(self, targets: npt.NDArray[Any]) -> list[int]:
        """Return the number of samples that have each label (K)."""
        return [int(count) for count in np.asarray(targets).sum(axis=0)]

    def sentence(self, metrics: Mapping[str, float]) -> str:
        """Return average loss, labels right, samples entirely right, F1."""
        return (
            f"average loss {metrics['loss']:.4f}, {100 * metrics['accuracy']:.2f} % of labels "
            f"right, {100 * metrics['exact_match']:.2f} % of samples entirely right, "
            f"F1 {metrics['f1']:.4f}"
        )

    def disagreement(self, expected_NK: Floats, got_NK: Floats) -> str | None:
        """Return what differs: a probability by over 1e-4, or a label.

        A label counts where its expected probability is over 1e-4 away from 0.5.
        """
        fault = shapes_fault(expected_NK, got_NK)
        if fault:
            return fault
        clear_NK = np.abs(expected_NK - THRESHOLD) > MARGIN
        other_NK = clear_NK & ((expected_NK >= THRESHOLD) != (got_NK >= THRESHOLD))
        allowed_K = np.full(len(self.labels), TOLERANCE)
        return joined(
            labels_fault(other_NK.any(axis=1)),
            numbers_fault(expected_NK, got_NK, self.labels, allowed_K),
        )

    def _booleans(
        self, answer_NK: Floats, targets: npt.NDArray[Any]
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return (present, answered) as booleans (N, K), after checking the shapes."""
        require_pairs(answer_NK, targets, self.labels, len(self.labels))
        return targets > 0, answer_NK >= THRESHOLD


def _positions(present_NK: npt.NDArray[np.bool_]) -> list[Positions]:
    """Return for each label the positions of the samples that have it."""
    return [np.flatnonzero(present_N) for present_N in present_NK.T]
