"""What `robustness` found."""

from dataclasses import dataclass

from striate.answer import Json
from striate.data import Unreadable
from striate.evaluation._robustness_changes import FILL, Strength


@dataclass(frozen=True, kw_only=True)
class Point:
    """The figures at one strength of a change.

    Attributes:
        strength: in the family's unit.
        figure: the metric of the changed pictures.
        low, high: its 95 % interval, or None where it has none.
        agreement: with the answers about the unchanged pictures.
    """

    strength: Strength
    figure: float
    low: float | None
    high: float | None
    agreement: float


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The figures of one family of changes, `unchanged` among its points."""

    name: str
    unit: str
    unchanged: Strength
    points: tuple[Point, ...]


@dataclass(frozen=True, kw_only=True)
class Robustness:
    """How a model's figures change when its pictures do.

    Attributes:
        part: "train", "validation", "test" or "all".
        samples: pictures that were answered at every strength.
        metric: the task's main figure, by its usual name: what `Point.figure` is.
        agreement: what `Point.agreement` is, as a metric whose truth is the answer about the
            unchanged picture: "accuracy" and "exact_match" are the share of pictures with the same
            answer, "mae" is the mean absolute change in the target's unit, "r2" is R².
        curves: one for each family.
        unreadable: pictures that were left out, and why.
    """

    part: str
    samples: int
    metric: str
    agreement: str
    curves: tuple[Curve, ...]
    unreadable: tuple[Unreadable, ...] = ()

    def to_json(self) -> Json:
        """Return everything but `unreadable` as plain lists and dictionaries."""
        return {
            "part": self.part,
            "samples": self.samples,
            "metric": self.metric,
            "agreement": self.agreement,
            "fill": FILL,
            "families": [
                {
                    "name": curve.name,
                    "unit": curve.unit,
                    "unchanged": curve.unchanged,
                    "points": [self._point(point) for point in curve.points],
                }
                for curve in self.curves
            ],
        }

    def _point(self, point: Point) -> Json:
        interval = {f"{self.metric}_low": point.low, f"{self.metric}_high": point.high}
        return {
            "strength": point.strength,
            self.metric: point.figure,
            **{name: end for name, end in interval.items() if end is not None},
            "agreement": point.agreement,
        }
