"""Whether training the whole network is worth it, once a head on its frozen backbone is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

from striate.evaluation import measure
from striate.flow._facts import Told
from striate.flow._finish import Ended
from striate.flow._frozen import Frozen, ended_frozen, head_of
from striate.flow._prepare import Prepared
from striate.model import BATCH

if TYPE_CHECKING:
    from striate.flow._fit import Trained

FEWEST_WRONG = 10
"""Wrong validation pictures below which an improvement would drown in chance."""

LEAST_WRONG = 0.05
"""Share of wrong ones below which the frozen backbone is good enough."""

LONGEST = 600.0
"""Seconds that nobody is made to wait without having asked for it."""

STEPS_OF_A_LOOK = 6.0
"""How many times as long as features a picture takes in a step of training, with both passes."""


@dataclass(frozen=True)
class Decision:
    """Whether to go on, and why, in words; whether figures of the validation part say so."""

    on: bool
    why: str
    by_validation: bool = False


def decide(prepared: Prepared, frozen: Frozen) -> Decision:
    """Return whether to train the whole network from the fitted head on."""
    wanted = prepared.settings.network.fine_tune
    if wanted == "never":
        return Decision(False, "not asked for")
    if wanted == "always":
        return Decision(True, "asked for")
    if not frozen.validation:
        return Decision(False, "without a validation part nothing tells whether it helps")
    return _by_figures(prepared, frozen)


def _by_figures(prepared: Prepared, frozen: Frozen) -> Decision:
    name, larger = prepared.source.answer.selection
    count = len(prepared.split.validation)
    # What is left to gain, as a share: of right answers, or of explained variance.
    figure = frozen.validation.get("r2", 0.0) if not larger else frozen.validation[name]
    left = 1 - figure
    said = f"the head is wrong on {left * count:.0f} of {count:,} validation pictures"
    if prepared.source.answer.task != "classification":
        said = f"{'R²' if not larger else name} on the validation part is {figure:.3f}"
    if left < LEAST_WRONG or left * count < FEWEST_WRONG:
        return Decision(False, f"{said}: too little is left to gain", by_validation=True)
    seconds = _seconds(prepared, frozen)
    if seconds > LONGEST:
        return Decision(
            False,
            f"{said}, but it would take about {seconds / 60:.0f} min; --fine-tune always does it",
        )
    took = f"it takes about {max(1, round(seconds / 60))} min"
    return Decision(True, f"{said}; {took}", by_validation=True)


def _seconds(prepared: Prepared, frozen: Frozen) -> float:
    """Return about how long it would take, from a look at one batch."""
    some = prepared.store.take(prepared.split.train[:BATCH])
    runner = frozen.backbone.run(prepared.settings.training.threads)
    runner.run(some)
    begun = perf_counter()
    runner.run(some)
    look = (perf_counter() - begun) / BATCH / prepared.settings.network.views
    pictures = len(prepared.split.train) * (prepared.settings.training.epochs or 1)
    return pictures * look * STEPS_OF_A_LOOK


def better_of(
    prepared: Prepared,
    ended: Ended,
    trained: Trained,
    start: tuple[Frozen, Decision] | None,
    told: Told,
) -> Ended:
    """Return the trained network, or the frozen one that it began as where that one is better.

    Better by the task's figure on the validation part. What comes of too few pictures, or of too
    large a rate, isn't shipped.
    """
    if start is None:
        return ended
    frozen, best = start[0], trained.fitted.best
    # Which of the two is shipped is decided on it too.
    by_validation = bool(best and frozen.validation)
    ended = replace(ended, head=head_of(prepared, frozen, by_validation=by_validation))
    if not best or not frozen.validation:
        return ended
    name, larger = prepared.source.answer.selection
    sign = 1 if larger else -1
    before, after = frozen.validation, _as_shipped(prepared, ended, best)
    if sign * after[name] > sign * before[name]:
        return ended
    sentence = (
        f"Training the whole network didn't help: {name} on the validation part was "
        f"{before[name]:.4g} with the frozen backbone and {after[name]:.4g} after epoch "
        f"{ended.best_epoch}. The frozen one is shipped."
    )
    told.warn(sentence)
    return ended_frozen(prepared, frozen, ended.stopped, by_validation=True)


def _as_shipped(prepared: Prepared, ended: Ended, best: dict[str, float]) -> dict[str, float]:
    """Return the validation part's figures of the whole network, seen as often as the frozen one.

    `best` are the best epoch's: epochs are measured with one view of each picture.
    """
    if prepared.settings.network.views == 1:
        return best
    held_out, source = prepared.split.validation, prepared.source
    return measure(source.answer, ended.product.answers(held_out), source.targets[held_out])
