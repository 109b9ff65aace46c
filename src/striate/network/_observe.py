"""The layer table of any module, seen from a forward pass."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from striate.errors import NetworkError
from striate.network._arithmetic import Shape, times
from striate.network._build import Network
from striate.network._classifier import Classifier
from striate.network._recognise import recognise
from striate.network._rows import Row, Summary, final_rows, measured
from striate.network._spec import Cost, Layer
from striate.network._spec_block import Add, Concatenate
from striate.network._spec_window import Conv
from striate.network._trace import FieldTrace, Origin

RUNS = 9
"""Timed runs of each layer; the median counts. Two more come before and aren't counted."""

_SILENT = (nn.Sequential, nn.ModuleList, nn.Identity)


def observe(module: nn.Module, *, shape: Shape | None, measure: bool) -> Summary:
    """Return the layer table of a module for pictures of `shape` (C, H, W); see `summary`."""
    if shape is None:
        if not isinstance(module, Network | Classifier):
            raise NetworkError(
                f"A picture size is needed to run {type(module).__name__}; give input=(C, H, W)."
            )
        shape = module.input_shape
    seen: set[int] = set()
    rows = _rows(module, shape, seen)
    if measure:
        rows = measured(rows, time_layers(module, shape))
    rows += _uncalled(module, seen)
    if isinstance(module, Network):
        rows += final_rows(module.final_activation, rows)
    if isinstance(module, Classifier):
        return Summary(network=module.name, input=shape, rows=tuple(rows), notes=module.notes)
    return Summary(network=type(module).__name__, input=shape, rows=tuple(rows))


def time_layers(module: nn.Module, shape: Shape) -> list[float]:
    """Return the milliseconds of every layer in the order of its rows: the median of `RUNS` runs.

    One picture, evaluation mode, channels_last, with as many threads as PyTorch has.
    """
    runs: list[list[float]] = []
    # Of each module that is running: its start, and the seconds spent in modules inside it.
    running: list[list[float]] = []

    def begin(_layer: nn.Module, _inputs: Any) -> None:
        running.append([perf_counter(), 0.0])

    def end(_name: str, _layer: nn.Module, _inputs: Any, _output: Any) -> None:
        start, inside = running.pop()
        spent = perf_counter() - start
        runs[-1].append(1000 * (spent - inside))
        if running:
            running[-1][1] += spent

    with _evaluating(module), _hooks(module, end, begin):
        for _ in range(RUNS + 2):
            runs.append([])
            _run(module, _zeros(module, shape))
    return [median(layer) for layer in zip(*runs[2:], strict=True)]


def _rows(module: nn.Module, shape: Shape, seen: set[int]) -> list[Row]:
    """Return one row a call; `seen` gathers the ids of the parameters that were counted."""
    rows: list[Row] = []
    picture = _zeros(module, shape)
    trace = FieldTrace(picture)

    # Of each module that is running; taken before, since a layer may work in place.
    origins: list[Origin] = []

    def begin(_layer: nn.Module, inputs: Any) -> None:
        origins.append(trace.origin(inputs))

    def end(name: str, layer: nn.Module, inputs: Any, output: Any) -> None:
        before = origins.pop()
        # Modules inside have told what they made; an innermost one is known by what it read.
        origin = before if next(layer.children(), None) is None else trace.origin(output)
        rows.append(_row(name, layer, _first(inputs), _first(output), trace, origin, seen))
        trace.tell_origin(output, len(rows) - 1)

    with _evaluating(module), _hooks(module, end, begin), trace:
        _run(module, picture)
    return rows


def _row(
    name: str,
    layer: nn.Module,
    source: Tensor | None,
    made: Tensor | None,
    trace: FieldTrace,
    origin: Origin,
    seen: set[int],
) -> Row:
    spec = None if source is None else _followed(layer, source, made)
    shape = () if source is None else tuple(source.shape[1:])
    if isinstance(spec, Add | Concatenate) and made is not None:
        # Of several inputs, the shape that they have together.
        shape = tuple(made.shape[1:])
    if made is not None and trace.fields(made) is None and source is not None and spec is not None:
        # A layer that PyTorch computes in a way that the trace can't follow, as 1-D pooling.
        before = trace.fields(source)
        trace.tell(made, None if before is None else spec.fields(before, shape, trace.sizes))
    parameters, frozen = _count_new(layer, seen)
    return Row(
        name=name,
        kind=type(layer).__name__ if spec is None else spec.kind,
        formula="" if spec is None else spec.formula(shape),
        input=shape,
        output=() if made is None else tuple(made.shape[1:]),
        parameters=parameters,
        frozen=frozen,
        cost=Cost() if spec is None else spec.cost(shape),
        fields=None if made is None else trace.fields(made),
        bytes=0 if made is None else made[0].numel() * made.element_size(),
        reads=origin.reads,
        computed=origin.computed,
        layer=spec,
    )


def _followed(layer: nn.Module, source: Tensor, made: Tensor | None) -> Layer | None:
    """Return a layer's specification; that of one which pads by itself is "same" (as in timm)."""
    spec = recognise(layer)
    if not isinstance(spec, Conv) or made is None:
        return spec
    came, shape = tuple(made.shape[1:]), tuple(source.shape[1:])
    if spec.output(shape) == came:
        return spec
    same = replace(spec, padding="same")
    return same if same.output(shape) == came else None


def _uncalled(module: nn.Module, seen: set[int]) -> list[Row]:
    """Return rows for modules whose parameters no called module holds.

    A `forward` may still use them without calling the module.
    """
    rows = []
    for name, layer in module.named_modules():
        count, frozen = _count_new(layer, seen)
        if count:
            rows.append(
                Row(
                    name=_short(name),
                    kind=f"{type(layer).__name__}, not called",
                    formula="",
                    input=(),
                    output=(),
                    parameters=count,
                    frozen=frozen,
                    cost=Cost(),
                    fields=None,
                    bytes=0,
                    reads=(),
                )
            )
    return rows


def _count_new(layer: nn.Module, seen: set[int]) -> tuple[int, int]:
    """Return the number of the module's own parameters that no row has yet, and of the frozen."""
    fresh = [one for one in layer.parameters(recurse=False) if id(one) not in seen]
    seen.update(id(one) for one in fresh)
    frozen = sum(one.numel() for one in fresh if not one.requires_grad)
    return sum(one.numel() for one in fresh), frozen


def _has_row(layer: nn.Module) -> bool:
    """Innermost modules have a row, and those that hold parameters beside their children."""
    inner = next(layer.children(), None) is None
    own = next(layer.parameters(recurse=False), None) is not None
    return own or (inner and not isinstance(layer, _SILENT))


def _short(name: str) -> str:
    """Return a module's name without the part that all of a Network's have."""
    return name.removeprefix("layers.") or "network"


@contextmanager
def _hooks(
    module: nn.Module,
    end: Callable[[str, nn.Module, Any, Any], None],
    begin: Callable[[nn.Module, Any], None] | None = None,
) -> Iterator[None]:
    """Call `begin` before and `end` after every module that has a row."""
    handles: list[RemovableHandle] = []
    try:
        for name, layer in module.named_modules():
            if _has_row(layer):
                handles.append(layer.register_forward_hook(partial(end, _short(name))))
                if begin is not None:
                    handles.append(layer.register_forward_pre_hook(begin))
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; afterwards every module has its own mode again."""
    training = [layer for layer in module.modules() if layer.training]
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for layer in training:
            layer.training = True


def _zeros(module: nn.Module, shape: Shape) -> Tensor:
    """Return one picture of zeros, on the module's device and in its dtype."""
    weights = next(module.parameters(), torch.empty(0))
    layout = torch.channels_last if len(shape) == 3 else torch.contiguous_format
    picture = torch.zeros((1, *shape), device=weights.device, dtype=weights.dtype)
    return picture.to(memory_format=layout)


def _run(module: nn.Module, picture: Tensor) -> None:
    try:
        module(picture)
    except (RuntimeError, ValueError) as error:
        raise NetworkError(
            f"{type(module).__name__} can't take a picture of {times(tuple(picture.shape[1:]))}. "
            f"PyTorch says: {error}"
        ) from error


def _first(value: Any) -> Tensor | None:
    """Return the first tensor in a module's inputs or output, or None."""
    if isinstance(value, Tensor):
        return value
    inside = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list | tuple):
        return None
    found = (_first(one) for one in inside)
    return next((one for one in found if one is not None), None)
