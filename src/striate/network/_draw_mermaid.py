"""A network as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html)."""

from collections.abc import Iterator

from striate.network._draw import Drawing, Node, draw
from striate.network._rows import Summary

# What ends a text in quotes or is markup inside it; Mermaid writes entities with # and ;.
_ENTITIES = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;"}


def mermaid(table: Summary) -> str:
    """Return the flowchart's text, without a line end after it."""
    drawing = draw(table)
    lines = ["flowchart TD", f"    input([{_text(drawing.picture)}])"]
    for number, node in enumerate(drawing.nodes):
        lines.extend(_node(number, node))
    lines.extend(f"    {_out(drawing, a)} --> {_in(drawing, b)}" for a, b in drawing.edges)
    return "\n".join(lines)


def _node(number: int, node: Node) -> Iterator[str]:
    """Yield a box, or a block with its branches between a fork and a meeting."""
    times = f"{node.repeats} × " if node.repeats > 1 else ""
    if not node.branches:
        yield f"    n{number}[{_text(node.title, *node.lines)}]"
        return
    yield f"    subgraph b{number}[{_text(f'{times}{node.title}', *node.lines)}]"
    last = []
    if node.join:
        yield f"        n{number}(( ))"
        yield f"        j{number}([{_text(node.join)}])"
    for place, branch in enumerate(node.branches):
        names = [f"n{number}_{place}_{step}" for step in range(len(branch))]
        for name, words in zip(names, branch, strict=True):
            yield f"        {name}[{_text(words)}]"
        path = [f"n{number}", *names, f"j{number}"] if node.join else names
        if len(path) > 1:
            label = "" if branch else "|skip|"
            last.append(f"        {f' -->{label} '.join(path)}")
    yield from last
    yield "    end"


def _in(drawing: Drawing, number: int) -> str:
    node = drawing.nodes[number]
    return f"n{number}_0_0" if node.branches and not node.join else f"n{number}"


def _out(drawing: Drawing, number: int) -> str:
    if number < 0:
        return "input"
    node = drawing.nodes[number]
    if not node.branches:
        return f"n{number}"
    return f"j{number}" if node.join else f"n{number}_0_{len(node.branches[0]) - 1}"


def _text(*lines: str) -> str:
    """Return lines as a text in quotes."""
    escaped = ("".join(_ENTITIES.get(one, one) for one in line) for line in lines)
    return f'"{"<br/>".join(escaped)}"'
