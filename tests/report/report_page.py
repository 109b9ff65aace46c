"""Reading a report as a program: its elements, texts and figures."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np

VOID = {"meta", "link", "img", "br", "hr", "input"}


@dataclass
class Element:
    """One element: its tag, attributes, the text inside it (children's too) and its ancestors."""

    tag: str
    attributes: dict[str, str]
    above: tuple[str, ...]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """Every element of a page, in order; raises AssertionError where tags aren't balanced."""

    source: str
    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[Element] = []
        self.feed(self.source)
        self.close()
        assert not self._open, f"never closed: {[each.tag for each in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice"
        element = self._add(tag, attrs)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1].tag == tag, f"</{tag}> closes nothing"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]

    def section(self, key: str) -> Element | None:
        return next((e for e in self.all("section") if e.attributes["id"] == key), None)

    def _add(self, tag: str, attrs: list[tuple[str, str | None]]) -> Element:
        above = tuple(element.tag for element in self._open)
        element = Element(tag, {name: value or "" for name, value in attrs}, above)
        self.elements.append(element)
        return element


class Plot:
    """One figure of a page, with axes read back from the numbers written beside them."""

    def __init__(self, page: str, key: str) -> None:
        place = page.index(f'id="{key}-title"')
        start, end = page.rindex("<svg", 0, place), page.index("</svg>", place) + len("</svg>")
        self.markup = page[start:end]
        self.root = ElementTree.fromstring(self.markup)
        self.description = self.root.findtext("desc") or ""

    def find(self, tag: str, class_: str = "") -> list[ElementTree.Element]:
        wanted = set(class_.split())
        return [e for e in self.root.iter(tag) if wanted <= set(e.get("class", "").split())]

    def read_x(self, places: object, *, log: bool = False) -> np.ndarray:
        return self._read("middle", "x", places, 0.0, log=log)

    def read_y(self, places: object, *, log: bool = False) -> np.ndarray:
        return self._read("end", "y", places, 4.5, log=log)

    def per_unit(self, axis: str) -> float:
        """Return how much the axis changes over one viewBox unit (linear axes)."""
        read = self.read_x if axis == "x" else self.read_y
        first, second = read([100.0, 101.0])
        return abs(second - first)

    def points(self, class_: str) -> np.ndarray:
        """Return the (x, y) places of the one polyline of these classes."""
        (line,) = self.find("polyline", class_)
        return np.array([pair.split(",") for pair in line.get("points", "").split()], float)

    def _read(
        self, anchor: str, axis: str, places: object, shift: float, *, log: bool
    ) -> np.ndarray:
        ticks = [e for e in self.find("text", "tick") if e.get("text-anchor") == anchor]
        at = np.array([float(e.get(axis, "")) - shift for e in ticks])
        values = np.array([float("".join(e.itertext()).replace(",", "")) for e in ticks])
        slope, start = np.polyfit(at, np.log10(values) if log else values, 1)
        read = start + slope * np.asarray(places, float)
        return 10**read if log else read
