"""`evaluate`: a model and a source by name, measured."""

from pathlib import Path
from typing import Any

from striate.data import Source, SourceOptions, open_source
from striate.evaluation import Evaluation
from striate.evaluation import evaluate as measure
from striate.model import Predictor, load


def evaluate(
    model: str | Path | Predictor,
    source: str | Path | Source | Any,
    *,
    part: str | None = None,
    strict: bool = False,
    allow_unreadable: bool = False,
) -> Evaluation:
    """Measure a model on pictures whose truth is known; needs no PyTorch.

    Args:
        model: a model folder, a run folder, or what `striate.load` returned.
        source: what `striate.open_source` takes, or what it returned. Opened with the model's task.
        part: "train", "validation", "test" or "all"; None: test where there is one, else
            validation, else all.
        strict: stop at the first picture that can't be read.
        allow_unreadable: go on when more than 20 % can't be read.

    Raises:
        ModelError, SourceError, CheckError, UsageError: as their names say.
    """
    predictor = model if isinstance(model, Predictor) else load(model)
    if not isinstance(source, Source):
        answer = predictor.answer
        target = answer.names if answer.task == "regression" else ()
        source = open_source(source, SourceOptions(task=answer.task, target=target))
    return measure(predictor, source, part=part, strict=strict, allow_unreadable=allow_unreadable)
