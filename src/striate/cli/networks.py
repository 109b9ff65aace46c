"""`striate networks`: what registered networks there are."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from striate.network import Entry


def networks(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the networks that have a name, with their source and options."""
    from striate.cli._output import out, print_json
    from striate.network import networks as registered

    entries = registered()
    if as_json:
        print_json([entry.to_json() for entry in entries])
        return
    for entry in entries:
        size = "×".join(str(number) for number in entry.default_input)
        out(f"{entry.name}: {entry.idea}")
        year = f", {entry.year}" if entry.year else ""
        out(f"  {entry.title}; {entry.source}{year}")
        outputs = "1 output" if entry.default_outputs == 1 else f"{entry.default_outputs} outputs"
        out(
            f"  {entry.parameters:,} parameters for {size} and {outputs}; {entry.flops:,} FLOPs a "
            "picture"
        )
        _options(entry)
    classic = next(entry for entry in reversed(entries) if entry.origin)
    out("Options of the classic networks and of timm's:")
    for option in classic.options:
        out(f"  {option.name}: {option.meaning} It takes {option.expected}.")
    out("timm:NAME: any convolutional network of timm, by its name there; timm is then imported.")


def _options(entry: "Entry") -> None:
    """Print a network's options; a classic network's are the same for all, and explained once."""
    from striate.cli._output import out

    told = [(option, option.to_json()["default"]) for option in entry.options]
    if entry.origin is None:
        for option, value in told:
            out(f"  {option.name}: {option.meaning} Default {value}; {option.expected}.")
        return
    given = ", ".join(f"{option.name} {value}" for option, value in told if value != "")
    out(f"  Options, explained at the end: {given}.")
