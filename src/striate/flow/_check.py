"""`striate check`: everything that can be told about a source before a network sees it."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from striate.data import (
    Audit,
    DuplicateGroup,
    Duplicates,
    Finding,
    Source,
    Split,
    Store,
    duplicate_findings,
    look_at_pixels,
    unreadable_findings,
)
from striate.flow._labels import Doubts, doubt_labels
from striate.flow._prepare import (
    audit_source,
    choose_settings,
    device_kind,
    progress,
    shape_of,
    split_source,
    store_pictures,
    without,
)
from striate.training import Listener, Settings, Silent

BEFORE_TRAINING = 20_000
"""Pictures among which near duplicates are looked for before a training, at most."""


@dataclass(frozen=True, kw_only=True)
class Closer:
    """What a look at the decoded pictures found.

    Attributes:
        split: with duplicates on one side.
        duplicates: groups of pictures that are the same.
        findings: what is odd about pixels and duplicates.
    """

    split: Split
    duplicates: Duplicates
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What `striate check` found.

    Attributes:
        source: what was checked.
        audit: headers, targets, pixels and duplicates, all findings together.
        store: the decoded pictures, as a training by default would decode them.
        closer: split and duplicates.
        doubts: labels that are probably wrong; None where they weren't looked for.
    """

    source: Source
    audit: Audit
    store: Store
    closer: Closer
    doubts: Doubts | None = None

    @property
    def leaks(self) -> tuple[DuplicateGroup, ...]:
        """Groups with pictures in more than one part."""
        return self.closer.duplicates.across_parts(self.closer.split)


def check_source(
    source: Source, settings: Settings, *, labels: bool = False, listener: Listener | None = None
) -> Checked:
    """Look at headers, targets, pixels and duplicates, and with `labels` for wrong labels.

    Pictures are decoded to the size that a training with these settings would choose, so that it
    finds them in the cache. Nothing stops at a fault: to tell what is wrong is what a check is for.

    Args:
        source: what to check.
        settings: as for training.
        labels: fit a quick model five times to find labels that are probably wrong.
        listener: told how far it is.

    Raises:
        SourceError: there is nothing to learn from.
        CheckError: no picture can be read.
        UsageError: `labels` for something else than classes.
    """
    told = listener or Silent()
    tolerant = settings.model_copy(deep=True)
    tolerant.data.allow_unreadable, tolerant.data.strict = True, False
    audit = audit_source(source, tolerant, told)
    chosen, _ = choose_settings(source, audit, tolerant, likely_device(settings))
    stored = store_pictures(source, audit, chosen, shape_of(chosen), told)
    audit = add_undecodable(audit, stored)
    closer = look_closer(
        source,
        stored,
        audit,
        chosen,
        largest=None,
        listener=told,
    )
    seed, readable = settings.training.seed, np.flatnonzero(audit.sizes[:, 0] > 0)
    return Checked(
        source=source,
        audit=replace(audit, findings=(*audit.findings, *closer.findings)),
        store=stored,
        closer=closer,
        doubts=doubt_labels(source, stored, readable, seed=seed) if labels else None,
    )


def look_closer(
    source: Source,
    stored: Store,
    audit: Audit,
    settings: Settings,
    *,
    largest: int | None,
    listener: Listener,
) -> Closer:
    """Return what decoded pictures tell, and the split with duplicates on one side.

    Args:
        source, stored: the pictures.
        audit: names what can't be read.
        settings: chosen, with nothing left open.
        largest: see `find_duplicates`.
        listener: told how far it is.
    """
    positions = np.flatnonzero(audit.sizes[:, 0] > 0)
    looks = look_at_pixels(
        stored,
        source,
        positions,
        threads=settings.training.threads or 1,
        largest=largest,
        progress=progress(listener, "Comparing pictures"),
    )
    duplicates = looks.duplicates
    divided = split_source(source, audit, settings, together=duplicates.groups)
    if duplicates.reason:
        reason = f"{divided.reason}. {duplicates.reason.removesuffix('.')}"
        divided = replace(divided, reason=reason)
    findings = (*duplicate_findings(source, duplicates, divided), *looks.findings)
    return Closer(split=divided, duplicates=duplicates, findings=findings)


def add_undecodable(audit: Audit, stored: Store) -> Audit:
    """Return the audit with the pictures whose header is good and whose pixels aren't."""
    if not stored.unreadable:
        return audit
    fuller = without(audit, stored.unreadable)
    rest = [finding for finding in audit.findings if finding.kind != "unreadable"]
    lost = sorted(fuller.unreadable, key=lambda one: one.position)
    return replace(fuller, unreadable=tuple(lost), findings=(*unreadable_findings(lost), *rest))


def likely_device(settings: Settings) -> str:
    """Return where a training would run; PyTorch is asked only where there may be an accelerator."""
    wanted = settings.training.device
    if wanted != "auto":
        return wanted
    may_be = sys.platform == "darwin" or Path("/dev/nvidiactl").exists()
    return device_kind("auto") if may_be else "cpu"
