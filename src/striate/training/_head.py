"""A linear head on fixed features, with its penalty chosen by cross-validation.

Logits are z = W f + b for features f, centred and brought to one scale. W and b minimise

    sum of w_n loss(z_n, target_n)  +  strength / 2 * (sum of W squared)

with the cross-entropy of the softmax (classification) or of each label's sigmoid (multi-label), by
L-BFGS; or with half the squared error of standardised targets (regression: ridge, solved directly).
The penalty is the one whose models do best on pictures held out in turn. C. M. Bishop, "Pattern
recognition and machine learning", 2006, sections 3.1.4 and 4.3.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.answer import Answer
from striate.training._head_model import Floats, Head, Model, answers_of, rows_of

Numbers = npt.NDArray[np.int64]

FOLDS = 5

STRENGTHS = tuple(float(f"{10**power:.3g}") for power in np.arange(4.5, -2.5, -0.5))
"""Penalties to try, from the strongest on."""

MIDDLE = 10.0
"""The penalty where nothing can be held out."""

SHARES = (0.25, 1.0)
"""How much the known classes' answers may vary, beside a variation of 1 of the features.

Which of the two is chosen on held-out pictures. EfficientNet-Lite0, share of right answers without and
with them: ants and bees, which are among its classes, at 256 px, 8 draws of 5 a class: 92.9 and 95.8 %;
of 20: 94.9 and 96.1; all: 96.7 and 98.0. CIFAR-10, 3 draws of 5 a class: 48.2 and 48.1; of 10: 55.7 and
55.5; of 50: 69.3 and 69.7; a quarter was chosen every time, 1 would have given 45.9, 51.4, 64.9."""

PATIENCE = 2
"""Penalties in a row, each weaker, that may do worse than the best before the rest are left out."""


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What a head is trained on.

    Attributes:
        features_NVF: float32 (N, V, F): V variants of each of N pictures, which count as one; the
            first is the picture as it is.
        targets: first axis N, as in `Source.targets`.
        groups_N: pictures of one group are held out together.
        weights_N: what each picture's loss is multiplied by, a mean of 1.
        known: the last so many features are roots of the known classes' probabilities.
    """

    features_NVF: npt.NDArray[np.float32]
    targets: npt.NDArray[Any]
    groups_N: Numbers
    weights_N: Floats
    known: int = 0


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One penalty, judged on pictures that were held out in turn.

    Attributes:
        strength: of the penalty.
        loss: the task's loss on them (`Answer.metrics`).
        figure: the task's figure on them: accuracy, ... (`Answer.selection`).
    """

    strength: float
    loss: float
    figure: float


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A head and how its penalty was found.

    Attributes:
        head: trained on all pictures.
        strength: the penalty that was chosen.
        tried: every penalty that was tried, from the strongest on; () where nothing could be held
            out.
        folds: how many times a part was held out.
        share: of `SHARES`; None where there are no known classes.
    """

    head: Head
    strength: float
    tried: tuple[Tried, ...]
    folds: int
    share: float | None = None


def fit_head(
    samples: Samples,
    answer: Answer,
    *,
    outputs: int,
    seed: int,
    label_smoothing: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> Fit:
    """Return the head with the penalty that held-out pictures speak for, trained on all of them.

    Where there are known classes, they speak for the share of these, too.

    Args:
        samples: N pictures of the training part.
        answer: the task.
        outputs: logits: one a name, or 1 for two classes.
        seed: of the division into folds.
        label_smoothing: classification: share of the target spread evenly over the classes.
        progress: called with (penalties tried, penalties at most).
    """
    # SciPy brings a BLAS of its own, and only libraries that are loaded are limited: ants and bees took
    # 6.8 instead of 0.4 s of processor time where it was imported later.
    import scipy.optimize  # type: ignore[import-untyped]  # noqa: F401
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    folds_N = folds_of(samples, answer, seed)
    models = [
        Model(answer, samples.targets, label_smoothing, known=samples.known, share=share)
        for share in (SHARES if samples.known else SHARES[:1])
    ]
    done = _counter(progress, len(models) * len(STRENGTHS))
    # One thread: the same bits whatever the number of processors, and no waiting for a busy one.
    with threadpool_limits(1, "blas"):
        model, tried = models[0], tuple[Tried, ...]()
        if folds_N.any():
            judged = [(one, _judged(one, samples, folds_N, done)) for one in models]
            model, tried = min(judged, key=lambda pair: min(one.loss for one in pair[1]))
        strength = min(tried, key=lambda one: one.loss).strength if tried else MIDDLE
        rows_RF, of_R = rows_of(samples.features_NVF)
        weights_R = samples.weights_N[of_R] / samples.features_NVF.shape[1]
        head = model.fitted(rows_RF, of_R, weights_R, strength=strength, outputs=outputs)
    return Fit(
        head=head,
        strength=strength,
        tried=tried,
        folds=int(folds_N.max()) + 1,
        share=model.share if samples.known else None,
    )


def _counter(progress: Callable[[int, int], None] | None, most: int) -> Callable[[], None]:
    """Return what tells `progress` of one more penalty, of at most so many."""
    count = 0

    def done() -> None:
        nonlocal count
        count += 1
        if progress:
            progress(count, most)

    return done


def folds_of(samples: Samples, answer: Answer, seed: int) -> Numbers:
    """Return the fold (N,) of each picture, from 0; all 0 where nothing can be held out.

    Groups stay together. They are dealt out in the order of their first picture's stratum, by chance
    within it, so that the folds are alike in their classes.
    """
    strata_N = answer.strata(samples.targets)
    _, first_G, group_N = np.unique(samples.groups_N, return_index=True, return_inverse=True)
    rarest = np.unique(strata_N[first_G], return_counts=True)[1].min()
    count = min(FOLDS, len(first_G), rarest if answer.task == "classification" else FOLDS)
    if count < 2:
        return np.zeros(len(strata_N), np.int64)
    by_chance_G = np.random.default_rng(seed).permutation(len(first_G))
    order_G = np.lexsort((by_chance_G, strata_N[first_G]))
    folds_G = np.empty(len(first_G), np.int64)
    folds_G[order_G] = np.arange(len(first_G)) % count
    folds_N: Numbers = folds_G[group_N.reshape(-1)]
    return folds_N


def _judged(
    model: Model,
    samples: Samples,
    folds_N: Numbers,
    done: Callable[[], None],
) -> tuple[Tried, ...]:
    """Return every penalty tried; mirrored pictures and the like are left out: they take as long."""
    plain_NF = samples.features_NVF[:, 0]
    fits = [
        model.path(plain_NF[folds_N != fold], np.flatnonzero(folds_N != fold), samples.weights_N)
        for fold in range(int(folds_N.max()) + 1)
    ]
    tried: list[Tried] = []
    for strength in STRENGTHS:
        answers_NK = np.zeros((len(plain_NF), len(model.answer.names)), np.float32)
        for fold, fit in enumerate(fits):
            logits = fit(strength).logits(plain_NF[folds_N == fold])
            answers_NK[folds_N == fold] = answers_of(model, logits)
        figures = model.answer.metrics(answers_NK, samples.targets)
        name = model.answer.selection[0]
        tried.append(Tried(strength=strength, loss=figures["loss"], figure=figures[name]))
        done()
        best = min(range(len(tried)), key=lambda at: tried[at].loss)
        if len(tried) - 1 - best >= PATIENCE:
            break
    return tuple(tried)
