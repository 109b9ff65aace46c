"""Any convolutional network that timm names, as an entry; timm is imported when one is asked for."""

from functools import lru_cache
from typing import Any

from striate.errors import NetworkError, nearest
from striate.network._classics import CUT, STEM, head_options
from striate.network._entry import Entry, Origin

TIMM = "timm:"
"""What the name of a network of timm begins with here."""


@lru_cache(maxsize=8)
def timm_entry(name: str) -> Entry:
    """Return the network "timm:NAME" as an entry; parameters and FLOPs are counted when asked for.

    Raises NetworkError for a name that timm doesn't have, with the nearest one, and where timm isn't
    installed.
    """
    timm = import_timm(name)
    model = name.removeprefix(TIMM)
    if not timm.is_model(model):
        near = nearest(model, timm.list_models()).replace("mean '", f"mean '{TIMM}")
        raise NetworkError(
            f"timm {timm.__version__} has no network called '{model}'.{near} "
            "timm.list_models() in Python names all."
        )
    published = timm.get_pretrained_cfg(model)
    return Entry(
        name=name,
        title=model,
        year=None,
        source=f"timm {timm.__version__}",
        idea="A network of timm.",
        default_input=tuple(published.input_size) if published else (3, 224, 224),
        default_outputs=1000,
        origin=Origin(
            library="timm",
            model=model,
            small="stride 1 in the first convolution, and no pooling named maxpool",
        ),
        options=(*head_options("published", (), 0.0), STEM, CUT),
    )


def import_timm(name: str) -> Any:
    """Return timm; raise NetworkError where it isn't installed."""
    try:
        import timm
    except ModuleNotFoundError as error:
        raise NetworkError(
            f"Network '{name}' comes from timm, which isn't installed. Install striate[train]."
        ) from error
    return timm
