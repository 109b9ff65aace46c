"""`striate networks`: what registered networks there are."""

from typing import Annotated

import typer


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
        for option in entry.options:
            value = option.to_json()["default"]
            out(f"  {option.name}: {option.meaning} Default {value}; {option.expected}.")
    out("timm:NAME: any convolutional network of timm, by its name there.")
    out("  Options as the classic networks above; timm is imported to make it.")
