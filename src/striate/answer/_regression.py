"""Regression: T numbers in the user's units."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from striate.answer._agreement import TOLERANCE, numbers_fault, shapes_fault
from striate.answer._base import Floats, Json
from striate.answer._form import first_bad, require_names, require_pairs
from striate.answer._regression_metrics import Numbers, errors, histogram, spread
from striate.errors import SourceError

Positions = npt.NDArray[np.int64]

MOST_POINTS = 1000
MOST_STRATA = 10
_STRATUM = 5  # samples that a stratum needs for a fifth of it to be one sample
_LARGEST = float(np.finfo(np.float32).max)
_ROUNDING = 1e-6  # of the largest number: some units in the last place of float32


@dataclass(frozen=True)
class Regression:
    """Targets are float64 (N, T), answers (N, T), both in the user's units."""

    targets: tuple[str, ...]

    task: ClassVar[str] = "regression"

    def __post_init__(self) -> None:
        require_names("targets", self.targets)

    @property
    def names(self) -> tuple[str, ...]:
        """The target names."""
        return self.targets

    @property
    def selection(self) -> tuple[str, bool]:
        """Mean absolute error for one target: it is in the user's units and outliers don't rule it.

        For several targets r2: their errors may be in different units, and a mean of them would
        be the error of the target with the largest numbers.
        """
        return ("mae", False) if len(self.targets) == 1 else ("r2", True)

    def to_json(self) -> Json:
        """Return {"task": "regression", "targets": [...]}."""
        return {"task": self.task, "targets": list(self.targets)}

    def check(self, targets: npt.NDArray[Any]) -> None:
        """Raise SourceError unless targets are finite numbers (N, T) within float32's range."""
        if targets.ndim != 2 or targets.shape[1] != len(self.targets):
            raise SourceError(
                f"Expected a table of pictures by {len(self.targets)} numbers, but the targets "
                f"have shape {targets.shape}."
            )
        bad_NT = ~(np.abs(targets) <= _LARGEST)
        if bad_NT.any():
            row = first_bad(bad_NT)
            column = int(bad_NT[row].argmax())
            raise SourceError(
                f"Sample {row} has {targets[row, column]} for '{self.targets[column]}', but a "
                f"target must be a finite number of at most {_LARGEST:.3g}. Fill it in or leave "
                "the sample out."
            )

    def strata(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the quantile bin of the first target: up to 10 bins of five samples or more.

        Equal numbers are always in one bin.
        """
        first_N = targets[:, 0]
        bins = min(MOST_STRATA, max(1, len(first_N) // _STRATUM))
        if bins == 1:
            return np.zeros(len(first_N), np.int64)
        inner = np.unique(np.quantile(first_N, np.arange(1, bins) / bins))
        return np.asarray(np.searchsorted(inner, first_N, side="right"), np.int64)

    def metrics(self, answer_NK: Floats, targets: npt.NDArray[Any]) -> dict[str, float]:
        """Return loss (mean squared error), mae, rmse, r2: plain means over targets.

        With several targets also `mae_<name>`, `rmse_<name>` and `r2_<name>` of each.
        """
        found = errors(*self._numbers(answer_NK, targets))
        named = {"mae": found.mae_T, "rmse": found.rmse_T, "r2": found.r2_T}
        figures = {"loss": float(found.mse_T.mean())}
        figures |= {name: float(figure_T.mean()) for name, figure_T in named.items()}
        if len(self.targets) > 1:
            for column, target in enumerate(self.targets):
                figures |= {
                    f"{name}_{target}": float(figure_T[column]) for name, figure_T in named.items()
                }
        return figures

    def details(self, answer_NK: Floats, targets: npt.NDArray[Any]) -> Json:
        """Return `targets` (truth and answer of up to 1,000 samples, seeded) and `residuals`.

        A residual is answer − truth.
        """
        answer_NT, truth_NT = self._numbers(answer_NK, targets)
        shown = _sample(len(truth_NT))
        columns = list(zip(self.targets, truth_NT.T, answer_NT.T))
        return {
            "targets": [
                {"name": name, "truth": truth_N[shown].tolist(), "answer": answer_N[shown].tolist()}
                for name, truth_N, answer_N in columns
            ],
            "residuals": [
                {"name": name, **histogram(answer_N - truth_N)}
                for name, truth_N, answer_N in columns
            ],
        }

    def worst(
        self, answer_NK: Floats, targets: npt.NDArray[Any], count: int
    ) -> npt.NDArray[np.int64]:
        """Return samples by their largest error over targets, each in deviations of its target.

        Every answer with an error is one; there is no other line between right and wrong.
        """
        answer_NT, truth_NT = self._numbers(answer_NK, targets)
        error_N: Numbers = (np.abs(answer_NT - truth_NT) / spread(truth_NT)).max(axis=1)
        order: Positions = np.argsort(-error_N, kind="stable")[:count]
        return order[error_N[order] > 0]

    def describe(self, answer_K: Floats) -> Json:
        """Return {"values": {name: number}}."""
        return {"values": dict(zip(self.targets, answer_K.tolist()))}

    def describe_target(self, target: Any) -> str:
        """Return the number with six digits; of several targets each with its name before it."""
        numbers = [f"{value:.6g}" for value in np.atleast_1d(target).tolist()]
        if len(numbers) == 1:
            return numbers[0]
        return ", ".join(f"{name} {number}" for name, number in zip(self.targets, numbers))

    def brief(self, answer_K: Floats, target: Any) -> Json:
        """Return the numbers answered, and the largest absolute error in the user's units."""
        off_K = np.abs(np.asarray(answer_K) - np.atleast_1d(target))
        return {"answer": self.describe_target(answer_K), "error": float(off_K.max())}

    def counts(self, targets: npt.NDArray[Any]) -> list[int]:
        """Return the number of samples, once."""
        return [len(targets)]

    def sentence(self, metrics: Mapping[str, float]) -> str:
        """Return average loss, mean absolute error, root of the mean squared error, r2."""
        return (
            f"average loss {metrics['loss']:.4g}, mean absolute error {metrics['mae']:.4g}, "
            f"root mean squared error {metrics['rmse']:.4g}, r2 {metrics['r2']:.4f}"
        )

    def disagreement(self, expected_NK: Floats, got_NK: Floats) -> str | None:
        """Return what differs by more than is allowed.

        Allowed is, for each target, 1e-4 of the standard deviation of its expected numbers (of 1
        where that is larger: a single answer has none), and 1e-6 of the largest of them for the
        rounding of float32.
        """
        fault = shapes_fault(expected_NK, got_NK)
        if fault or not len(expected_NK):
            return fault
        expected_NT = expected_NK.astype(np.float64)
        largest_T = np.abs(expected_NT).max(axis=0)
        spread_T = np.maximum(1.0, np.std(expected_NT, axis=0))
        allowed_T = TOLERANCE * spread_T + _ROUNDING * largest_T
        return numbers_fault(expected_NK, got_NK, self.targets, allowed_T)

    def _numbers(self, answer_NK: Floats, targets: npt.NDArray[Any]) -> tuple[Numbers, Numbers]:
        """Return answers and targets as float64, after checking the shapes."""
        require_pairs(answer_NK, targets, self.targets, len(self.targets))
        return answer_NK.astype(np.float64), targets.astype(np.float64)


def _sample(count: int) -> npt.NDArray[np.int64]:
    """Return up to 1,000 of `count` positions, ascending, the same ones every time."""
    if count <= MOST_POINTS:
        return np.arange(count)
    drawn = np.random.default_rng(0).choice(count, MOST_POINTS, replace=False)
    return np.sort(drawn).astype(np.int64)
