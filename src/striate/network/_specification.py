"""A network as a list of layers, and the walk through it that works out every size."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

from striate.errors import NetworkError
from striate.network._arithmetic import Shape, times
from striate.network._field import Field, Fields
from striate.network._spec import Layer
from striate.network._spec_block import Add, Concatenate, Item, Parallel, Residual

LARGEST_PICTURE = 4096
"""Sizes up to this one are tried when a message says which picture would fit."""


@dataclass(frozen=True, kw_only=True)
class Specification:
    """A network before PyTorch: its layers, and the activation that its publication ends with.

    `final_activation` ("log-softmax", "softmax", "sigmoid" or None) isn't among the layers: networks
    return logits, and the task applies the activation once. `added` is how many of the last layers
    striate put behind what a user wrote: a dense layer, and flatten where it was needed.
    """

    layers: tuple[Item, ...]
    final_activation: str | None = None
    added: int = 0


@dataclass(frozen=True, kw_only=True)
class Step:
    """One layer at its place in a network, with the shapes (without batch) around it.

    `fields` are the receptive fields of its output, one for each axis of the picture.
    """

    name: str
    layer: Layer
    input: Shape
    output: Shape
    fields: Fields


class _DoesNotFitError(Exception):
    """A layer that can't be computed; caught by `walk`, which knows the whole network."""

    def __init__(self, number: int, layer: Layer, shape: Shape, why: str = "") -> None:
        super().__init__()
        self.number, self.layer, self.shape, self.why = number, layer, shape, why


def named(items: Sequence[Item]) -> list[tuple[str, Item]]:
    """Return the layers with their names: conv1, relu1, pool1, conv2."""
    seen: Counter[str] = Counter()
    pairs = []
    for item in items:
        seen[item.stem] += 1
        pairs.append((f"{item.stem}{seen[item.stem]}", item))
    return pairs


def walk(items: Sequence[Item], shape: Shape) -> tuple[Step, ...]:
    """Return one step for each layer, blocks opened, for a picture of `shape` (C, H, W).

    Raises NetworkError that names the first layer that can't be computed, with a picture size that
    would do.
    """
    try:
        return tuple(_Walker(shape).through(items, shape, "", _start(shape))[0])
    except _DoesNotFitError as error:
        raise NetworkError(_letter(items, shape, error)) from None


def output_shape(items: Sequence[Item], shape: Shape) -> Shape:
    """Return the shape of the network's outputs; raise NetworkError as `walk` does."""
    steps = walk(items, shape)
    return steps[-1].output if steps else shape


def _start(shape: Shape) -> Fields:
    return tuple(Field() for _ in shape[1:])


class _Walker:
    """Counts the layers of one walk; `picture` are the sizes of the network's input."""

    def __init__(self, shape: Shape) -> None:
        self.picture = shape[1:]
        self.number = 0

    def through(
        self, items: Sequence[Item], shape: Shape, prefix: str, fields: Fields
    ) -> tuple[list[Step], Shape, Fields]:
        """Return the steps through a list of layers, and the shape and fields after it."""
        steps: list[Step] = []
        for name, item in named(items):
            steps.extend(self._item(prefix + name, item, shape, fields))
            shape, fields = steps[-1].output, steps[-1].fields
        return steps, shape, fields

    def _item(self, name: str, item: Item, shape: Shape, fields: Fields) -> Iterator[Step]:
        if isinstance(item, Residual):
            yield from self._residual(name, item, shape, fields)
        elif isinstance(item, Parallel):
            yield from self._parallel(name, item, shape, fields)
        else:
            yield self._layer(name, item, shape, fields)

    def _layer(self, name: str, layer: Layer, shape: Shape, fields: Fields) -> Step:
        self.number += 1
        maps = len(shape) > 1
        if (maps and layer.takes == "vectors") or (not maps and layer.takes == "maps"):
            raise _DoesNotFitError(self.number, layer, shape)
        why = layer.objection(shape)
        if why:
            raise _DoesNotFitError(self.number, layer, shape, why)
        output = layer.output(shape)
        if min(output) < 1:
            raise _DoesNotFitError(self.number, layer, shape)
        after = layer.fields(fields, shape, self.picture)
        return Step(name=name, layer=layer, input=shape, output=output, fields=after)

    def _residual(self, name: str, block: Residual, shape: Shape, fields: Fields) -> Iterator[Step]:
        body, left, left_fields = self.through(block.body, shape, f"{name}.body.", fields)
        shortcut, right, right_fields = self.through(
            block.shortcut, shape, f"{name}.shortcut.", fields
        )
        if left != right:
            raise NetworkError(
                f"The branches of '{name}' can't be added: its body gives {times(left)}, its "
                f"shortcut {times(right)}. Give both the same channels and strides."
            )
        yield from body
        yield from shortcut
        joined = _joined([left_fields, right_fields])
        yield self._meeting(f"{name}.add", Add(), left, joined)

    def _parallel(self, name: str, block: Parallel, shape: Shape, fields: Fields) -> Iterator[Step]:
        shapes, ends = [], []
        for number, branch in enumerate(block.branches, start=1):
            steps, after, end = self.through(branch, shape, f"{name}.branch{number}.", fields)
            yield from steps
            shapes.append(after)
            ends.append(end)
        if len({after[1:] for after in shapes}) > 1:
            raise NetworkError(
                f"The branches of '{name}' can't be concatenated: they give "
                f"{', '.join(map(times, shapes))}. Give all the same height and width, by their "
                "strides and padding."
            )
        joined = (sum(after[0] for after in shapes), *shapes[0][1:])
        yield self._meeting(f"{name}.concatenate", Concatenate(), joined, _joined(ends))

    def _meeting(self, name: str, layer: Layer, shape: Shape, fields: Fields) -> Step:
        """Return the step in which branches become one map of `shape`."""
        self.number += 1
        return Step(name=name, layer=layer, input=shape, output=shape, fields=fields)


def _joined(branches: Sequence[Fields]) -> Fields:
    """Return the fields that hold those of all branches, axis by axis."""
    return tuple(reduce(Field.join, axis) for axis in zip(*branches, strict=True))


def _letter(items: Sequence[Item], shape: Shape, error: _DoesNotFitError) -> str:
    """Return what the user is told about the first impossible layer."""
    layer = f"layer {error.number} '{error.layer.notation}'"
    if error.why:
        return f"L{layer[1:]} {error.why}."
    if error.layer.takes == "vectors":
        return (
            f"A dense layer takes a vector, but {layer} gets a feature map of "
            f"{times(error.shape)}. Put 'flatten' or a global pooling before it."
        )
    if len(error.shape) == 1:
        return (
            f"A {error.layer.kind} layer takes a feature map, but {layer} gets a vector of "
            f"{error.shape[0]}. Put it before 'flatten' or the global pooling."
        )
    got = times(error.shape[1:])
    if error.number == 1:
        what = f"A picture of {got} is smaller than the first kernel: {layer} gets {got}"
    else:
        what = (
            f"A picture of {times(shape[1:])} shrinks below 1×1 in the middle: {layer} gets {got}"
        )
    return f"{what}; {_remedy(items, shape)}"


def _remedy(items: Sequence[Item], shape: Shape) -> str:
    """Return which size would do: the smallest square one, found by trying."""
    for size in range(1, LARGEST_PICTURE + 1):
        square = (size,) * len(shape[1:])
        try:
            _Walker((shape[0], *square)).through(items, (shape[0], *square), "", _start(shape))
        except _DoesNotFitError:
            continue
        return f"a picture of at least {times(square)} would do."
    return f"no picture up to {times((LARGEST_PICTURE,) * len(shape[1:]))} would do."
