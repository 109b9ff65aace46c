"""The layer table as text, at most 100 columns wide where names and numbers allow it."""

from collections.abc import Sequence
from textwrap import fill
from typing import Any

from striate.network._compare import unread_words

WIDTH = 100

NOTE = (
    "FLOPs are for one picture: multiplications and additions, so 2 for each multiply-add; "
    "comparisons and exponentials aren't counted. Field: the pixels of the picture, in each "
    "direction, that one number of the output can depend on. Bytes are those of the layer's "
    "output, for one picture, as float32."
)

COMPARED = (
    "Dense: every output with a weight for every input. Unshared: the convolution's windows with "
    "other weights at every position. Connections: how many numbers one output reads."
)

Cells = Sequence[str]

_NO_BREAK = "\N{NO-BREAK SPACE}"


def text(summary: dict[str, Any]) -> str:
    """Return the tables of `Summary.to_json()`: layers with totals, sizes, convolutions, findings."""
    parts = [
        f"{summary['network']} for {_shape(summary['input'])}",
        f"{_layers(summary)}\n{_totals(summary)}",
        _sizes(summary),
        _convolutions(summary),
        _added(summary["added"]),
        "\n".join(map(_wrapped, summary["notes"])),
        _findings(summary),
        _wrapped(NOTE),
    ]
    return "\n\n".join(part for part in parts if part)


def _layers(summary: dict[str, Any]) -> str:
    """Return the table of layers; columns that are empty for this network are left out."""
    rows, timed = summary["layers"], summary["milliseconds"] is not None
    frozen = ["frozen"] if summary["frozen"] else []
    last = ["ms"] if timed else []
    headings = ["layer", "kind", "output", "parameters", *frozen, "FLOPs", "field", "bytes", *last]
    lines = [_cells(row, frozen=bool(frozen), timed=timed) for row in rows]
    return _aligned(headings, lines, left=3, ruled=True)


def _cells(row: dict[str, Any], *, frozen: bool, timed: bool) -> list[str]:
    field, spent = row["receptive_field"], row["milliseconds"]
    return [
        row["name"],
        row["kind"],
        _shape(row["output"]),
        f"{row['parameters']:,}",
        *([f"{row['frozen']:,}"] if frozen else []),
        f"{row['flops']:,}",
        "?" if field is None else _shape(field),
        f"{row['bytes']:,}",
        *([("" if spent is None else f"{spent:.3f}")] if timed else []),
    ]


def _sizes(summary: dict[str, Any]) -> str:
    """Return where each output size comes from, height and width on lines of their own."""
    lines = []
    for row in summary["layers"]:
        missed = unread_words(row["unread"] or ())
        formulas = row["formula"].split("; ") if row["formula"] else []
        for number, formula in enumerate(formulas):
            first = number == 0
            told = f"{missed} unread" if first and missed else ""
            lines.append(
                [row["name"] if first else "", _change(row) if first else "", formula, told]
            )
    return _aligned(["layer", "size", "from", ""], lines, left=4) if lines else ""


def _change(row: dict[str, Any]) -> str:
    """Return the sizes before and after without the channels: "29×28 → 14×14"."""
    before, after = (tuple(row[key]) for key in ("input", "output"))
    maps = len(before) > 1 and len(after) == len(before)
    return f"{_side(before[1:] if maps else before)} → {_side(after[1:] if maps else after)}"


def _side(sizes: Sequence[int]) -> str:
    return _shape(sizes) if len(set(sizes)) > 1 or len(sizes) > 2 else str(sizes[0])


def _convolutions(summary: dict[str, Any]) -> str:
    rows = [row for row in summary["layers"] if row["dense_parameters"] is not None]
    if not rows:
        return ""
    lines = [
        [
            row["name"],
            f"{row['parameters']:,}",
            f"{row['unshared_parameters']:,}",
            f"{row['dense_parameters']:,}",
            f"{row['connections']:,}",
        ]
        for row in rows
    ]
    headings = ["convolution", "parameters", "unshared", "dense", "connections"]
    return f"{_aligned(headings, lines, left=1)}\n{_wrapped(COMPARED)}"


def _added(names: Sequence[str]) -> str:
    if not names:
        return ""
    be = "was" if len(names) == 1 else "were"
    return f"{' and '.join(names)} {be} added: the network didn't end in a dense layer."


def _findings(summary: dict[str, Any]) -> str:
    found = [finding["sentence"] for finding in summary["findings"]]
    return "\n".join(fill(f"! {one}", WIDTH, subsequent_indent="  ") for one in found)


def _totals(summary: dict[str, Any]) -> str:
    parts = [
        f"{summary['parameters']:,} parameters"
        + (f" ({summary['frozen']:,} frozen)" if summary["frozen"] else ""),
        f"{summary['flops']:,} FLOPs ({summary['multiplies']:,} multiplications + "
        f"{summary['adds']:,} additions)",
        f"{summary['bytes']:,} bytes",
    ]
    if summary["milliseconds"] is not None:
        parts.append(f"{summary['milliseconds']:.3f} ms")
    # A number stays with its unit; lines end after commas.
    whole = ", ".join(part.replace(" ", _NO_BREAK) for part in parts)
    return _wrapped(whole).replace(_NO_BREAK, " ")


def _aligned(headings: Cells, lines: Sequence[Cells], *, left: int, ruled: bool = False) -> str:
    """Return aligned columns, the first `left` of them to the left, between rules if `ruled`."""
    widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]
    shown = [
        "  ".join(
            cell.ljust(width) if number < left else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in [headings, *lines]
    ]
    rule = ["─" * max(map(len, shown))] if ruled else []
    return "\n".join([shown[0], *rule, *shown[1:], *rule])


def _wrapped(sentences: str) -> str:
    return fill(sentences, WIDTH)


def _shape(sizes: Sequence[int]) -> str:
    return "×".join(str(size) for size in sizes) if sizes else "–"
