"""`striate verify`: is a model folder still what was written?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from striate.model import Verification


def verify(
    model: Annotated[Path, typer.Argument(help="A model folder, or a run folder that holds one.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check every file of a model against its SHA-256 and repeat its samples.

    The exit code is 4 where anything differs. Files that the model doesn't know are listed and
    never read.
    """
    from striate.cli._output import print_json
    from striate.errors import ModelError
    from striate.model import examine

    found = examine(model)
    if as_json:
        print_json(_document(found))
    else:
        _tell(found)
    if not found.ok:
        raise ModelError(found.letter)


def _document(found: Verification) -> dict[str, Any]:
    return {
        "path": str(found.path),
        "ok": found.ok,
        "checks": [
            {"what": check.what, "ok": check.ok, "wrong": check.wrong} for check in found.checks
        ],
        "extra": list(found.extra),
    }


def _tell(found: Verification) -> None:
    from striate.cli._output import out, shown

    for check in found.checks:
        out(f"{'ok' if check.ok else 'WRONG':<5}  {shown(check.what)}")
    for name in found.extra:
        out(f"extra  {shown(name)} is not part of the model and is never read")
    if found.ok:
        out(f"{shown(str(found.path))} is as it was written.")
