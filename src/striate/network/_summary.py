"""The layer table: one row for each layer, from specifications alone."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from striate.network._arithmetic import Shape, product
from striate.network._graph import Reads, reads
from striate.network._registry import entry
from striate.network._rows import FLOAT32, Row, Summary, final_rows, measured
from striate.network._specification import Specification, Step, named, walk
from striate.network._specify import check_request, specify

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
    """Return the layer table of a registered or written network, or of any module.

    A name, or layers in words, is worked out from its specification, without PyTorch unless
    `measure`; a classic network by a run on PyTorch's meta device, which computes sizes alone. A
    module is run once, in evaluation mode, on a picture of zeros; its rows are its innermost modules
    in the order in which they are called. What its `forward` computes without a module has no row.

    `input` is (C, H, W), or (C, L) for a series, and `outputs` the number of logits; None means
    those that the network was made for. `options` are those of the registered network; a module has
    its own number of outputs and no options. `measure` times every layer on one picture.

    Raises NetworkError for an unknown name or option, and where the picture doesn't fit.
    """
    if not isinstance(network, str):
        from striate.network._observe import observe

        return observe(network, shape=input, measure=measure)
    known = entry(network)
    shape = known.default_input if input is None else input
    count = known.default_outputs if outputs is None else outputs
    if known.origin is not None:
        from striate.network._classify import classify
        from striate.network._observe import observe

        check_request(shape, count)
        device = "cpu" if measure else "meta"
        module = classify(known, shape, count, options or {}, device=device)
        return observe(module, shape=shape, measure=measure)
    specification = specify(network, shape=shape, outputs=count, options=options)
    steps, sources = walk(specification.layers, shape), reads(specification.layers)
    rows = [_row(step, source) for step, source in zip(steps, sources, strict=True)]
    if measure:
        rows = measured(rows, _times(specification, shape))
    rows += final_rows(specification.final_activation, rows)
    return Summary(network=network, input=shape, rows=tuple(rows), added=_added(specification))


def _added(specification: Specification) -> tuple[str, ...]:
    """Return the names of the layers that striate put behind what a user wrote."""
    names = [name for name, _ in named(specification.layers)]
    return tuple(names[len(names) - specification.added :])


def _times(specification: Specification, shape: Shape) -> list[float]:
    """Return the milliseconds of every layer, in the order of its rows."""
    from striate.network._build import Network
    from striate.network._observe import time_layers

    return time_layers(Network(specification, shape), shape)


def _row(step: Step, source: Reads) -> Row:
    layer = step.layer
    return Row(
        name=step.name,
        kind=layer.kind,
        formula=layer.formula(step.input),
        input=step.input,
        output=step.output,
        parameters=layer.parameters(step.input),
        cost=layer.cost(step.input),
        fields=step.fields,
        bytes=FLOAT32 * product(step.output),
        reads=source,
        layer=layer,
    )
