"""The first section: how good the network is, and under which conditions that was measured."""

from typing import Any

from striate.report._blocks import Block, Card, Cards, Section, Table, Terms
from striate.report._head import has_epochs, keeps_head
from striate.report._measures import BESIDE, LEADING, measure, parts_of, written
from striate.report._run import Json, Run
from striate.report._words import figure, percent, words

TRAIN = "Trained on: much better figures here than on the other parts mean overfitting."


def headline(run: Run) -> Section:
    """Return the section of final figures."""
    parts = parts_of(run.metrics)
    task = str(run.metrics.get("task", ""))
    blocks: list[Block] = []
    if parts:
        main = next(iter(parts))
        cards = (_card(task, name, run, main=name == main) for name in parts)
        blocks.append(Cards(cards=tuple(cards)))
        blocks.append(_all_figures(parts))
    conditions = _conditions(run.metrics)
    if conditions.terms:
        blocks.append(conditions)
    return Section(
        key="figures",
        title="How good it is",
        intro="All figures were taken in evaluation mode, without augmentation, and averaged over "
        "samples."
        if parts
        else "",
        blocks=tuple(blocks),
    )


def _card(task: str, part: str, run: Run, *, main: bool) -> Card:
    figures = run.metrics["parts"][part]
    key = LEADING.get(task, "loss")
    if key not in figures:
        key = "loss" if "loss" in figures else next(k for k in figures if k not in BESIDE)
    samples = figures.get("samples", 0)
    return Card(
        part=part,
        value=written(key, figures[key], samples),
        name=measure(key).name,
        lines=tuple(_card_lines(key, part, figures, run)),
        main=main,
    )


def _card_lines(key: str, part: str, figures: Json, run: Run) -> list[str]:
    samples = figures.get("samples", 0)
    lines = []
    if key == "accuracy" and "accuracy_low" in figures and "accuracy_high" in figures:
        low, high = (percent(figures[end], samples) for end in ("accuracy_low", "accuracy_high"))
        lines.append(f"95 % interval (Wilson): {low} to {high}")
    if "correct" in figures and "total" in figures:
        lines.append(f"{figure(figures['correct'])} of {figure(figures['total'])} right")
    if key == "mae":
        lines += [f"{name}: {figure(figures[name])}" for name in ("rmse", "r2") if name in figures]
        lines = [line.replace("rmse", "RMSE").replace("r2", "R²") for line in lines]
    if key != "loss" and "loss" in figures:
        lines.append(f"average loss {figure(figures['loss'])}")
    lines += _baseline(part, figures, run)
    if figures.get("sampled"):
        lines.append(f"on a seeded sample of {figure(samples)} pictures")
    elif "total" not in figures:
        lines.append(f"{figure(samples)} pictures")
    return [*lines, _said(part, run)]


def _said(part: str, run: Run) -> str:
    """Return in which decisions a part had a say, and so what its figures are worth."""
    if part == "train":
        return TRAIN
    head, trained = run.results.get("head") or {}, has_epochs(run)
    if part == "test":
        chosen = "the best epoch" if trained or not head else "the head's penalty"
        return f"Seen neither in training nor when {chosen} was chosen: the figure to quote."
    if keeps_head(run) and trained:
        return "Not trained on, but what was kept was chosen on it: slightly optimistic."
    if trained or not head:
        return "Not trained on, but the best epoch was chosen on it: slightly optimistic."
    if head.get("decided_on_validation"):
        return "Not trained on; only whether to train the whole network was decided on it."
    return "Not trained on, and nothing was chosen on it in this run."


def _baseline(part: str, figures: Json, run: Run) -> list[str]:
    """Return what always answering the training part's most frequent class would reach."""
    counts: dict[str, Any] = run.results.get("counts") or {}
    of_train, of_part = counts.get("train"), counts.get(part)
    classes = run.results.get("classes")
    single = run.metrics.get("task") == "classification"
    if not (single and of_train and of_part and classes) or figures.get("sampled"):
        return []
    most = of_train.index(max(of_train))
    name, share = classes[most], of_part[most] / max(sum(of_part), 1)
    return [f"always answering “{name}” would reach {percent(share)}"]


def _all_figures(parts: dict[str, Json]) -> Table:
    keys = list(dict.fromkeys(key for figures in parts.values() for key in figures))
    rows = tuple(
        (
            measure(key).name,
            *(written(key, part.get(key), part.get("samples", 0)) for part in parts.values()),
            measure(key).meaning,
        )
        for key in keys
        if key not in BESIDE
    )
    return Table(
        title="All figures",
        head=("measure", *parts, "what it says"),
        rows=rows,
        numbers=tuple(range(1, len(parts) + 1)),
    )


def _conditions(metrics: Json) -> Terms:
    named = {
        # 0: what was kept is of no epoch.
        "best epoch": metrics.get("best_epoch") or None,
        "training ended": metrics.get("stopped"),
    } | {name.replace("_", " "): value for name, value in (metrics.get("conditions") or {}).items()}
    terms = ((name, words(value), "") for name, value in named.items() if value is not None)
    return Terms(title="Conditions", terms=tuple(terms))
