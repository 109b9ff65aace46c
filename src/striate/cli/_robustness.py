"""`striate evaluate --robustness`: what it needs, and its tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.evaluation._robustness_curves import Curve, Point, Robustness

_SHARES = ("accuracy", "exact_match", "f1")
_AGREEMENTS = {
    "accuracy": "share of pictures with the same answer as unchanged",
    "exact_match": "share of pictures with the same labels as unchanged",
    "mae": "mean absolute change of the answer",
    "r2": "r2 against the unchanged answers",
}


def check_options(*, robustness: bool, page: Path | None) -> None:
    """Raise before anything is measured what would fail afterwards.

    Raises:
        UsageError: a page that can't be written there, or without --robustness.
        ModuleNotFoundError: OpenCV isn't installed.
    """
    from striate.errors import UsageError

    if robustness:
        from striate.data._geometry import opencv

        opencv()
    if page is None:
        return
    if not robustness:
        raise UsageError("--out is the page of --robustness. Add --robustness, or leave out --out.")
    if page.is_dir():
        raise UsageError(f"--out: {page} is a folder. Name a file, such as {page / 'page.html'}.")
    from striate.report._place import check_place
    from striate.report._robustness import KIND

    check_place(page, KIND)


def tell(found: Robustness) -> None:
    """Print a table for each family of changes."""
    from striate.cli._output import out

    per_cent = ", per cent" if found.metric in _SHARES else ""
    agreement = _AGREEMENTS.get(found.agreement, found.agreement)
    out()
    out(f"robustness: {found.samples:,} pictures, changed; agreement: {agreement}{per_cent}")
    for curve in found.curves:
        out()
        out(_table(found, curve))


def _table(found: Robustness, curve: Curve) -> str:
    from striate.cli._output import table

    unit = f" ({curve.unit})" if curve.unit else ""
    strengths = [_strength(point) for point in curve.points]
    rows = [
        [found.metric, *(_written(found.metric, point.figure) for point in curve.points)],
        ["agreement", *(_written(found.agreement, point.agreement) for point in curve.points)],
    ]
    return f"{curve.name}{unit}\n" + table(["strength", *strengths], rows)


def _strength(point: Point) -> str:
    return point.strength if isinstance(point.strength, str) else f"{point.strength:g}"


def _written(key: str, value: float) -> str:
    return f"{100 * value:.1f}" if key in _SHARES else f"{value:.4g}"
