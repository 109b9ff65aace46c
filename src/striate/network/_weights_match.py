"""Which tensor of the weights belongs to which of a module, by names and shapes alone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from striate.network._weights_channels import RGB

Size = tuple[int, ...]
Shapes = Mapping[str, Size]

Pair = tuple[str, str]
"""(name in the module, name in the weights)"""


@dataclass(frozen=True)
class Wanted:
    """A module's tensors.

    Attributes:
        shapes: by name, in the module's order.
        classifier: name of its last, dense layer, whose outputs may differ; "" where it has none.
        first: name of the first convolution's weight, whose channels may differ; "" for none.
    """

    shapes: Shapes
    classifier: str
    first: str

    def takes(self, name: str, came: Size) -> bool:
        """Return whether a tensor can be filled with one of this shape."""
        expected = self.shapes[name]
        if expected == came:
            return True
        if name != self.first or len(came) != 4:
            return False
        return came[1] == RGB and (expected[0], *expected[2:]) == (came[0], *came[2:])

    def keeps(self, name: str, came: Size) -> bool:
        """Return whether a tensor is the classifier's, and differs in its outputs only."""
        return _layer(name) == self.classifier != "" and self.shapes[name][1:] == came[1:]


@dataclass(frozen=True)
class Mismatch:
    """A tensor that doesn't fit; None for the side that has none."""

    name: str
    expected: Size | None
    came: Size | None

    def __str__(self) -> str:
        return f"{self.name}: expected {_words(self.expected)}, came {_words(self.came)}"


@dataclass(frozen=True)
class Match:
    """Pairs to be copied; the module's tensors kept; the weights' left out; and what differs."""

    pairs: tuple[Pair, ...]
    kept: tuple[str, ...]
    left_out: tuple[str, ...]
    mismatches: tuple[Mismatch, ...]


def share_named(wanted: Wanted, came: Shapes) -> float:
    """Return the share, 0 to 1, of the module's names that the weights have too."""
    return len(wanted.shapes.keys() & came.keys()) / max(1, len(wanted.shapes))


def match_by_name(wanted: Wanted, came: Shapes) -> Match:
    """Return the match of equal names.

    Layers of the weights that the module hasn't (a classifier, an auxiliary one) are left out; a
    tensor beside ones that it has (a bias) is a mismatch.
    """
    layers = {_layer(name) for name in wanted.shapes}
    extra = [name for name in came if name not in wanted.shapes]
    odd = [Mismatch(name, None, came[name]) for name in extra if _layer(name) in layers]
    left_out = [name for name in extra if _layer(name) not in layers]
    both = [(name, name) for name in wanted.shapes if name in came]
    missing = [
        Mismatch(name, expected, None)
        for name, expected in wanted.shapes.items()
        if name not in came
    ]
    return _sorted_out(wanted, came, both, left_out, [*missing, *odd])


def match_by_order(wanted: Wanted, came: Shapes) -> Match:
    """Return the match of equal places; the weights' dense layers beyond the last are left out.

    Where something differs, the longest common runs of shapes are set against each other, so that
    one tensor too many is one mismatch and not hundreds.
    """
    names, others = list(wanted.shapes), list(came)
    tail = others[len(names) :]
    pairs = list(zip(names, others, strict=False))
    roles = all(_role(name) == _role(other) for name, other in pairs)
    if len(names) <= len(others) and roles and _are_dense(tail, came):
        match = _sorted_out(wanted, came, pairs, tail, [])
        if not match.mismatches:
            return match
    return Match((), (), (), tuple(_differences(wanted, came)))


def _sorted_out(
    wanted: Wanted,
    came: Shapes,
    both: Iterable[Pair],
    left_out: Iterable[str],
    mismatches: Iterable[Mismatch],
) -> Match:
    """Return the match of these pairs: taken, kept as they are, or differing in shape."""
    pairs: list[Pair] = []
    kept: list[str] = []
    out, wrong = list(left_out), list(mismatches)
    layer_differs = {
        _layer(name)
        for name, other in both
        if not wanted.takes(name, came[other]) and wanted.keeps(name, came[other])
    }
    for name, other in both:
        if _layer(name) in layer_differs and wanted.keeps(name, came[other]):
            kept.append(name)
            out.append(other)
        elif wanted.takes(name, came[other]):
            pairs.append((name, other))
        else:
            wrong.append(Mismatch(name, wanted.shapes[name], came[other]))
    return Match(tuple(pairs), tuple(kept), tuple(out), tuple(wrong))


def _differences(wanted: Wanted, came: Shapes) -> Iterator[Mismatch]:
    names, others = list(wanted.shapes), list(came)
    ours = [(_role(name), _comparable(wanted, name)) for name in names]
    theirs = [(_role(other), came[other]) for other in others]
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    for kind, low, high, begin, end in matcher.get_opcodes():
        if kind == "equal":
            continue
        both = min(high - low, end - begin)
        for name, other in zip(names[low : low + both], others[begin : begin + both], strict=True):
            if wanted.keeps(name, came[other]):
                continue
            label = name if _role(name) == _role(other) else f"{name} ('{other}')"
            yield Mismatch(label, wanted.shapes[name], came[other])
        for name in names[low + both : high]:
            yield Mismatch(name, wanted.shapes[name], None)
        for other in others[begin + both : end]:
            yield Mismatch(other, None, came[other])


def _comparable(wanted: Wanted, name: str) -> Size:
    """Return the shape that weights should have: RGB for the first kernel."""
    shape = wanted.shapes[name]
    return (shape[0], RGB, *shape[2:]) if name == wanted.first else shape


def _are_dense(names: Iterable[str], came: Shapes) -> bool:
    """Return whether tensors are whole dense layers: a matrix each, and vectors beside it."""
    layers: dict[str, list[int]] = {}
    for name in names:
        layers.setdefault(_layer(name), []).append(len(came[name]))
    return all(max(axes) == 2 for axes in layers.values())


def _layer(name: str) -> str:
    return name.rpartition(".")[0]


def _role(name: str) -> str:
    return name.rpartition(".")[2]


def _words(shape: Size | None) -> str:
    return "nothing" if shape is None else str(shape)
