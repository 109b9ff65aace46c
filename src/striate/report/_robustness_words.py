"""What the curves of robustness say, in words."""

from typing import Any

from striate.report._measures import measure, written
from striate.report._run import Json
from striate.report._words import figure

_AGREEMENTS = {
    "accuracy": "the share of pictures whose answer is the same as for the unchanged picture",
    "exact_match": "the share of pictures whose labels are the same as for the unchanged picture",
    "mae": "the mean absolute change of the answer, in the target's unit: 0 is best",
    "r2": "R² of the answers with the unchanged pictures' answers as truth: 1 is best",
}
_NAMES = {"mae": "mean absolute change", "r2": "R² against the unchanged answers"}


def agreement_words(key: str) -> str:
    """Return what agreement is, for a sentence."""
    return _AGREEMENTS.get(key, key)


def agreement_name(key: str) -> str:
    """Return agreement's name, for legends and headings."""
    return _NAMES.get(key, "agreement")


def unchanged_point(found: Json) -> Json:
    """Return the figures of the unchanged pictures, which every family repeats."""
    family = found["families"][0]
    point: Json = next(p for p in family["points"] if p["strength"] == family["unchanged"])
    return point


def said(family: Json, found: Json) -> str:
    """Return a family's figures at its weakest and strongest changes, for a text alternative."""
    return "; ".join(
        f"{strength(point['strength'])}: {measure(found['metric']).name} "
        f"{written(found['metric'], point[found['metric']], found['samples'])}, "
        f"{agreement_name(found['agreement'])} "
        f"{written(found['agreement'], point['agreement'], found['samples'])}"
        for point in family["points"]
    )


def strength(value: Any) -> str:
    """Return a strength as it is written: a number with its digits, or its word."""
    return value if isinstance(value, str) else figure(value)
