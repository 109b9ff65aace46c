"""The gate before training: what is wrong with a source is found before anything is trained."""

from striate.data import Source, stop_at_faults
from striate.flow._check import BEFORE_TRAINING, look_closer
from striate.flow._facts import Told
from striate.flow._prepare import (
    Prepared,
    audit_source,
    choose_settings,
    device_kind,
    has_fast_bfloat16,
    plan_network,
    shape_of,
    sizes_in_words,
    starts_frozen,
    store_pictures,
    without,
)
from striate.training import Settings


def prepare(source: Source, wanted: Settings, told: Told, *, own_module: bool) -> Prepared:
    """Check, choose, decode and split; nothing is written and no network built yet.

    `own_module` says that the network is the user's own, whose sizes aren't known before it runs.
    """
    audit = audit_source(source, wanted, told.listener)
    for sentence in (*source.notes, *audit.warnings):
        told.warn(sentence)
    frozen = starts_frozen(source, audit, wanted)
    # A head on kept features needs no PyTorch, and ONNX Runtime's features come from the CPU.
    device = "cpu" if frozen else device_kind(wanted.training.device)
    fast = not frozen and has_fast_bfloat16(device)
    settings, choices = choose_settings(source, audit, wanted, device, fast_bfloat16=fast)
    shape = shape_of(settings)
    # A backbone's sizes are worked out where it is made, if it isn't kept already.
    if not own_module and not frozen:
        plan_network(settings, shape, source.answer)
    stored = store_pictures(source, audit, settings, shape, told.listener)
    if stored.unreadable:
        # As if they had never been there: what is chosen must not depend on broken files.
        for one in stored.unreadable:
            told.warn(f"{one.name}: {one.reason}; left out.")
        audit = without(audit, stored.unreadable)
        settings, choices = choose_settings(source, audit, wanted, device, fast_bfloat16=fast)
        if shape_of(settings) != shape:
            shape = shape_of(settings)
            stored = store_pictures(source, audit, settings, shape, told.listener)
    closer = look_closer(
        source, stored, audit, settings, largest=BEFORE_TRAINING, listener=told.listener
    )
    for finding in closer.findings:
        told.warn(finding.sentence)
    for sentence in stored.notes:
        told.warn(sentence)
    if settings.data.strict:
        stop_at_faults(closer.findings)
    return Prepared(
        source=source,
        sizes=sizes_in_words(audit),
        settings=settings,
        choices=choices,
        shape=shape,
        store=stored,
        split=closer.split,
        unreadable=audit.unreadable,
        device=device,
    )
