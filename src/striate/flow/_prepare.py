"""From a source to stored pixels and a split: everything that needs no network yet."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from striate._launch import local_processes, processes
from striate.answer import Answer
from striate.data import (
    TRAIN,
    UNDECIDED,
    VALIDATION,
    Audit,
    DuplicateGroup,
    Source,
    Split,
    Store,
    Unreadable,
    check,
    keep_headers,
    split,
    store,
    unreadable_limit,
)
from striate.image import Shape
from striate.network import (
    Pretrained,
    canonical,
    entry,
    find_weights,
    installed,
    require_fit,
)
from striate.task import is_binary
from striate.training import (
    NO_WEIGHTS,
    Choice,
    Facts,
    Listener,
    Settings,
    choose,
    choose_precision,
    choose_start,
)
from striate.training._interrupt import import_torch


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A source that is ready to be trained on, and the settings with nothing left open.

    `sizes` are those of the pictures' files, in words.
    """

    source: Source
    sizes: str
    settings: Settings
    choices: list[Choice]
    shape: Shape
    store: Store
    split: Split
    unreadable: tuple[Unreadable, ...]
    device: str


def audit_source(source: Source, settings: Settings, listener: Listener) -> Audit:
    """Look at every picture's header; refuse what can't be trained on."""
    return check(
        source,
        strict=settings.data.strict,
        allow_unreadable=settings.data.allow_unreadable,
        max_pixels=settings.data.max_pixels,
        progress=progress(listener, "Checking pictures"),
        keep=settings.data.cache,
    )


def choose_settings(
    source: Source, audit: Audit, settings: Settings, device: str, *, fast_bfloat16: bool = False
) -> tuple[Settings, list[Choice]]:
    """Fill in what the user left open, from the source's facts.

    `fast_bfloat16` says whether the device is quick at it; whoever trains nothing need not ask.
    A network written in a file is kept as its line: the run must not depend on that file.
    """
    if settings.network.name:
        settings.network.name = canonical(settings.network.name)
    facts = facts_for(source, audit, settings, device, fast_bfloat16)
    started, start = choose_start(settings, facts)
    pretrained = pretrained_of(started)
    chosen, choices = choose(
        started, replace(facts, pixels=pretrained.pixels if pretrained else None)
    )
    choices = [*start, *choices]
    if chosen.training.threads is None:
        chosen.training.threads = processors()
    return chosen, choices


def pretrained_of(settings: Settings) -> Pretrained | None:
    """Return the pretrained weights that the settings name; None for a start from random numbers.

    Raises:
        UsageError: they can't be had here.
    """
    name, weights = settings.network.name, settings.network.weights
    if not name or weights in (None, NO_WEIGHTS):
        return None
    return find_weights(name, weights)


def starts_frozen(source: Source, audit: Audit, settings: Settings) -> bool:
    """Whether only a head will be trained at first: then no device need be asked for."""
    facts = facts_for(source, audit, settings)
    return bool(choose_start(settings, facts)[0].network.freeze)


def facts_for(
    source: Source,
    audit: Audit,
    settings: Settings,
    device: str = "cpu",
    fast_bfloat16: bool = False,
) -> Facts:
    """Return what the rules may know; the pretrained weights' pixels are not yet in it."""
    readable_N = audit.sizes[:, 0] > 0
    sizes, parts = audit.sizes[readable_N], source.parts[readable_N]
    given, undecided = int((parts == TRAIN).sum()), int((parts == UNDECIDED).sum())
    has_validation = bool((parts == VALIDATION).any())
    share = 0.0 if has_validation else settings.data.validation
    return Facts(
        task=source.answer.task,
        training=round((given + undecided) * (1 - share)),
        classes=len(source.answer.names),
        height=int(np.median(sizes[:, 0])),
        width=int(np.median(sizes[:, 1])),
        uniform=bool((sizes[:, :2] == sizes[0, :2]).all()),
        channels=int(sizes[:, 2].max()),
        orientation_matters=source.orientation_matters,
        device=device,
        fast_bfloat16=fast_bfloat16,
        pretrained=installed(),
        processes=processes(),
    )


def sizes_in_words(audit: Audit) -> str:
    """Return the range of heights and widths, height first."""
    sizes = audit.sizes[audit.sizes[:, 0] > 0][:, :2]
    low, high = sizes.min(axis=0), sizes.max(axis=0)
    smallest = f"{low[0]}×{low[1]}"
    return f"{smallest} px" if (low == high).all() else f"{smallest} to {high[0]}×{high[1]} px"


def shape_of(settings: Settings) -> Shape:
    """Return the one shape all pictures are brought to; the settings must be chosen."""
    data = settings.data
    size = data.image_size
    height, width = (size, size) if isinstance(size, int) else (size or (0, 0))
    plane = data.channels if isinstance(data.channels, str) else ""
    return Shape(
        height=height,
        width=width,
        channels=1 if isinstance(data.channels, str) else data.channels or 3,
        rule=data.resize or "crop",
        interpolation=data.interpolation or "bilinear",
        plane=plane,
        background=data.background,
        margin=data.margin or 0,
    )


def device_kind(wanted: str) -> str:
    """Return "cpu", "cuda" or "mps" for `training.device`. Imports PyTorch."""
    # Waiting threads spin for milliseconds by default, and where another program keeps a core busy,
    # each of a step's hundred barriers waits for it. Steps of 18 ms on 2 idle cores took 250 to
    # 480 ms beside other work, and 64 to 77 ms with this count; on idle cores it made no difference.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    import_torch()
    from striate.training._device import pick_device

    return pick_device(wanted).type


def with_device(prepared: Prepared) -> Prepared:
    """Return what is prepared, with the device and precision for the steps that are to be done."""
    settings = prepared.settings.model_copy(deep=True)
    device = device_kind(settings.training.device)
    if settings.training.precision == "auto":
        classes, fast = len(prepared.source.answer.names), has_fast_bfloat16(device)
        chosen, reason = choose_precision(settings, classes, device, fast=fast)
        settings.training.precision = "bfloat16" if chosen == "bfloat16" else "float32"
        choice = Choice("training.precision", chosen, reason)
        prepared = replace(prepared, choices=[*prepared.choices, choice])
    return replace(prepared, settings=settings, device=device)


def has_fast_bfloat16(device: str) -> bool:
    """Return whether the device is quick at bfloat16. Imports PyTorch."""
    from striate.training._precision import has_fast_bfloat16

    return has_fast_bfloat16(device)


def outputs_of(settings: Settings, answer: Answer) -> int:
    """Return how many logits the named network gets: one per name.

    Networks published with a single logit, such as cnn64, keep it where there are two classes.
    """
    single = entry(settings.network.name or "").default_outputs == 1
    return 1 if single and is_binary(answer) else len(answer.names)


def plan_network(settings: Settings, shape: Shape, answer: Answer) -> None:
    """Work out every size of the named network; raise NetworkError or UsageError before any work."""
    require_fit(
        settings.network.name or "",
        shape=(shape.channels, shape.height, shape.width),
        outputs=outputs_of(settings, answer),
        options=settings.network.all_options,
    )


def processors() -> int:
    """Return the number of processors for this process, where several share them its part."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return max(1, count // local_processes())


def store_pictures(
    source: Source, audit: Audit, settings: Settings, shape: Shape, listener: Listener
) -> Store:
    """Decode every readable picture once; raise CheckError when too many can't be decoded."""
    data = settings.data
    stored = store(
        source,
        shape,
        # Other processes of this machine wait meanwhile.
        threads=(settings.training.threads or 1) * local_processes(),
        progress=progress(listener, "Reading pictures"),
        skip=_positions(u.position for u in audit.unreadable),
        max_pixels=data.max_pixels,
        keep=data.cache,
        say=listener.say,
    )
    if audit.headers is not None and stored.folder is not None:
        keep_headers(audit.headers, stored.folder)
    lost = (*audit.unreadable, *stored.unreadable)
    unreadable_limit(lost, len(source), strict=data.strict, allow=data.allow_unreadable)
    return stored


def without(audit: Audit, unreadable: tuple[Unreadable, ...]) -> Audit:
    """Return the audit with more pictures marked as unreadable."""
    sizes = audit.sizes.copy()
    sizes[[one.position for one in unreadable]] = 0
    return replace(audit, sizes=sizes, unreadable=(*audit.unreadable, *unreadable))


def split_source(
    source: Source, audit: Audit, settings: Settings, together: Iterable[DuplicateGroup] = ()
) -> Split:
    """Divide what can be read; duplicates that are to stay together do."""
    return split(
        source,
        validation=settings.data.validation,
        seed=settings.training.seed,
        exclude=_positions(u.position for u in audit.unreadable),
        together=together,
    )


def _positions(positions: Iterable[int]) -> npt.NDArray[np.int64]:
    return np.array(sorted(positions), dtype=np.int64)


def progress(listener: Listener, what: str) -> Callable[[int, int], None]:
    """Return a progress function that tells the listener what is going on."""
    return lambda done, total: listener.progress(what, done, total)
