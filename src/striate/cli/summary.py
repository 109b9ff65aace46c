"""`striate summary`: the layer table of a network or a model, and its drawing."""

from pathlib import Path
from typing import Annotated

import typer


def summary(
    network: Annotated[
        str,
        typer.Argument(
            metavar="NETWORK|MODEL",
            help="A name of `striate networks`, layers in words, or a model folder.",
        ),
    ],
    size: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="CxHxW",
            help="Picture size, as 1x28x28; 28x28 or 28 mean one channel. "
            "Without it, the size that the network or model was made for.",
        ),
    ] = None,
    classes: Annotated[
        int | None,
        typer.Option(
            help="Outputs: classes, labels or targets. Without it, those it was made for."
        ),
    ] = None,
    measure: Annotated[
        bool | None,
        typer.Option(
            "--measure/--no-measure",
            help="Time every layer on one picture. By default where PyTorch is installed.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    as_mermaid: Annotated[
        bool, typer.Option("--mermaid", help="Print a Mermaid flowchart instead of the table.")
    ] = False,
    svg: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a drawing as SVG to this file instead of the table, or with - to the screen.",
        ),
    ] = None,
) -> None:
    """Print a row for each layer: size with its formula, parameters, FLOPs, receptive field."""
    from striate.cli._network import is_drawing, may_measure, parse_input, read_network
    from striate.cli._output import out, print_json
    from striate.network import summary as make_summary

    drawn = is_drawing(as_json=as_json, as_mermaid=as_mermaid, svg=svg, measure=measure)
    found = read_network(network)
    result = make_summary(
        found.name,
        input=found.input if size is None else parse_input(size),
        outputs=found.outputs if classes is None else classes,
        options=found.options,
        measure=not drawn and may_measure(measure),
    )
    if as_json:
        print_json(result.to_json())
    elif as_mermaid:
        out(result.mermaid())
    elif svg is not None:
        _write(svg, result.svg())
    else:
        out(result.table())


def _write(path: Path, drawing: str) -> None:
    """Write a drawing to a file, or to stdout for "-"."""
    from striate._files import refuse_foreign, write_file
    from striate.cli._output import note, out
    from striate.network._draw_svg import MARK

    if str(path) == "-":
        out(drawing.rstrip("\n"))
        return
    refuse_foreign(path, mark=MARK, option="--svg", what="drawing of striate summary")
    write_file(path, drawing)
    note(f"Wrote {path}.")
