"""Put the lines of results/transfer.jsonl together as Markdown: from scratch, or transfer?

python benchmarks/transfer_table.py
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LINES = Path(__file__).parent / "results" / "transfer.jsonl"

METHODS = {
    "scratch": "from scratch",
    "plain": "plain PyTorch, frozen",
    "fastai": "fastai `fine_tune`",
    "frozen": "striate, frozen",
    "frozen-all": "striate, frozen, nothing held out",
    "fine-tuned": "striate, fine-tuned",
}
COLUMNS = {
    "folds": ("fold",),
    "few-shot": ("5 a class", "10 a class", "20 a class"),
    "cifar10-few": ("10 a class", "50 a class", "250 a class"),
}
TITLES = {
    "folds": "ants and bees, 5 folds",
    "few-shot": "ants and bees",
    "cifar10-few": "CIFAR-10",
}
NOTHING = "–"

Lines = Mapping[str, Mapping[str, Any]]


def read_lines() -> Lines:
    """Return the lines by name; of two of one name, the later."""
    rows = map(json.loads, LINES.read_text(encoding="utf-8").splitlines())
    return {row["name"]: row for row in rows}


def accuracies(lines: Lines) -> list[str]:
    """Return the table of accuracies: a row a method, a column a number of pictures."""
    heads = [
        f"{TITLES[table]}, {column}" if len(columns) > 1 else TITLES[table]
        for table, columns in COLUMNS.items()
        for column in columns
    ]
    rows = [["accuracy, %", *heads], ["---"] * (len(heads) + 1)]
    for method, title in METHODS.items():
        cells = [
            _cell(lines.get(f"{table}-{method}"), column)
            for table, columns in COLUMNS.items()
            for column in columns
        ]
        if set(cells) != {NOTHING}:
            rows.append([title, *cells])
    return [_row(row) for row in rows]


def _cell(line: Mapping[str, Any] | None, column: str) -> str:
    if line is None or column not in line["accuracy"]:
        return NOTHING
    one = {key: f"{100 * value:.1f}" for key, value in line["accuracy"][column].items()}
    if one["lowest"] == one["highest"]:
        return one["mean"]
    return f"{one['mean']} ({one['lowest']}–{one['highest']})"


def whole_processes(lines: Lines) -> list[str]:
    """Return the table of `ants-bees`: seconds and accuracy; [] where it wasn't run."""
    line = lines.get("ants-bees")
    if line is None:
        return []
    rows = [["ants and bees, given parts", "seconds", "accuracy, %"], ["---", "---", "---"]]
    for name, one in line.items():
        if isinstance(one, dict) and "seconds" in one:
            found = sorted({f"{100 * each['accuracy']:.1f}" for each in one["figures"]})
            rows.append([name, f"{one['seconds']:.0f}", ", ".join(found)])
    known = lines.get("ants-bees-untrained")
    if known is not None:
        rows.append(["ImageNet's own classifier, untrained", "", f"{100 * known['accuracy']:.1f}"])
    return [_row(row) for row in rows]


def cells(lines: Lines) -> list[str]:
    """Return the table of the red cells: mean absolute errors; [] where it wasn't run."""
    rows = [["red cells a picture", "mean absolute error", "R²"], ["---", "---", "---"]]
    constant = ""
    for method, title in METHODS.items():
        line = lines.get(f"red-cells-{method}")
        if line is not None:
            one = line[method]["figures"][0]
            rows.append([title, f"{one['mae']:.2f}", f"{one['r2']:.2f}"])
            constant = f"{line['constant']['mae']:.2f}"
    if not constant:
        return []
    rows.append(["the training part's median", constant, ""])
    return [_row(row) for row in rows]


def _row(words: list[str]) -> str:
    return f"| {' | '.join(words)} |"


if __name__ == "__main__":
    known = read_lines()
    tables = [whole_processes(known), accuracies(known), cells(known)]
    print("\n\n".join("\n".join(one) for one in tables if one))
