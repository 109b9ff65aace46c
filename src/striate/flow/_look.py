"""A second look at the network before it is trained, and the layer table for the report."""

from torch import nn

from striate.errors import NetworkError
from striate.flow._facts import Told
from striate.flow._prepare import Prepared
from striate.network import Network, Summary, look, summary


def layer_table(prepared: Prepared, network: nn.Module, outputs: int) -> Summary:
    """Return the layer table; a course network's from its specification, which needs no tracing.

    (Tracing a module imports torch._dynamo: 1.7 s.)
    """
    settings, shape = prepared.settings.network, prepared.shape
    return summary(
        (settings.name or "") if isinstance(network, Network) else network,
        input=(shape.channels, shape.height, shape.width),
        outputs=outputs,
        options=settings.all_options,
    )


def second_look(prepared: Prepared, table: Summary, told: Told) -> None:
    """Warn of what is usually a mistake; raise NetworkError where nothing could be learnt.

    A network that striate itself chose gets no advice: its unread border pixels and its receptive
    field are what makes it quick, and were chosen knowing them.
    """
    if any(choice.name == "network.name" for choice in prepared.choices):
        return
    shape = prepared.shape
    values = len(prepared.split.train) * shape.channels * shape.height * shape.width
    for finding in look(table, loss=prepared.settings.loss.name, training_values=values):
        if finding.level == "refuse":
            raise NetworkError(finding.sentence)
        told.warn(finding.sentence)
