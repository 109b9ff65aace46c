"""How activations and gradients of every layer moved during training."""

from typing import Any

from striate.report._blocks import Section, Table
from striate.report._run import Run
from striate.report._words import figure, words

MOST_ROWS = 40
"""Longer tables are folded."""


def states(run: Run) -> Section:
    """Return the section of the layers' deviations and gradient norms, first and last epoch."""
    rows = run.results.get("layer_states") or []
    by_layer: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_layer.setdefault(words(row.get("layer")), []).append(row)
    table = Table(
        title="Layers at the first step of the first and of the last epoch",
        head=("layer", "deviation", "… last", "gradient norm", "… last"),
        rows=tuple(
            (name, *_pair(each, "deviation"), *_pair(each, "gradient_norm"))
            for name, each in by_layer.items()
        ),
        numbers=(1, 2, 3, 4),
        folded=len(by_layer) > MOST_ROWS,
        caption="Deviation: standard deviation over all numbers that the layer gives for one batch. "
        "Gradient norm: length of the gradient of its weights. Deviations that shrink from layer to "
        "layer, or gradients a thousand times smaller than the largest, mean that a layer hardly "
        "learns; numbers that grow without end, that the rate is too large.",
    )
    return Section(
        key="states",
        title="Activations and gradients",
        blocks=(table,) if by_layer else (),
    )


def _pair(rows: list[dict[str, Any]], key: str) -> tuple[str, str]:
    first, last = rows[0].get(key), rows[-1].get(key)
    return _number(first), _number(last)


def _number(value: Any) -> str:
    return figure(value) if isinstance(value, int | float) else ""
