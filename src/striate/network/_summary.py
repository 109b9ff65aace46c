"""The layer table: one row for each layer, from specifications alone."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from striate.network._arithmetic import Shape, product
from striate.network._registry import entry
from striate.network._rows import FLOAT32, Row, Summary, final_rows, measured
from striate.network._specification import Step, walk
from striate.network._specify import specify

if TYPE_CHECKING:
    from torch import nn


def summary(
    network: "str | nn.Module",
    *,
    input: Shape | None = None,
    outputs: int | None = None,
    options: Mapping[str, object] | None = None,
    measure: bool = False,
) -> Summary:
    """Return the layer table of a registered network or of any module.

    A registered network is worked out from its specification, without PyTorch unless `measure`. A
    module is run once, in evaluation mode, on a picture of zeros; its rows are its innermost
    modules in the order in which they are called. What its `forward` computes without a module has
    no row.

    `input` is (C, H, W) and `outputs` the number of logits; None means those that the network was
    made for. `options` are those of the registered network; a module has its own number of outputs
    and no options. `measure` times every layer on one picture.

    Raises NetworkError for an unknown name or option, and where the picture doesn't fit.
    """
    if not isinstance(network, str):
        from striate.network._observe import observe

        return observe(network, shape=input, measure=measure)
    known = entry(network)
    shape = known.default_input if input is None else input
    count = known.default_outputs if outputs is None else outputs
    specification = specify(network, shape=shape, outputs=count, options=options)
    rows = [_row(step) for step in walk(specification.layers, shape)]
    if measure:
        rows = measured(rows, _times(network, shape, count, options))
    rows += final_rows(specification.final_activation, rows[-1])
    return Summary(network=network, input=shape, rows=tuple(rows))


def _times(
    network: str, shape: Shape, outputs: int, options: Mapping[str, object] | None
) -> list[float]:
    """Return the milliseconds of every layer of a registered network, in the order of its rows."""
    from striate.network._build import build
    from striate.network._observe import time_layers

    channels, height, width = shape
    built = build(
        network, channels=channels, height=height, width=width, outputs=outputs, options=options
    )
    return time_layers(built, shape)


def _row(step: Step) -> Row:
    layer = step.layer
    return Row(
        name=step.name,
        kind=layer.kind,
        formula=layer.formula(step.input),
        output=step.output,
        parameters=layer.parameters(step.input),
        cost=layer.cost(step.input),
        fields=step.fields,
        bytes=FLOAT32 * product(step.output),
    )
