"""`striate datasets`: what named data sets there are."""

from typing import Annotated

import typer


def datasets(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the named data sets, with licence and citation."""
    from dataclasses import asdict

    from striate.cli._output import out, print_json
    from striate.data import named_sources

    entries = named_sources()
    if as_json:
        print_json([asdict(entry) for entry in entries])
        return
    for entry in entries:
        out(f"{entry.name}: {entry.title}")
        out(f"  {entry.pictures}, {entry.classes} classes, {entry.size}")
        out(f"  licence: {entry.licence}")
        out(f"  cite: {entry.citation}")
