"""`striate check`: what is wrong or odd about data, before any training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli._options import (
    AsJson,
    DataFolder,
    Exclude,
    Group,
    Images,
    NoCache,
    Quiet,
    Split,
    Target,
    Task,
    read_data,
)

if TYPE_CHECKING:
    from striate.flow._check import Checked

_LISTED = 20


def check(
    source: Annotated[str, typer.Argument(help="Pictures, as `striate train` takes them.")],
    task: Task = None,
    target: Target = None,
    images: Images = None,
    group: Group = None,
    split: Split = None,
    data_folder: DataFolder = None,
    exclude: Exclude = None,
    labels: Annotated[
        bool, typer.Option("--labels", help="Look for labels that are probably wrong.")
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --labels: their names, for --exclude."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write a page with the pictures.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Leave with exit code 5 where there is any fault.")
    ] = False,
    no_cache: NoCache = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Say what is wrong or odd about pictures and labels, before any training.

    Unreadable pictures, duplicates, leaks between parts, contradicting labels, pictures without
    content, uneven classes. Your files are never changed.
    """
    import sys

    from striate.cli._output import print_json
    from striate.cli._screen import Screen
    from striate.flow._check_run import document_of, run_check

    data = read_data(
        task=task,
        target=target,
        images=images,
        group=group,
        split=split,
        data_folder=data_folder,
        exclude=exclude,
        no_cache=no_cache,
    )
    checked = run_check(
        source,
        settings={"data": data},
        labels=labels,
        save=save,
        out=out,
        listener=Screen(sys.stderr, quiet=quiet),
    )
    if as_json:
        print_json({"source": source, **document_of(checked)})
    else:
        _tell(checked, save, out)
    if strict:
        _stop(checked)


def _stop(checked: Checked) -> None:
    from striate.errors import CheckError

    faults = sum(finding.fault for finding in checked.audit.findings)
    if faults:
        kinds = f"{faults} kinds of faults were" if faults > 1 else "a fault was"
        raise CheckError(
            f"In {checked.source.name} {kinds} found, and --strict was given. Put right what is "
            "listed as a fault, or leave pictures out by --exclude."
        )


def _tell(checked: Checked, save: Path | None, page: Path | None) -> None:
    from striate.cli._output import out, shown
    from striate.flow._check_run import facts_of, notes_of

    out(shown(checked.source.name))
    for name, value, _ in facts_of(checked):
        out(f"  {name:<14} {shown(value)}")
    findings = checked.audit.findings
    _list("faults, to be put right", [one.sentence for one in findings if one.fault])
    odd = [one.sentence for one in findings if not one.fault]
    reason = checked.closer.duplicates.reason
    _list("odd, perhaps right", odd)
    if not findings:
        out()
        out("Nothing wrong or odd was found.")
    _list("notes", [*notes_of(checked), *([reason] if reason else [])])
    if checked.doubts is not None:
        _tell_labels(checked)
    for what, path in (("names", save), ("page", page)):
        if path is not None:
            out(f"{what:<5}  {shown(str(path))}")


def _list(title: str, sentences: list[str]) -> None:
    from striate.cli._output import out, shown

    if sentences:
        out()
        out(f"{title}:")
    for sentence in sentences:
        out(f"  - {shown(sentence)}")


def _tell_labels(checked: Checked) -> None:
    from striate.cli._output import out, shown, table
    from striate.flow._check_run import in_words

    doubts = checked.doubts
    if doubts is None:
        return
    out()
    out(in_words(doubts))
    rows = [
        [shown(one.name), shown(one.given), shown(one.likely), f"{one.confidence:.2f}"]
        for one in doubts.suspects[:_LISTED]
    ]
    if rows:
        out(table(["picture", "given", "likely", "confidence"], rows))
    if len(doubts.suspects) > _LISTED:
        out(f"and {len(doubts.suspects) - _LISTED:,} more (--save FILE lists all, --json too)")
    out()
