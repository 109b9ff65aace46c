"""`striate summary`: the layer table of a network or a model."""

from typing import Annotated

import typer


def summary(
    network: Annotated[
        str,
        typer.Argument(
            metavar="NETWORK|MODEL", help="A name of `striate networks`, or a model folder."
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
) -> None:
    """Print a row for each layer: size with its formula, parameters, FLOPs, receptive field."""
    from striate.cli._network import may_measure, parse_input, read_network
    from striate.cli._output import out, print_json
    from striate.network import summary as make_summary

    found = read_network(network)
    result = make_summary(
        found.name,
        input=found.input if size is None else parse_input(size),
        outputs=found.outputs if classes is None else classes,
        options=found.options,
        measure=may_measure(measure),
    )
    if as_json:
        print_json(result.to_json())
    else:
        out(result.table())
