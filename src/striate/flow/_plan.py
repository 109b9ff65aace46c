"""`striate plan`: how long a handful of trainings would take here, and how much memory."""

from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from striate.flow._opening import Given, name_of, open_wanted
from striate.flow._plan_result import Planned
from striate.flow._prepare import audit_source, device_kind
from striate.training import Listener, Silent, make_settings, read_config, stopped_at_once
from striate.training import recipe as find_recipe

SECONDS = 3.0
"""Steps of each candidate are timed for so long."""

Tree = Mapping[str, Any]


def plan_source(
    source: Given = "",
    *,
    recipe: str | None = None,
    config: str | Path | None = None,
    settings: Tree | None = None,
    listener: Listener | None = None,
    seconds: float = SECONDS,
) -> Planned:
    """Time a handful of trainings for seconds each; nothing is trained to the end or written.

    Every picture's header is looked at, as training does; of the pictures only a sample is decoded.

    Args:
        source, recipe, config, settings, listener: as `train` takes them.
        seconds: how long steps of each candidate are timed.

    Raises:
        StriateError: one of its kinds, where the training by default would raise it too.
    """
    begun = perf_counter()
    trees: list[Tree] = [
        find_recipe(recipe).settings if recipe else {},
        read_config(Path(config)) if config else {},
        settings or {},
        {"data": {"source": name_of(source)}} if name_of(source) else {},
        # How long a run of some minutes takes is known: what is planned is how long epochs take.
        {"training": {"minutes": None, "steps": []}},
    ]
    wanted, told = make_settings(*trees), listener or Silent()
    with stopped_at_once("Stopped; nothing was written."):
        opened = open_wanted(source, wanted)
        audit = audit_source(opened, wanted, told)
        for sentence in (*opened.notes, *audit.warnings):
            told.warn(sentence)
        device = device_kind(wanted.training.device)
        # Here, because it imports what training does: from now on that has been waited for.
        from striate.flow._plan_table import Planning

        return Planning(opened, audit, trees, device, begun, seconds).planned(told)
