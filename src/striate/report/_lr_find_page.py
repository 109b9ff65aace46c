"""The page of `striate lr-find`."""

from dataclasses import dataclass
from pathlib import Path

from striate.report._blocks import Block, Code, Figure, Section, Terms
from striate.report._lr_find_plot import Mark, rate_plot
from striate.report._page import page
from striate.report._place import write_page
from striate.report._scale import Floats
from striate.report._words import plain

KIND = "lr-find"


@dataclass(frozen=True, kw_only=True)
class RatePage:
    """What the page shows.

    Attributes:
        title: the source's name.
        facts: (name, value, reason or "") of the training that was prepared.
        suggested: the rate for its schedule; None where none can be suggested.
        reason: what the curve says, in sentences.
        constant: the rate where a schedule may begin at full height; None as above.
        one_cycle: one-cycle's largest rate; None as above.
        rates, losses, smoothed: (S,) the curve; rates are above 0 and grow.
    """

    title: str
    facts: tuple[tuple[str, str, str], ...]
    suggested: float | None
    reason: str
    constant: float | None
    one_cycle: float | None
    rates: Floats
    losses: Floats
    smoothed: Floats


def write_rates(path: Path, shown: RatePage) -> None:
    """Write the page: one file, no script, nothing that is fetched.

    Raises:
        UsageError: another file would be replaced.
        DiskError: it can't be written.
    """
    write_page(path, render(shown), KIND)


def render(shown: RatePage) -> str:
    """Return the page as text."""
    return page(
        [_rate(shown), _training(shown)],
        title=plain(shown.title),
        kind=KIND,
        subtitle="Which learning rate: the loss while the rate grows at every step",
        origin=f"{len(shown.rates)} steps of training",
    )


def _rate(shown: RatePage) -> Section:
    rate = "none" if shown.suggested is None else f"{shown.suggested:g}"
    blocks: list[Block] = [
        Terms(terms=(("suggested rate", rate, plain(shown.reason)),)),
        _curve(shown),
    ]
    if shown.suggested is not None:
        blocks.append(
            Code(
                title="To train with it",
                text=f"--learning-rate {rate}",
                caption="Beside the options that this test was given.",
            )
        )
    return Section(key="rate", title="Learning rate", blocks=tuple(blocks))


def _curve(shown: RatePage) -> Figure:
    return Figure(
        title="Loss against learning rate",
        svg=rate_plot(
            shown.rates, shown.losses, shown.smoothed, marks=_marks(shown), text=plain(shown.reason)
        ),
        caption="Each dot is the loss of one step's batch before its update; the line is their mean "
        "under a Gaussian of a quarter decade. On the left the rate is too small to change "
        "anything; on the right it throws the weights off. Losses above the axis are drawn at its "
        "top.",
    )


def _marks(shown: RatePage) -> list[Mark]:
    """Return where two thirds of the fall are done and where the loss is smallest, and which is it."""
    named = (("2/3 of the fall", shown.constant), ("smallest loss", shown.one_cycle))
    return [
        (rate, (name, f"{rate:g}, suggested" if rate == shown.suggested else f"{rate:g}"))
        for name, rate in named
        if rate is not None
    ]


def _training(shown: RatePage) -> Section:
    terms = tuple((name, plain(value), plain(why)) for name, value, why in shown.facts)
    return Section(
        key="training",
        title="The training that was prepared",
        intro="The network starts from its initial weights; what the test trained is thrown away. "
        "The learning rate below is that of the settings, which the test doesn't use.",
        blocks=(Terms(terms=terms),),
    )
