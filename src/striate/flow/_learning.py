"""How weights learn: the optimizer, the rates of its groups, and the rate's course."""

from collections.abc import Callable

from torch import nn

from striate.errors import NetworkError
from striate.network import Classifier, layer_units
from striate.training import Settings
from striate.training._length import Length
from striate.training._optimizers import Group, Optimizer, decoupled, make_optimizer
from striate.training._schedules import make_schedule


def optimizer_of(network: nn.Module, settings: Settings) -> Optimizer:
    """Make the optimizer.

    Decoupled weight decay spares what has one axis (biases, batch norm's scales), as is usual with
    it; L2 reaches everything, as in PyTorch's optimizers and the courses. The last weight with two
    axes or more is the head, which Muon leaves to AdamW.
    """
    group = settings.optimizer
    own = {"name", "learning_rate", "bias_rate", "head_rate", "layer_decay"}
    options = group.model_dump(exclude=own, exclude_none=True)
    parameters = [p for p in network.parameters() if p.requires_grad]
    if not parameters:
        raise NetworkError("The network has no trainable parameter: nothing could be learnt.")
    name = group.name or "adamw"
    head = [p for p in parameters if p.ndim > 1][-1:]
    groups = []
    for unit, rate in _by_depth(network, parameters, group.layer_decay or 1.0):
        weights = [p for p in unit if p.ndim > 1 and not any(p is one for one in head)]
        groups += [
            Group(weights, rate=rate),
            Group(
                [p for p in unit if p.ndim == 1],
                rate=rate * group.bias_rate,
                decay=not decoupled(name),
            ),
        ]
    # In this order since the first checkpoints: weights, the head, the rest.
    groups.insert(1, Group(head, head=True, rate=group.head_rate))
    return make_optimizer(name, [one for one in groups if one.parameters], **options)


def _by_depth(
    network: nn.Module, parameters: list[nn.Parameter], decay: float
) -> list[tuple[list[nn.Parameter], float]]:
    """Return parameters with what their learning rate is multiplied by.

    The head's is 1; a backbone's last unit of layers has `decay`, the one before it that squared.
    """
    if decay == 1 or not isinstance(network, Classifier):
        return [(parameters, 1.0)]
    trained = {id(one) for one in parameters}
    units = layer_units(network)
    found = [(list(network.head.parameters()), 1.0)]
    found += [(unit, decay ** (len(units) - at)) for at, unit in enumerate(units)]
    return [([p for p in some if id(p) in trained], rate) for some, rate in found]


def rate_of(
    settings: Settings, length: int | Length, metric: str
) -> Callable[[int, list[dict[str, float]]], float]:
    """Return step and validation rows → rate; plateau watches the loss (min) or metric (max).

    `length` is the number of steps, or what decides it as the run goes on.
    """
    group = settings.schedule
    options = group.model_dump(exclude={"name"}, exclude_none=True)
    schedule = make_schedule(
        group.name or "constant",
        learning_rate=settings.optimizer.learning_rate or 0.0,
        steps=length if isinstance(length, int) else length.total(0),
        **options,
    )
    watched = metric if group.mode == "max" else "loss"
    place = float if isinstance(length, int) else length.place
    return lambda step, rows: schedule.rate(place(step), [row[watched] for row in rows if row])
