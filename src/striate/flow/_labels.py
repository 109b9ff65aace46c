"""Labels that are probably wrong: a quick model doubts them, though it never saw the picture."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from striate.answer import Classification
from striate.data import Source, Store, hash_ids
from striate.errors import UsageError
from striate.flow._labels_features import random_waves

Floats = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int64]
Positions = npt.NDArray[np.int64]

FOLDS = 5
SURE = 0.9
"""Least probability of another class for a label to be named: a model that knows little names none."""

_FOLDS_KEY = 0x464F_4C44
# Shares of the features' sums of squares that are tried as the ridge.
_RIDGES = (0.01, 0.1, 1.0)


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A picture whose label is probably wrong.

    Attributes:
        position, name: of the picture.
        given, likely: its class, and the one that the model takes it for.
        confidence: the model's probability for `likely`.
        given_confidence: its probability for `given`.
    """

    position: int
    name: str
    given: str
    likely: str
    confidence: float
    given_confidence: float


@dataclass(frozen=True, kw_only=True)
class Doubts:
    """What the quick model thinks of all labels.

    Attributes:
        suspects: the least credible label first.
        accuracy: share of pictures whose given label it finds, without having seen the picture.
        samples: pictures looked at.
    """

    suspects: tuple[Suspect, ...]
    accuracy: float
    samples: int


def doubt_labels(source: Source, stored: Store, positions: Positions, *, seed: int = 0) -> Doubts:
    """Return the labels that cross-validation contradicts with confidence.

    A linear model on `random_waves` is fitted five times, each time without a fifth of the
    pictures, and asked about that fifth. What it says is weighed by confident learning (`confident`),
    and named where the other class has a probability of `SURE` or more.

    Args:
        source: a classification.
        stored: its pictures.
        positions: (M,) pictures to look at: all that can be taken.
        seed: of the folds and the features.

    Raises:
        UsageError: the source is no classification, or has too few pictures.
    """
    answer = source.answer
    if not isinstance(answer, Classification):
        raise UsageError(
            f"--labels looks for wrong classes, but {source.name} is {answer.task}. Leave it out."
        )
    targets = source.targets[positions]
    if np.bincount(targets).max(initial=0) < FOLDS or len(positions) < 2 * FOLDS:
        raise UsageError(
            f"--labels needs {2 * FOLDS} pictures and {FOLDS} of a class; {source.name} has "
            f"{len(positions)}. Leave it out."
        )
    folds = folds_of(source.ids[positions], seed)
    scores_MK = cross_scores(
        random_waves(stored, positions, seed), targets, len(answer.classes), folds
    )
    probabilities_MK = calibrated(scores_MK, targets)
    likely, order = confident(probabilities_MK, targets)
    suspects = tuple(
        Suspect(
            position=int(positions[row]),
            name=source.pictures.name(int(positions[row])),
            given=answer.classes[targets[row]],
            likely=answer.classes[likely[row]],
            confidence=float(probabilities_MK[row, likely[row]]),
            given_confidence=float(probabilities_MK[row, targets[row]]),
        )
        for row in order.tolist()
        if probabilities_MK[row, likely[row]] >= SURE
    )
    accuracy = float((scores_MK.argmax(axis=1) == targets).mean())
    return Doubts(suspects=suspects, accuracy=accuracy, samples=len(positions))


def folds_of(ids: npt.NDArray[np.uint64], seed: int) -> Classes:
    """Return the fold, 0 to 4, of every id: equal ids share one, and sizes differ by chance."""
    hashed = hash_ids(_FOLDS_KEY, seed, ids=ids)
    return (hashed % np.uint64(FOLDS)).astype(np.int64)


def cross_scores(
    features_MD: npt.NDArray[np.float32], targets: Classes, classes: int, folds: Classes
) -> Floats:
    """Return scores (M, K) for pictures that the model wasn't fitted to: ridge regression by folds.

    Sums over a fold are taken from sums over all, so that no product is worked out twice. The ridge
    is the one of `_RIDGES` with the most right answers.
    """
    wanted_MK = np.full((len(targets), classes), -1 / max(1, classes - 1), np.float32)
    wanted_MK[np.arange(len(targets)), targets] = 1
    square = (features_MD.T @ features_MD).astype(np.float64)
    product = (features_MD.T @ wanted_MK).astype(np.float64)
    scores_RMK = np.zeros((len(_RIDGES), len(targets), classes))
    for fold in np.unique(folds).tolist():
        out = folds == fold
        inside = features_MD[out]
        square_DD, product_DK = square - inside.T @ inside, product - inside.T @ wanted_MK[out]
        diagonal = np.diag_indices(len(square_DD))
        mean_square = float(square_DD[diagonal].mean())
        for number, ridge in enumerate(_RIDGES):
            firm_DD = square_DD.copy()
            firm_DD[diagonal] += ridge * mean_square
            scores_RMK[number, out] = inside @ np.linalg.solve(firm_DD, product_DK)
    right = (scores_RMK.argmax(axis=2) == targets).sum(axis=1)
    best: Floats = scores_RMK[int(right.argmax())]
    return best


def calibrated(scores_MK: Floats, targets: Classes) -> Floats:
    """Return softmax probabilities of scores times the factor with the smallest Brier score.

    It is bounded, where the likelihood would make the model unsure for the sake of wrong labels.
    """
    wanted_MK = np.eye(scores_MK.shape[1])[targets]
    factors = np.geomspace(0.25, 64, 49)
    apart = [((_softmax(factor * scores_MK) - wanted_MK) ** 2).mean() for factor in factors]
    return _softmax(factors[int(np.argmin(apart))] * scores_MK)


def confident(probabilities_MK: Floats, targets: Classes) -> tuple[Classes, npt.NDArray[np.int64]]:
    """Return (likely class (M,), rows whose label is suspicious, the least credible first).

    Confident learning, pruned by noise rate (Northcutt, Jiang and Chuang, JAIR 2021,
    arXiv:1911.00068). The threshold of a class is the mean probability that its own pictures give
    it; a picture is counted for the class with the largest probability of those that reach their
    thresholds. From these counts follows how many pictures of class k are really of class l; that many,
    those with the largest probability of l less that of k, are suspicious. Rows are ordered by the
    probability of the given class less that of the likely one.
    """
    rows = np.arange(len(targets))
    own = probabilities_MK[rows, targets]
    joint_KK = joint_counts(probabilities_MK, targets)
    likely = probabilities_MK.argmax(axis=1)
    suspicious = np.zeros(len(targets), np.bool_)
    for given, other in zip(*np.nonzero(joint_KK), strict=True):
        if given != other:
            inside = np.flatnonzero(targets == given)
            margin = probabilities_MK[inside, other] - own[inside]
            first = np.argsort(-margin, kind="stable")[: joint_KK[given, other]]
            suspicious[inside[first]] = True
    chosen = np.flatnonzero(suspicious & (likely != targets))
    gap = own[chosen] - probabilities_MK[chosen, likely[chosen]]
    order: npt.NDArray[np.int64] = chosen[np.argsort(gap, kind="stable")]
    return likely, order


def joint_counts(probabilities_MK: Floats, targets: Classes) -> npt.NDArray[np.int64]:
    """Return how many pictures of given class k (rows) are really of class l (columns), (K, K)."""
    rows, classes = np.arange(len(targets)), probabilities_MK.shape[1]
    own = probabilities_MK[rows, targets]
    counts = np.bincount(targets, minlength=classes)
    sums = np.bincount(targets, weights=own, minlength=classes)
    thresholds_K = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    reached_MK = np.where(probabilities_MK >= thresholds_K, probabilities_MK, -1.0)
    sure = reached_MK.max(axis=1) >= 0
    joint_KK = np.zeros((classes, classes))
    np.add.at(joint_KK, (targets[sure], reached_MK.argmax(axis=1)[sure]), 1)
    # Pictures of a class that reach no threshold are taken to be mixed as those that do.
    scale_K = counts / np.maximum(joint_KK.sum(axis=1), 1)
    rounded: npt.NDArray[np.int64] = np.rint(joint_KK * scale_K[:, None]).astype(np.int64)
    return rounded


def _softmax(scores_MK: Floats) -> Floats:
    raised = np.exp(scores_MK - scores_MK.max(axis=1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shares
