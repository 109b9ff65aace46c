"""A second look at a network before training: what can't learn, and what is usually a mistake."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from striate.network._arithmetic import times
from striate.network._compare import left_over, unread, unread_words
from striate.network._look_linear import Chain, linear_pairs
from striate.network._rows import Row, Summary
from striate.network._spec_plain import Activation, BatchNorm, Dense, GlobalPool
from striate.network._spec_window import Conv, Pool

MULTIPLE = 10
"""From so many trainable parameters for each training value on, their number is a warning."""

_PROBABILITIES = {
    "softmax": ("cross-entropy",),
    "sigmoid": ("binary-cross-entropy", "cross-entropy"),
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something worth knowing about a network before it is trained.

    Attributes:
        level: "refuse" where nothing could be learnt, else "warn".
        layer: the layer's name as in the table; the network's where it is about all of it.
        sentence: what is so and what to do, for people.
    """

    level: Literal["warn", "refuse"]
    layer: str
    sentence: str


def look(
    table: Summary, *, loss: str | None = None, training_values: int | None = None
) -> tuple[Finding, ...]:
    """Return what a second look at a network's layers finds, refusals first.

    `loss` is the name of the loss ("cross-entropy"); without it, losses aren't considered.
    `training_values` is how many numbers the training pictures hold (pictures × channels × height
    × width); without it, the number of parameters isn't considered.
    """
    chain = Chain(table.rows)
    return (
        *_nothing_trainable(table),
        *_linear(chain),
        *_probabilities(chain, loss),
        *_biases(chain),
        *_unread(table),
        *_short_sighted(table),
        *_many_parameters(table, training_values),
    )


def _nothing_trainable(table: Summary) -> Iterator[Finding]:
    if table.trainable:
        return
    if table.parameters:
        what = f"All {table.parameters:,} parameters of the network are frozen"
        remedy = "Leave those of one layer or more trainable (requires_grad)."
    else:
        what = "The network has no parameters"
        remedy = "Add a convolution or a dense layer."
    yield Finding(
        level="refuse",
        layer=table.network,
        sentence=f"{what}, so nothing could be learnt. {remedy}",
    )


def _linear(chain: Chain) -> Iterator[Finding]:
    for pair in linear_pairs(chain):
        first, second = pair.first.name, pair.second.name
        count = pair.first.parameters + pair.second.parameters
        work = f"; their {count:,} parameters do what {pair.merged:,} could"
        yield Finding(
            level="warn",
            layer=first,
            sentence=(
                f"Between {first} and {second} there is no activation, so together they can compute "
                f"no more than {pair.one}{work if pair.merged < count else ''}. "
                f"Put an activation between them, for example 'relu', or take one of them out."
            ),
        )


def _probabilities(chain: Chain, loss: str | None) -> Iterator[Finding]:
    """Softmax and sigmoid where the loss expects logits; softmax between layers with weights."""
    for row in chain.rows:
        function = row.layer.function if isinstance(row.layer, Activation) else ""
        if function in _PROBABILITIES and chain.ends(row) and loss in _PROBABILITIES[function]:
            yield Finding(
                level="warn",
                layer=row.name,
                sentence=(
                    f"{row.name} makes probabilities, but {loss} expects logits and applies "
                    f"{_inside(loss)} itself; applied twice, the gradients become small and the "
                    f"probabilities can't come near 0 and 1. Take {row.name} out of the network."
                ),
            )
        elif function == "softmax" and chain.weighted_after(row):
            yield Finding(
                level="warn",
                layer=row.name,
                sentence=(
                    f"{row.name} stands between layers with weights: it makes each position's "
                    "numbers add up to 1, so they become small and hang together. "
                    "As an activation inside a network take 'relu'; the loss applies the softmax."
                ),
            )


def _inside(loss: str) -> str:
    return "a sigmoid" if loss == "binary-cross-entropy" else "a softmax"


def _biases(chain: Chain) -> Iterator[Finding]:
    """Biases that batch norm subtracts again with the mean; one finding for all of them."""
    pairs = [(row, norm) for row in chain.rows if (norm := _norm_after(chain, row)) is not None]
    if not pairs:
        return
    row, norm = pairs[0]
    spare = sum(_channels(one) for one, _ in pairs)
    rest = [one.name for one, _ in pairs[1:]]
    also = f" The same holds for {_names(rest)}." if rest else ""
    yield Finding(
        level="warn",
        layer=row.name,
        sentence=(
            f"{row.name} has a bias, but {norm.name} subtracts every channel's mean, and the bias "
            f"with it.{also} {_without_bias(row)} the network computes the same with {spare:,} "
            "parameters less."
        ),
    )


def _without_bias(row: Row) -> str:
    if not isinstance(row.layer, Conv | Dense):
        return "Without it"
    return f"Without it ('{replace(row.layer, bias=False).notation}')"


def _norm_after(chain: Chain, row: Row) -> Row | None:
    """Return the batch norm that takes away this layer's bias, if there is one."""
    if not isinstance(row.layer, Conv | Dense) or not row.layer.bias or not row.parameters:
        return None
    after = chain.only_reader(row)
    # A bias goes through unpadded pooling as it is.
    while (
        after is not None and isinstance(after.layer, Pool) and after.layer.padding in (0, (0, 0))
    ):
        after = chain.only_reader(after)
    return after if after is not None and isinstance(after.layer, BatchNorm) else None


def _channels(row: Row) -> int:
    return row.output[0] if isinstance(row.layer, Conv) else row.output[-1]


def _names(names: list[str], most: int = 3) -> str:
    shown, more = names[:most], len(names) - most
    last = f"{more} more" if more > 0 else shown.pop()
    return f"{', '.join(shown)} and {last}" if shown else last


def _unread(table: Summary) -> Iterator[Finding]:
    """Windows that leave positions out; not where a branch beside them reads the same."""
    for index, row in enumerate(table.rows):
        if not any(row.unread or ()) or _has_a_branch_beside(table, index):
            continue
        missed = unread_words(row.unread or ())
        sizes = f"{times(row.input[1:])} → {times(row.output[1:])}"
        yield Finding(
            level="warn",
            layer=row.name,
            sentence=f"{row.name} leaves {missed} of its input unread ({sizes}). {_remedy(row)}",
        )


def _has_a_branch_beside(table: Summary, index: int) -> bool:
    sources = set(table.rows[index].reads)
    return any(sources & set(row.reads) for other, row in enumerate(table.rows) if other != index)


def _remedy(row: Row) -> str:
    """Return what to do about unread positions: behind the last window, or between the windows."""
    behind = () if row.layer is None else left_over(row.layer, row.input) or ()
    if behind != row.unread:
        return "Take a smaller stride or dilation."
    if isinstance(row.layer, Pool):
        ceil = replace(row.layer, ceil=True)
        if unread(ceil, row.input) == (0,) * len(behind):
            return f"'{ceil.notation}' reads them too."
    sizes = tuple(size - one for size, one in zip(row.input[1:], behind, strict=True))
    return f"An input of {times(sizes)}, or padding, leaves none."


def _short_sighted(table: Summary) -> Iterator[Finding]:
    """Global pooling, after the last convolution, of numbers that have seen less than the picture."""
    last = max((n for n, row in enumerate(table.rows) if isinstance(row.layer, Conv)), default=-1)
    for row in table.rows[last + 1 :]:
        source = row.reads[0] if len(row.reads) == 1 else -1
        fields = table.rows[source].fields if source >= 0 else None
        if not isinstance(row.layer, GlobalPool) or fields is None or row.computed:
            continue
        picture = table.input[1:]
        seen = tuple(field.size for field in fields)
        if all(one >= size for one, size in zip(seen, picture, strict=True)):
            continue
        yield Finding(
            level="warn",
            layer=row.name,
            sentence=(
                f"Before {row.name} no number has seen more than {times(seen)} of the picture's "
                f"{times(picture)} pixels, so nothing larger is seen as a whole. Add convolution "
                "and pooling before it, or make the pictures smaller."
            ),
        )


def _many_parameters(table: Summary, values: int | None) -> Iterator[Finding]:
    if values is None or table.trainable <= MULTIPLE * values:
        return
    yield Finding(
        level="warn",
        layer=table.network,
        sentence=(
            f"The network has {table.trainable:,} trainable parameters, "
            f"{table.trainable / values:,.1f} times the {values:,} numbers in the training "
            f"pictures; above {MULTIPLE} times, it may learn the pictures by heart. Take a smaller "
            "network or more pictures."
        ),
    )
