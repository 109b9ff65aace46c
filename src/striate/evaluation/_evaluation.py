"""What `evaluate` found."""

from dataclasses import dataclass

from striate.answer import Json
from striate.data import Unreadable


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Figures of one part of a source, by a model's `network.onnx`.

    Attributes:
        part: "train", "validation", "test" or "all".
        samples: pictures that were answered.
        metrics: figures by their usual names (docs/run-folder.md), averaged over samples.
        details: matrices, curves and bins (docs/run-folder.md).
        worst: the worst mistakes, worst first: {"name", "target", "answer"}, where `answer` is
            what `Answer.describe` says.
        unreadable: pictures that were left out, and why.
        sentence: the figures in one line, for people.
        notes: what to know about the figures, one sentence each.
    """

    part: str
    samples: int
    metrics: dict[str, float]
    details: Json
    worst: tuple[Json, ...]
    unreadable: tuple[Unreadable, ...]
    sentence: str
    notes: tuple[str, ...] = ()

    def to_json(self) -> Json:
        """Return everything as plain lists and dictionaries, without NaN."""
        unreadable = [{"name": left.name, "reason": left.reason} for left in self.unreadable]
        return {
            "part": self.part,
            "samples": self.samples,
            "metrics": dict(self.metrics),
            "details": self.details,
            "worst": list(self.worst),
            "unreadable": unreadable,
            "sentence": self.sentence,
            "notes": list(self.notes),
        }
