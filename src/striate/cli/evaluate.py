"""`striate evaluate`: how good a model is on a source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli._options import (
    AllowUnreadable,
    AsJson,
    DataFolder,
    Images,
    MaxPixels,
    Quiet,
    Split,
    Strict,
    read_split,
)

if TYPE_CHECKING:
    from striate.evaluation import Evaluation

_WORST = 10


def evaluate(
    model: Annotated[Path, typer.Argument(help="A model folder, or a run folder that holds one.")],
    source: Annotated[
        str, typer.Argument(help="Pictures with their truth, as `striate train` takes them.")
    ],
    part: Annotated[
        str | None,
        typer.Option(
            help="train, validation, test or all; by default test where the source has one, else "
            "validation, else all."
        ),
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option(help="Column of a table with the truth; several times.")
    ] = None,
    images: Images = None,
    split: Split = None,
    data_folder: DataFolder = None,
    robustness: Annotated[
        bool,
        typer.Option(
            "--robustness",
            help="Measure up to 1,000 of the pictures again, changed: shifted, rotated, scaled, "
            "flipped, lit, blurred, with noise. Needs striate[train].",
        ),
    ] = False,
    page: Annotated[
        Path | None,
        typer.Option("--out", metavar="PAGE.html", help="Write --robustness as curves to a page."),
    ] = None,
    allow_unreadable: AllowUnreadable = False,
    strict: Strict = False,
    max_pixels: MaxPixels = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure a model on pictures whose truth is known; PyTorch is not needed.

    Pictures are never augmented (but for --robustness), and every figure is an average over
    pictures.
    """
    import sys

    from striate.cli._output import print_json
    from striate.cli._robustness import check_options
    from striate.cli._robustness import tell as tell_robustness
    from striate.cli._screen import Screen
    from striate.data import SourceOptions, open_source
    from striate.evaluation import evaluate as measure
    from striate.evaluation._robustness import robustness as measure_changed
    from striate.model import load

    check_options(robustness=robustness, page=page)
    predictor = load(model, max_pixels=max_pixels)
    options = SourceOptions(
        images=images,
        target=tuple(target or ()),
        split=read_split(split),
        # The model's task, not the one that this source would be given by itself.
        task=predictor.answer.task,
        data_folder=data_folder,
    )
    opened = open_source(source, options)
    screen = Screen(sys.stderr, quiet=quiet)
    found = measure(
        predictor,
        opened,
        part=part,
        progress=lambda done, total: screen.progress("pictures", done, total),
        strict=strict,
        allow_unreadable=allow_unreadable,
    )
    left_out = (f"{one.name}: {one.reason}; left out" for one in found.unreadable)
    for sentence in (*opened.notes, *found.notes, *left_out):
        screen.warn(sentence)
    document = {"model": str(predictor.path), "source": source, **found.to_json()}
    changed = None
    if robustness:
        changed = measure_changed(
            predictor,
            opened,
            part=part,
            progress=lambda done, total: screen.progress("changed pictures", done, total),
        )
        document["robustness"] = changed.to_json()
    if page is not None:
        from striate.report._robustness import write_robustness

        write_robustness(page, document)
    if as_json:
        print_json(document)
        return
    _tell(found)
    if changed:
        tell_robustness(changed)


def _tell(found: Evaluation) -> None:
    from striate.cli._output import out, table

    out(f"{found.part}: {found.samples:,} pictures")
    out(found.sentence)
    if classes := found.details.get("per_class"):
        out()
        out(table(["name", "count", "precision", "recall", "f1"], [_row(one) for one in classes]))
    if found.worst:
        out()
        out("worst mistakes:")
        out(table(["picture", "truth", "answer"], [_mistake(one) for one in found.worst[:_WORST]]))


def _row(one: dict[str, Any]) -> list[str]:
    from striate.cli._output import shown

    figures = (one[key] for key in ("precision", "recall", "f1"))
    return [
        shown(one["name"]),
        f"{one['count']:,}",
        *("" if figure is None else f"{figure:.4f}" for figure in figures),
    ]


def _mistake(one: dict[str, Any]) -> list[str]:
    from striate.cli._output import shown
    from striate.cli._predictions import answer_cells

    answer = ", ".join(answer_cells(one["answer"]))
    return [shown(one["name"]), shown(one["target"]), shown(answer)]
