"""How near `--minutes` comes to what was asked: the whole process, on data of striate's own.

python benchmarks/minutes.py [--runs N]

Each line is of its own budget; seconds / (60 · minutes) is the figure that should lie in 0.95 to 1.05.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from harness import Contender, compare, main

BUDGETS = (0.5, 1.0, 2.0)


def _figures(text: str, _folder: Path) -> dict[str, Any]:
    result = json.loads(text)
    return {"accuracy": result["parts"]["test"]["accuracy"], "load": round(os.getloadavg()[0], 1)}


def digits(arguments: argparse.Namespace) -> dict[str, Any]:
    """Scikit-learn's digits, with a budget of half a minute, one minute and two."""
    ours = [sys.executable, "-m", "striate", "train", "digits", "--json", "--quiet", "--minutes"]
    return compare(
        "minutes-digits",
        [
            Contender(f"{minutes:g} minutes", [*ours, f"{minutes:g}"], _figures)
            for minutes in BUDGETS
        ],
        runs=arguments.runs,
        note="whole process, empty cache; the load is that of the minute before the end",
    )


if __name__ == "__main__":
    main("minutes", {"minutes-digits": digits})
