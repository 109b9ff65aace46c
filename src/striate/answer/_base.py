"""What a task is, in NumPy: the half of a task that needs no PyTorch.

The legend of axis names for the whole repository:

    N  pictures of a part or a source     B  pictures of a batch
    H  height   W  width   C  channels    (pixels are uint8, 0 to 255, RGB order)
    K  numbers in one answer: classes, labels, or regression targets (then also T)
    L  layers   E  epochs   S  steps
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64] | npt.NDArray[np.float32]
Json = dict[str, Any]


@runtime_checkable
class Answer(Protocol):
    """One task's targets, answers and measures.

    `answer_NK` is always the `answer` output of `network.onnx`: float32, (N, K); see
    docs/model-folder.md. `targets` is what `Source.targets` holds for this task: its first axis
    is N, the rest is the task's own.
    """

    @property
    def task(self) -> str:
        """The task's name: "classification", "multi-label" or "regression"."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Class names, label names or target names, in the order of the answer's K columns."""
        ...

    @property
    def selection(self) -> tuple[str, bool]:
        """(metric that the best epoch is chosen by, True when larger is better)."""
        ...

    def to_json(self) -> Json:
        """Return what `answer_from_json` needs to make an equal object: `task` and names."""
        ...

    def check(self, targets: npt.NDArray[Any]) -> None:
        """Raise SourceError where targets don't fit this answer (shape, dtype, range, finite)."""
        ...

    def strata(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the stratum (N,) of each sample for a stratified split."""
        ...

    def metrics(self, answer_NK: Floats, targets: npt.NDArray[Any]) -> dict[str, float]:
        """Return the figures of one part by their usual names, `loss` first, averaged over samples."""
        ...

    def details(self, answer_NK: Floats, targets: npt.NDArray[Any]) -> Json:
        """Return what the report draws: matrices, curves, bins (docs/run-folder.md)."""
        ...

    def worst(
        self, answer_NK: Floats, targets: npt.NDArray[Any], count: int
    ) -> npt.NDArray[np.int64]:
        """Return positions of the worst mistakes, worst first, at most `count`; right ones never."""
        ...

    def describe(self, answer_K: Floats) -> Json:
        """Return one answer for people and programs: `label`, `probabilities` or `values`."""
        ...

    def describe_target(self, target: Any) -> str:
        """Return one target in words, as `describe` would name it."""
        ...

    def brief(self, answer_K: Floats, target: Any) -> Json:
        """Return one answer in words beside its target, for a list of mistakes.

        Keys: `answer`, and `confidence` (its probability) or `error` (how far off, in numbers).
        """
        ...

    def counts(self, targets: npt.NDArray[Any]) -> list[int]:
        """Return how many samples there are of each class or label; of numbers, how many in all."""
        ...

    def sentence(self, metrics: Mapping[str, float]) -> str:
        """Return the figures of one part in one line, for people."""
        ...

    def disagreement(self, expected_NK: Floats, got_NK: Floats) -> str | None:
        """Return None where two runs of one network agree, else what differs and by how much."""
        ...
