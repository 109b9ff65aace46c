"""The losses by name, without PyTorch."""

from collections.abc import Mapping
from dataclasses import dataclass, field

CLASSES = "classification"
BINARY = "binary classification"
LABELS = "multi-label"
NUMBERS = "regression"


@dataclass(frozen=True, kw_only=True)
class LossEntry:
    """One loss.

    Attributes:
        name: what `loss.name` takes.
        title: its usual name.
        formula: the loss of one sample; z logits, y target, p probabilities, K classes or labels.
        fits: the tasks it fits: "classification" (two or more classes), "binary classification"
            (exactly two), "multi-label", "regression".
        options: option name → default.
        source: where the formula comes from.
    """

    name: str
    title: str
    formula: str
    fits: tuple[str, ...]
    options: Mapping[str, object] = field(default_factory=dict)
    source: str


_LOSSES = (
    LossEntry(
        name="cross-entropy",
        title="Cross-entropy",
        formula="−Σ_k q_k·log softmax(z)_k, q = (1 − s)·onehot(y) + s/K, s = label_smoothing",
        fits=(CLASSES,),
        options={"label_smoothing": 0.0, "class_weights": None},
        source="Szegedy et al. 2016, Rethinking the Inception Architecture (label smoothing)",
    ),
    LossEntry(
        name="nll",
        title="Negative log-likelihood",
        formula="−log softmax(z)_y; the value of cross-entropy without label smoothing",
        fits=(CLASSES,),
        options={"class_weights": None},
        source="Bishop 2006, Pattern Recognition and Machine Learning, eq. 4.108",
    ),
    LossEntry(
        name="multi-class-hinge",
        title="Multi-class hinge",
        formula="Σ_{k≠y} max(0, 1 − z_y + z_k) / K",
        fits=(CLASSES,),
        source="Weston and Watkins 1999, Support Vector Machines for Multi-Class Pattern "
        "Recognition; divided by K as in PyTorch",
    ),
    LossEntry(
        name="binary-cross-entropy",
        title="Binary cross-entropy",
        formula="−y·log σ(z) − (1 − y)·log(1 − σ(z)), averaged over labels; "
        "z = z_1 − z_0 where two classes have two logits",
        fits=(BINARY, LABELS),
        source="Bishop 2006, Pattern Recognition and Machine Learning, eq. 4.90",
    ),
    LossEntry(
        name="hinge",
        title="Hinge",
        formula="max(0, 1 − t·z), t = 2y − 1; z = z_1 − z_0 where two classes have two logits",
        fits=(BINARY,),
        source="Cortes and Vapnik 1995, Support-Vector Networks",
    ),
    LossEntry(
        name="mse",
        title="Mean squared error",
        formula="(z − y)², averaged over targets; y standardised",
        fits=(NUMBERS,),
        source="Bishop 2006, Pattern Recognition and Machine Learning, eq. 1.2",
    ),
    LossEntry(
        name="mae",
        title="Mean absolute error",
        formula="|z − y|, averaged over targets; y standardised",
        fits=(NUMBERS,),
        source="Bishop 2006, Pattern Recognition and Machine Learning, eq. 1.91 with q = 1",
    ),
    LossEntry(
        name="huber",
        title="Huber",
        formula="e²/2 where |e| ≤ δ, else δ·(|e| − δ/2), averaged over targets; e = z − y, "
        "y standardised, so that delta = δ counts deviations of the target",
        fits=(NUMBERS,),
        options={"delta": 1.0},
        source="Huber 1964, Robust Estimation of a Location Parameter",
    ),
)


def losses() -> tuple[LossEntry, ...]:
    """Return every loss that `loss.name` takes, with what it fits."""
    return _LOSSES
