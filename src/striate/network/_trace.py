"""Receptive fields and sources of any forward pass, followed through PyTorch's own operations.

This knows nothing of specifications, so it also checks them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from striate.network._arithmetic import Shape, Window
from striate.network._field import Field, Fields, whole
from striate.network._graph import PICTURE, Reads

_ATEN = torch.ops.aten

# Operations that only hand numbers on.
_PLAIN = frozenset(
    {"alias", "clone", "contiguous", "detach", "expand", "permute", "reshape", "squeeze", "t"}
    | {"_reshape_alias", "_to_copy", "_unsafe_view", "transpose", "unsqueeze", "view"}
)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a tensor comes from.

    Attributes:
        reads: the rows that made it, by number, or PICTURE.
        computed: whether something was computed on the way without a module.
    """

    reads: Reads = ()
    computed: bool = False

    def join(self, other: "Origin") -> "Origin":
        """Return the origin of what is made from both."""
        reads = tuple(sorted({*self.reads, *other.reads}))
        return Origin(reads=reads, computed=self.computed or other.computed)


class FieldTrace(TorchDispatchMode):  # type: ignore[no-untyped-call]  # PyTorch's is untyped
    """Inside this context, every tensor made from `picture` gets its receptive fields and origin.

    `picture` is (1, C, H, W) or (1, C, L). Operations that keep the spatial size keep and join
    fields; those that end with one position or none read the whole map; convolution and pooling
    follow their window; after anything else the field is unknown.
    """

    def __init__(self, picture: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sizes = tuple(picture.shape[2:])
        # The tensors are kept, so that no id is given twice.
        self._known: dict[int, tuple[Tensor, Fields | None]] = {}
        self._origins: dict[int, Origin] = {id(picture): Origin(reads=(PICTURE,))}
        self.tell(picture, tuple(Field() for _ in self.sizes))

    def fields(self, tensor: Tensor) -> Fields | None:
        """Return the fields of a tensor, or None where they aren't known."""
        return self._known[id(tensor)][1] if id(tensor) in self._known else None

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        del types
        result = func(*args, **(kwargs or {}))
        sources = [one for one in _tensors((args, kwargs)) if id(one) in self._known]
        if sources:
            origin = self._origin_after(func, sources)
            for made in _tensors(result):
                self.tell(made, self._after(func, args, sources, made))
                self._origins[id(made)] = origin
        return result

    def tell(self, tensor: Tensor, fields: Fields | None) -> None:
        """Keep the fields of a tensor; also from outside, where they are known otherwise."""
        self._known[id(tensor)] = (tensor, fields)

    def origin(self, value: Any) -> Origin:
        """Return the joined origin of all tensors in `value`."""
        joined = Origin()
        for tensor in _tensors(value):
            joined = joined.join(self._origins.get(id(tensor), Origin()))
        return joined

    def tell_origin(self, value: Any, row: int) -> None:
        """Note that the tensors in `value` were made by a row."""
        for tensor in _tensors(value):
            self._known.setdefault(id(tensor), (tensor, None))
            self._origins[id(tensor)] = Origin(reads=(row,))

    def _origin_after(self, func: Any, sources: list[Tensor]) -> Origin:
        joined = self.origin(sources)
        name = func.overloadpacket.__name__
        return joined if name in _PLAIN else Origin(reads=joined.reads, computed=True)

    def _after(
        self, func: Any, args: tuple[Any, ...], sources: list[Tensor], made: Tensor
    ) -> Fields | None:
        windows = _windows(func, args)
        if windows is not None:
            fields = self.fields(args[0])
            if fields is None:
                return None
            return tuple(f.through(window) for f, window in zip(fields, windows, strict=True))
        joined: Fields | None = None
        for source in sources:
            fields = self._reshaped(source, tuple(made.shape[2:]))
            if fields is None:
                return None
            joined = fields if joined is None else tuple(map(Field.join, joined, fields))
        return joined

    def _reshaped(self, source: Tensor, positions: Shape) -> Fields | None:
        """Return a source's fields as they count in a result with these positions."""
        fields, before = self.fields(source), tuple(source.shape[2:])
        if fields is None or positions == before or all(size == 1 for size in before):
            return fields
        if all(size == 1 for size in positions) and len(before) == len(self.sizes):
            return whole(fields, before, self.sizes)
        return None


def _windows(func: Any, args: tuple[Any, ...]) -> tuple[Window, ...] | None:
    """Return the windows of a convolution or pooling, None for every other operation."""
    if func is _ATEN.convolution.default and not args[6]:
        numbers = (args[1].shape[2:], args[3], args[4], args[5])
        return _zip(*(list(number) for number in numbers))
    if func is _ATEN.constant_pad_nd.default and len(args[1]) % 2 == 0:
        return _padding(list(args[1]), args[0].ndim - 2)
    if func in (_ATEN.max_pool2d_with_indices.default, _ATEN.avg_pool2d.default):
        kernel = list(args[1])
        stride = list(args[2]) if len(args) > 2 and args[2] else kernel
        padding = list(args[3]) if len(args) > 3 else [0]
        return _zip(kernel, stride, padding, [1])
    return None


def _padding(pads: list[int], axes: int) -> tuple[Window, ...] | None:
    """Return padding by itself as windows of one pixel; None where channels are padded too.

    PyTorch gives the last axis first.
    """
    if len(pads) > 2 * axes:
        return None
    before = [*pads[::2], *[0] * (axes - len(pads) // 2)]
    return tuple(Window(kernel=1, padding=one) for one in reversed(before))


def _zip(*numbers: list[int]) -> tuple[Window, ...]:
    axes = len(numbers[0])
    full = [number * axes if len(number) == 1 else number for number in numbers]
    return tuple(
        Window(kernel=k, stride=s, padding=p, dilation=d) for k, s, p, d in zip(*full, strict=True)
    )


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield every tensor inside nested arguments or results."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _tensors(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _tensors(inner)
