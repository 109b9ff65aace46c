"""The worst mistakes, as pictures."""

from typing import Any

from striate.report._blocks import Block, Section, Tile
from striate.report._held_out import on
from striate.report._pictures import gallery, is_picture, tile
from striate.report._run import Run
from striate.report._words import figure, percent, words


def mistakes(run: Run) -> Section:
    """Return the section of the worst mistakes."""
    rows = run.results.get("mistakes") or []
    tiles = [_tile(row) for row in rows if is_picture(row.get("picture"))]
    caption = (
        "Worst first. Look for labels that are wrong, "
        "pictures that even you find hard, and kinds of pictures that are missing from training."
    )
    blocks: tuple[Block, ...] = (gallery(tiles, caption=caption),) if tiles else ()
    part = run.results.get("mistakes_of")
    return Section(
        key="mistakes",
        title="The worst mistakes",
        intro=f"On {on(part)}." if part else "",
        blocks=blocks,
    )


def _tile(row: dict[str, Any]) -> Tile:
    target, answer, name = (words(row.get(key)) for key in ("target", "answer", "name"))
    lines = [("target", target), ("answer", answer)]
    if row.get("confidence") is not None:
        lines.append(("confidence", percent(row["confidence"])))
    if row.get("error") is not None:
        lines.append(("error", figure(row["error"])))
    lines.append(("", name))
    alt = f"{name}: target {target}, answer {answer}"
    return tile(row["picture"], alt=alt, lines=tuple(lines))
