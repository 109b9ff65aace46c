"""`striate predict`: what a model says about pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli._options import MaxPixels

if TYPE_CHECKING:
    from striate.answer import Answer
    from striate.model import Prediction, Predictor

    Put = Callable[[Prediction], None]


def predict(
    model: Annotated[Path, typer.Argument(help="A model folder, or a run folder that holds one.")],
    pictures: Annotated[
        list[str],
        typer.Argument(help="Files, folders (everything below them), or patterns such as '*.jpg'."),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document: a list, one object a picture.")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV, with every probability.")
    ] = False,
    max_pixels: MaxPixels = None,
) -> None:
    """Say what a model sees in pictures; PyTorch is not needed.

    A picture that can't be read gets an error in its place, and the others are still answered; the
    exit code is then 3.
    """
    from striate.cli._given import given_pictures
    from striate.cli._output import close_quietly
    from striate.errors import SourceError, UsageError
    from striate.model import load

    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other. Choose one.")
    predictor = load(model, max_pixels=max_pixels)
    paths = given_pictures(pictures)
    try:
        failed = _print(predictor, paths, as_json=as_json, as_csv=as_csv)
    except BrokenPipeError:
        # A reader such as `head` has what it wanted; Typer would leave with 1.
        close_quietly()
        return
    if failed:
        raise SourceError(
            f"Pictures that can't be read: {failed} of {len(paths)}; the reasons stand in their "
            "place."
        )


def _print(predictor: Predictor, paths: list[str], *, as_json: bool, as_csv: bool) -> int:
    """Print every prediction; return how many pictures couldn't be read."""
    import sys

    from striate.cli._output import print_json

    documents: list[dict[str, Any]] = []
    if as_json:
        put = _into(documents)
    else:
        put = _csv(predictor.answer) if as_csv else _table(predictor.answer, paths)
    failed = 0
    for prediction in predictor.predict_each(paths):
        put(prediction)
        failed += prediction.error is not None
    if as_json:
        print_json(documents)
    sys.stdout.flush()
    return failed


def _into(documents: list[dict[str, Any]]) -> Put:
    """Return what keeps a prediction for the one document."""

    def put(prediction: Prediction) -> None:
        documents.append(prediction.to_json())

    return put


def _csv(answer: Answer) -> Put:
    """Print the header; return what prints a row."""
    import csv
    import sys

    from striate.cli._predictions import csv_columns, csv_row

    columns = csv_columns(answer)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)

    def put(prediction: Prediction) -> None:
        writer.writerow(csv_row(prediction, len(columns)))

    return put


def _table(answer: Answer, paths: list[str]) -> Put:
    """Print the headings; return what prints a line."""
    from striate.cli._output import out
    from striate.cli._predictions import Lines

    lines = Lines(paths, answer)
    out(lines.header())

    def put(prediction: Prediction) -> None:
        out(lines.row(prediction))

    return put
