"""The measures of metrics.json: how each is written and what it says."""

from dataclasses import dataclass
from typing import Any

from striate.report._run import Json
from striate.report._words import figure, percent


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A measure's name in words, whether it is a share of a whole, and what it says."""

    name: str
    share: bool
    meaning: str


MEASURES = {
    "loss": Measure(
        name="average loss",
        share=False,
        meaning="mean over the samples; cross-entropy for classes, squared error for numbers",
    ),
    "accuracy": Measure(name="accuracy", share=True, meaning="right answers among all answers"),
    "exact_match": Measure(
        name="exact match", share=True, meaning="pictures on which every label is right"
    ),
    "balanced_accuracy": Measure(
        name="balanced accuracy",
        share=True,
        meaning="mean of the classes' recalls: every class counts the same, however rare",
    ),
    "precision": Measure(
        name="precision",
        share=True,
        meaning="of the answers that name a class, the share that is right; mean over classes",
    ),
    "recall": Measure(
        name="recall",
        share=True,
        meaning="of the pictures of a class, the share that is found; mean over classes",
    ),
    "f1": Measure(
        name="F1",
        share=True,
        meaning="harmonic mean of a class's precision and recall; mean over classes",
    ),
    "roc_auc": Measure(
        name="area under ROC",
        share=False,
        meaning="chance that a picture of the class scores above one of another class; "
        "0.5 is guessing",
    ),
    "average_precision": Measure(
        name="average precision", share=False, meaning="area under precision against recall"
    ),
    "calibration_error": Measure(
        name="calibration error",
        share=True,
        meaning="mean distance between confidence and accuracy; 0 is best",
    ),
    "mae": Measure(
        name="mean absolute error", share=False, meaning="in the target's unit; 0 is best"
    ),
    "rmse": Measure(
        name="root mean squared error",
        share=False,
        meaning="in the target's unit; large errors weigh more",
    ),
    "r2": Measure(
        name="R²",
        share=False,
        meaning="1 is perfect, 0 is no better than always answering the part's own mean",
    ),
}

BESIDE = frozenset(
    ("samples", "sampled", "correct", "total", "accuracy_low", "accuracy_high", "parts")
)
"""Keys of a part that other figures mention; they have no row of their own."""

LEADING = {"classification": "accuracy", "multi-label": "exact_match", "regression": "mae"}
"""The measure that is shown large, by task."""


def measure(key: str) -> Measure:
    """Return the measure of a key; `mae_<name>` and the like are its base for one target."""
    if key in MEASURES:
        return MEASURES[key]
    base, _, target = key.partition("_")
    if base in MEASURES and target:
        known = MEASURES[base]
        return Measure(name=f"{known.name}, {target}", share=known.share, meaning=known.meaning)
    return Measure(name=key.replace("_", " "), share=False, meaning="")


def written(key: str, value: Any, samples: float = 0) -> str:
    """Return a measure's value as the page writes it; "–" where there is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return "–" if value is None else str(value)
    return percent(value, samples) if measure(key).share else figure(value)


def parts_of(metrics: Json) -> dict[str, Json]:
    """Return the figures of the parts that were measured, test first."""
    parts = metrics.get("parts") or {}
    return {name: parts[name] for name in ("test", "validation", "train") if parts.get(name)}
