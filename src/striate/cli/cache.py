"""`striate cache`: what is kept of decoded pictures, and removing it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from striate.data._cache_folder import KeptStore


def cache(
    clear: Annotated[
        bool, typer.Option("--clear", help="Remove all that no running command uses.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the decoded pictures that are kept for the next training, or remove them."""
    from striate.cli._output import out, print_json
    from striate.data._cache_folder import LIMIT, kept_stores, remove_all
    from striate.data._room import cache_folder

    folder = cache_folder()
    if clear:
        removed, left = remove_all(folder)
        if as_json:
            print_json({"removed": _entries(removed), "in_use": _entries(left)})
        else:
            out(_cleared(removed, left))
        return
    stores = kept_stores(folder)
    if as_json:
        size = sum(one.size for one in stores)
        print_json(
            {"folder": str(folder), "bytes": size, "limit": LIMIT, "stores": _entries(stores)}
        )
    else:
        out(_listed(str(folder), stores))


def _entries(stores: "Sequence[KeptStore]") -> list[dict[str, Any]]:
    return [
        {
            "source": one.source,
            "pictures": one.pictures,
            "bytes": one.size,
            "used": _time(one.used),
            "path": str(one.path),
        }
        for one in stores
    ]


def _listed(folder: str, stores: "Sequence[KeptStore]") -> str:
    from striate.cli._output import shown, table
    from striate.data._cache_words import size_in_words

    if not stores:
        return f"{shown(folder)} holds no decoded pictures."
    rows = [
        [
            shown(one.source) or "(unfinished or damaged)",
            f"{one.pictures:,}",
            size_in_words(one.size),
            _time(one.used),
        ]
        for one in stores
    ]
    total = f"{_together(stores)} in {shown(folder)}. Remove: striate cache --clear"
    return f"{table(['source', 'pictures', 'size', 'last used'], rows)}\n{total}"


def _cleared(removed: "Sequence[KeptStore]", left: "Sequence[KeptStore]") -> str:
    said = f"Removed {_together(removed)}." if removed else "There was nothing to remove."
    return f"{said} In use and left: {_together(left)}." if left else said


def _together(stores: "Sequence[KeptStore]") -> str:
    from striate.data._cache_words import size_in_words
    from striate.data._words import count

    return f"{count(len(stores), 'store')}, {size_in_words(sum(one.size for one in stores))}"


def _time(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
