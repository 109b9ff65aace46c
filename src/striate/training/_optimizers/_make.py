"""From the settings of an optimizer to the optimizer. PyTorch is imported inside functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from striate.errors import UsageError, unknown
from striate.task._options import number, settle
from striate.training._optimizers._base import Group, Optimizer
from striate.training._optimizers._registry import optimizers

if TYPE_CHECKING:
    import torch

    from striate.training._optimizers._holder import Part, Rule


def make_optimizer(
    name: str,
    groups: Sequence[Group],
    *,
    betas: Sequence[float] | None = None,
    eps: float | None = None,
    weight_decay: float | None = None,
    amsgrad: bool | None = None,
    momentum: float | None = None,
    nesterov: bool | None = None,
    alpha: float | None = None,
    keep_norm: bool | None = None,
) -> Optimizer:
    """Return the optimizer of that name; None takes the default that `optimizers()` names.

    Args:
        name: one of `optimizers()`.
        groups: all parameters, on their device and in their memory format.
        betas: adam, adamw, muon (its AdamW part): how much of the running means is kept, [0, 1).
        eps: adam, adamw, rmsprop, adagrad, muon (its AdamW part): added to the denominator.
        weight_decay: as the entry's `decay` says, left out for groups without decay.
        amsgrad: adam, adamw: divide by the largest running mean so far.
        momentum: sgd, rmsprop, muon: how much of the running direction is kept, [0, 1).
        nesterov: sgd, muon: look ahead along the momentum.
        alpha: rmsprop: how much of the running mean of squares is kept, [0, 1).
        keep_norm: muon: matrices keep their norm instead of decaying.

    Raises UsageError: an unknown name, an option that the optimizer hasn't, a value out of range.
    """
    from striate.training._optimizers._holder import Holder

    known = {entry.name: entry for entry in optimizers()}
    if name not in known:
        raise UsageError(unknown("optimizer", name, known))
    given = {
        "betas": betas,
        "eps": eps,
        "weight_decay": weight_decay,
        "amsgrad": amsgrad,
        "momentum": momentum,
        "nesterov": nesterov,
        "alpha": alpha,
        "keep_norm": keep_norm,
    }
    options = settle("optimizer", name, known[name].options, given)
    matrices, rest = _rules(name, options)
    parameters = [parameter for group in groups for parameter in group.parameters]
    return Holder(name, parameters, _parts(groups, matrices, rest))


def _parts(groups: Sequence[Group], matrices: Rule, rest: Rule) -> list[Part]:
    """Return parts of one group, rule, device and dtype each: what one kernel call can take."""
    from striate.training._optimizers._holder import Part

    parts: list[Part] = []
    count = 0
    for group in groups:
        alike: dict[tuple[bool, torch.device, torch.dtype], list[int]] = {}
        for parameter in group.parameters:
            by_matrix = parameter.ndim > 1 and not group.head
            alike.setdefault((by_matrix, parameter.device, parameter.dtype), []).append(count)
            count += 1
        for (by_matrix, _, _), numbers in alike.items():
            rule = matrices if by_matrix else rest
            parts.append(
                Part(rule=rule, numbers=tuple(numbers), rate=group.rate, decay=group.decay)
            )
    return parts


def _rules(name: str, options: Mapping[str, object]) -> tuple[Rule, Rule]:
    """Return the rule for kernels and matrices and the rule for the head and single axes."""
    from striate.training._optimizers._adagrad import AdaGrad
    from striate.training._optimizers._muon import Muon
    from striate.training._optimizers._rmsprop import RmsProp

    decay = number("weight_decay", options["weight_decay"])
    rule: Rule
    match name:
        case "adam" | "adamw":
            rule = _adam(options, decoupled=name == "adamw")
        case "sgd":
            rule = _sgd(options)
        case "rmsprop":
            rule = RmsProp(
                alpha=number("alpha", options["alpha"], below=1.0),
                eps=number("eps", options["eps"]),
                momentum=number("momentum", options["momentum"], below=1.0),
                weight_decay=decay,
            )
        case "adagrad":
            rule = AdaGrad(eps=number("eps", options["eps"]), weight_decay=decay)
        case _:
            muon = Muon(
                momentum=number("momentum", options["momentum"], below=1.0),
                nesterov=options["nesterov"] is True,
                weight_decay=decay,
                keep_norm=options["keep_norm"] is True,
            )
            return muon, _adam({**options, "amsgrad": False}, decoupled=True)
    return rule, rule


def _adam(options: Mapping[str, object], *, decoupled: bool) -> Rule:
    from striate.training._optimizers._adam import Adam

    betas = options["betas"]
    if not isinstance(betas, Sequence) or isinstance(betas, str) or len(betas) != 2:
        raise UsageError(f"betas must be two numbers, such as 0.9 and 0.999; got {betas!r}.")
    first, second = (number("Each of betas", beta, below=1.0) for beta in betas)
    return Adam(
        betas=(first, second),
        eps=number("eps", options["eps"]),
        weight_decay=number("weight_decay", options["weight_decay"]),
        amsgrad=options["amsgrad"] is True,
        decoupled=decoupled,
    )


def _sgd(options: Mapping[str, object]) -> Rule:
    from striate.training._optimizers._sgd import Sgd

    momentum = number("momentum", options["momentum"], below=1.0)
    if options["nesterov"] is True and momentum == 0.0:
        raise UsageError("nesterov looks ahead along the momentum: set momentum above 0, say 0.9.")
    return Sgd(
        momentum=momentum,
        nesterov=options["nesterov"] is True,
        weight_decay=number("weight_decay", options["weight_decay"]),
    )
