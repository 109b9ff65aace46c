"""Calibration: how often answers of a confidence are right."""

from typing import Any

from markupsafe import Markup

from striate.report._frame import Frame
from striate.report._svg import drawing, element


def reliability(
    frame: Frame, bins: list[dict[str, Any]], *, key: str, title: str, text: str
) -> Markup:
    """Return a bar per bin (`low`, `high`, `accuracy`) and a dot at its mean `confidence`.

    Axes are in per cent; `count` makes the dot larger. Empty bins are left out.
    """
    most = max(each["count"] for each in bins)
    parts = [
        element(
            "line",
            class_="hint",
            x1=frame.x.start,
            x2=frame.x.end,
            y1=frame.y.start,
            y2=frame.y.end,
        )
    ]
    for each in bins:
        left, right, middle = frame.x(
            [100 * each["low"], 100 * each["high"], 100 * each["confidence"]]
        ).tolist()
        top = float(frame.y(100 * each["accuracy"]))
        parts.append(
            element(
                "rect",
                class_="bar pale c0",
                x=left + 1,
                y=top,
                width=max(right - left - 2, 0.5),
                height=frame.y.start - top,
            )
        )
        radius = 2.5 + 5 * (each["count"] / most) ** 0.5
        parts.append(element("circle", class_="dot c1", cx=middle, cy=top, r=radius))
    return Markup(
        drawing(
            frame.under,
            *parts,
            key=key,
            title=title,
            text=text,
            width=frame.width,
            height=frame.height,
        )
    )
