"""The layer table as text."""

from typing import Any

NOTE = (
    "FLOPs are for one picture: multiplications and additions, so 2 for each multiply-add; "
    "comparisons and\nexponentials aren't counted. Bytes are those of the layer's output, "
    "for one picture, as float32."
)

_HEADINGS = ("layer", "kind", "output", "parameters", "FLOPs", "receptive field", "bytes")
_LEFT = ("layer", "kind", "output", "size")


def text(summary: dict[str, Any]) -> str:
    """Return the table of `Summary.to_json()`: one line a layer, then totals."""
    timed = summary["milliseconds"] is not None
    headings = [*_HEADINGS, *(["ms"] if timed else []), "size"]
    lines = [_cells(row, timed=timed) for row in summary["layers"]]
    widths = [max(len(line[i]) for line in [headings, *lines]) for i in range(len(headings))]
    shown = [_line(line, headings, widths) for line in [headings, *lines]]
    rule = "─" * max(len(line) for line in shown)
    title = f"{summary['network']} for {_shape(summary['input'])}"
    return "\n".join([title, "", shown[0], rule, *shown[1:], rule, _totals(summary), "", NOTE])


def _cells(row: dict[str, Any], *, timed: bool) -> list[str]:
    field, spent = row["receptive_field"], row["milliseconds"]
    return [
        row["name"],
        row["kind"],
        _shape(row["output"]),
        f"{row['parameters']:,}",
        f"{row['flops']:,}",
        "?" if field is None else _shape(field),
        f"{row['bytes']:,}",
        *([("" if spent is None else f"{spent:.3f}")] if timed else []),
        row["formula"],
    ]


def _line(cells: list[str], headings: list[str], widths: list[int]) -> str:
    padded = [
        cell.ljust(width) if heading in _LEFT else cell.rjust(width)
        for cell, heading, width in zip(cells, headings, widths, strict=True)
    ]
    return "  ".join(padded).rstrip()


def _totals(summary: dict[str, Any]) -> str:
    parts = [
        f"{summary['parameters']:,} parameters",
        f"{summary['flops']:,} FLOPs ({summary['multiplies']:,} multiplications + "
        f"{summary['adds']:,} additions)",
        f"{summary['bytes']:,} bytes",
    ]
    if summary["milliseconds"] is not None:
        parts.append(f"{summary['milliseconds']:.3f} ms")
    return ", ".join(parts)


def _shape(sizes: list[int]) -> str:
    return "×".join(str(size) for size in sizes) if sizes else "–"
