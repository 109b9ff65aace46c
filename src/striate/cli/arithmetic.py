"""`striate arithmetic`: convolution and pooling, every number shown."""

from typing import Annotated

import typer


def arithmetic(
    operation: Annotated[
        str, typer.Argument(metavar="conv|pool", help="Convolution with one filter, or pooling.")
    ],
    numbers: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="NUMBERS|PICTURE",
            help="'1 2; 3 4': rows parted by ';', channels by '|' or by giving it again. "
            "Or a picture's file.",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="ROW,COLUMN", help="Where the part of the picture begins, from 0,0."),
    ] = None,
    crop: Annotated[
        str | None, typer.Option(metavar="N|HxW", help="Size of that part in pixels.")
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="N|HxW", help="In place of --input: work out sizes alone."),
    ] = None,
    kernel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NUMBERS|N|HxW",
            help="The filter of conv, a matrix for each channel, as --input. "
            "With --size, its size.",
        ),
    ] = None,
    bias: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Added to every sum of conv. Default 0.")
    ] = None,
    window: Annotated[str | None, typer.Option(metavar="N|HxW", help="The window of pool.")] = None,
    kind: Annotated[
        str | None, typer.Option(metavar="max|min|average", help="What pool takes. Default max.")
    ] = None,
    stride: Annotated[
        str | None,
        typer.Option(metavar="N|HxW", help="Step of the window. Default 1; of pool, the window."),
    ] = None,
    padding: Annotated[
        str,
        typer.Option(
            metavar="N|HxW|T,B,L,R|valid|same",
            help="Pixels around the input: on every side, above and beside, or at top, bottom, "
            "left and right; valid is 0, same keeps ceil(size / stride).",
        ),
    ] = "0",
    dilation: Annotated[
        str | None, typer.Option(metavar="N|HxW", help="Step inside conv's kernel. Default 1.")
    ] = None,
    ceil: Annotated[
        bool, typer.Option("--ceil", help="Let the last window of pool reach over the edge.")
    ] = False,
    ignore_padding: Annotated[
        bool,
        typer.Option("--ignore-padding", help="Leave padding out of average pooling's means."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Work out a convolution or pooling on your numbers: every window, its products, the sum."""
    from striate.cli._calculation import Asked, calculate
    from striate.cli._output import out, print_json

    asked = Asked(
        operation=operation,
        input=numbers or [],
        at=at,
        crop=crop,
        size=size,
        kernel=kernel or [],
        bias=bias,
        window=window,
        kind=kind,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil=ceil,
        ignore_padding=ignore_padding,
    )
    found = calculate(asked)
    if as_json:
        print_json(found.to_json())
    else:
        out(found.to_text())
