"""A frozen backbone: features once per picture, and a head trained on them in seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.errors import UsageError
from striate.evaluation import measure
from striate.flow._backbone import open_backbone
from striate.flow._facts import Told
from striate.flow._features import MIRRORED, PLAIN, features_by
from striate.flow._finish import Ended
from striate.flow._kept_backbone import KeptBackbone
from striate.flow._prepare import Prepared, outputs_of, progress
from striate.flow._ship import Product
from striate.task import weights_of_classes
from striate.training import Settings
from striate.training._compose import compose
from striate.training._head import Fit, Samples, fit_head
from striate.training._head_model import Model, answers_of
from striate.training._start import dense_layers

Floats32 = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int64]

CHECKED_PICTURES = 16
"""On so many pictures network.onnx is held against features and head, which it is made of."""

FEW = 100
"""Training pictures below which each is shown mirrored too.

It takes as long again, and gained little: on ants and bees, 8 draws, the loss fell by 2 % with 10
pictures and with 200, the accuracy rose by 0.2 points at both."""

LOSSES = {
    "classification": "cross-entropy",
    "multi-label": "binary-cross-entropy",
    "regression": "mse",
}
"""The loss that a head on frozen features is fit with."""

MEASURED_ON = (
    "the backbone's features, kept with the pictures, and the head of model/network.onnx, which was "
    "held against them; averaged over samples"
)


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A head on a frozen backbone, and what it answers.

    Attributes:
        backbone: the backbone.
        fit: the head, and how its penalty was chosen.
        model: the task's half of the head.
        features: positions (N,) → features (N, F) of any picture in a part.
        validation: figures of the validation part; {} where there is none.
    """

    backbone: KeptBackbone
    fit: Fit
    model: Model
    features: Callable[[Positions], Floats32]
    validation: dict[str, float]

    def answers(self, positions: Positions) -> Floats32:
        """Return answers (N, K) of pictures in a part."""
        return answers_of(self.model, self.fit.head.logits(self.features(positions)))


def is_frozen(settings: Settings) -> bool:
    """Whether a head alone is trained first, on features that are computed once.

    So it is for a head of one dense layer; others are trained step by step.
    """
    network = settings.network
    return bool(network.freeze) and not dense_layers(settings)


def fit_frozen(prepared: Prepared, told: Told, *, own_loss: bool = False) -> Frozen:
    """Compute features and fit the head; nothing is written but the cache.

    `own_loss` says that the user gave a function as the loss.

    Raises:
        UsageError: a loss that the head isn't fit with; weights that can't be had or don't fit.
        CheckError: the exported backbone's features aren't PyTorch's.
    """
    settings, source = prepared.settings, prepared.source
    _refuse_loss(settings, source.answer.task, own_loss)
    # The first time it is made, which takes a while.
    told.listener.progress("Preparing the backbone", 0, 1)
    backbone = open_backbone(prepared)
    # A resumed run, or one from this run's config.yaml, has the same features.
    settings.network.head.known_classes = backbone.known
    parts = prepared.split.parts()
    everything = np.concatenate(list(parts.values()))

    features = features_by(backbone, prepared, told)
    row_of = np.full(len(source), -1)
    row_of[everything] = np.arange(len(everything))
    plain_NF = features(everything, PLAIN)
    train = prepared.split.train
    variants = [plain_NF[row_of[train]]]
    # Of several views the mirror image is one already.
    once = settings.network.views == 1
    if settings.augmentation.horizontal_flip and once and len(train) < FEW:
        variants.append(features(train, MIRRORED))
    targets = source.targets[train]
    fit = fit_head(
        Samples(
            features_NVF=np.stack(variants, axis=1),
            targets=targets,
            groups_N=_groups(prepared, train),
            weights_N=_weights(prepared, targets),
            known=backbone.known,
        ),
        source.answer,
        outputs=outputs_of(settings, source.answer),
        seed=settings.training.seed,
        label_smoothing=settings.loss.label_smoothing,
        progress=progress(told.listener, "Fitting the head"),
    )
    frozen = Frozen(
        backbone=backbone,
        fit=fit,
        model=Model(source.answer, targets),
        features=lambda positions: plain_NF[row_of[positions]],
        validation={},
    )
    return _validated(frozen, prepared)


def _validated(frozen: Frozen, prepared: Prepared) -> Frozen:
    held_out, source = prepared.split.validation, prepared.source
    if not len(held_out):
        return frozen
    figures = measure(source.answer, frozen.answers(held_out), source.targets[held_out])
    return Frozen(**{**vars(frozen), "validation": figures})


def _refuse_loss(settings: Settings, task: str, own_loss: bool) -> None:
    wanted = LOSSES[task]
    if own_loss or settings.loss.name != wanted:
        given = "A loss of your own" if own_loss else f"loss.name {settings.loss.name}"
        raise UsageError(
            f"{given}: a head on frozen features is fit with {wanted}. Leave "
            "the loss out, or train by steps with --no-freeze."
        )


def _groups(prepared: Prepared, train: Positions) -> Positions:
    """Return numbers (N,): the source's groups, else equal files are one."""
    if prepared.source.groups is not None:
        return prepared.source.groups[train]
    _, numbers = np.unique(prepared.store.digests[train], axis=0, return_inverse=True)
    return numbers.reshape(-1)


def _weights(prepared: Prepared, targets: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return what each picture's loss is multiplied by: its class's weight, a mean of 1."""
    answer, wanted = prepared.source.answer, prepared.settings.loss.class_weights
    weights_K = weights_of_classes(answer, wanted, targets)
    return np.ones(len(targets)) if weights_K is None else weights_K[targets]


def ended_frozen(prepared: Prepared, frozen: Frozen, why: str, *, by_validation: bool) -> Ended:
    """Return what ended with a head on a frozen backbone.

    `why` it ended, in words; `by_validation`: figures of the validation part decided on it.
    """
    from safetensors.numpy import save

    backbone, head = frozen.backbone, frozen.fit.head
    state = backbone.state()
    first = state.get(backbone.first)
    kernels = None if first is None else (backbone.first.removesuffix(".weight"), first)
    state |= {"head.output.weight": head.weights_KF, "head.output.bias": head.bias_K}
    product = Product(
        onnx=compose(
            backbone.onnx,
            head,
            prepared.source.answer,
            mean_K=frozen.model.mean_K,
            deviation_K=frozen.model.deviation_K,
        ),
        weights=save(state),
        parameters=backbone.parameters + head.weights_KF.size + head.bias_K.size,
        mean=backbone.mean,
        deviation=backbone.deviation,
        answers=frozen.answers,
        checked=CHECKED_PICTURES,
    )
    return Ended(
        product=product,
        measured_on=MEASURED_ON,
        answers=lambda _predictor: frozen.answers,
        kernels=kernels,
        layers=backbone.layers_to(len(head.bias_K)),
        head=head_of(prepared, frozen, by_validation=by_validation),
        best_epoch=0,
        stopped=why,
    )


def head_of(prepared: Prepared, frozen: Frozen, *, by_validation: bool) -> dict[str, Any]:
    """Return results.json's `head` (docs/run-folder.md)."""
    fit = frozen.fit
    return {
        "strength": fit.strength,
        "folds": fit.folds,
        "known_classes": frozen.backbone.known,
        "known_share": fit.share,
        "measure": prepared.source.answer.selection[0],
        "tried": [asdict(one) for one in fit.tried],
        "decided_on_validation": by_validation,
    }
