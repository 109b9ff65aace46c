"""`striate check` from a source's name to its account: page, list of names, JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from striate._files import refuse_foreign, write_file
from striate.answer import Regression
from striate.data import Finding, listed, parts_of
from striate.errors import UsageError
from striate.flow._check import Checked, check_source
from striate.flow._labels import Doubts
from striate.flow._opening import open_wanted
from striate.flow._prepare import sizes_in_words
from striate.image import data_uri
from striate.report._audit_page import (
    KIND,
    AuditPage,
    ShownFinding,
    ShownPicture,
    doubted,
    write_audit,
)
from striate.report._place import check_place
from striate.training import Listener, make_settings, stopped_at_once

SHOWN = 24
"""Most pictures of one finding on the page."""

LIST = "# striate check: labels that are probably wrong\n"
"""First line of the list that `--save` writes."""

SHOWN_LABELS = 200
"""Most pictures with doubtful labels on the page."""

_THUMBNAIL = 128
_GOOD = 0.8

TITLES = {
    "aspect": "Odd sides",
    "blank": "One colour",
    "bright": "Nearly white",
    "channels": "Grey and colour",
    "contradiction": "The same picture, labelled in two ways",
    "dark": "Nearly black",
    "flat": "Nearly one colour",
    "format": "Another format",
    "leak": "The same picture in several parts",
    "repeat": "The same picture several times",
    "size": "Much smaller",
    "small": "Very small",
    "suffix": "Wrong suffix",
}


def run_check(
    source: str = "",
    *,
    settings: Mapping[str, Any] | None = None,
    labels: bool = False,
    save: Path | None = None,
    out: Path | None = None,
    listener: Listener | None = None,
) -> Checked:
    """Check a source by its name; write a page and a list of names where they are asked for.

    Args:
        source: as `train` takes it.
        settings: groups of settings, as in {"data": {"exclude": "wrong.txt"}}.
        labels: look for wrong labels too.
        save: file for the names of pictures with doubtful labels, as `--exclude` reads them; an
            older one is replaced. Only with `labels`.
        out: file for the page; an older page of this kind is replaced.
        listener: told how far it is.

    Raises:
        StriateError: one of its kinds; see `check_source`.
    """
    if save is not None and not labels:
        raise UsageError(
            "--save keeps the names that --labels finds. Add --labels, or leave it out."
        )
    if out is not None:
        check_place(out, KIND)
    if save is not None:
        refuse_foreign(save, mark=LIST, option="--save", what="list of striate check")
    wanted = make_settings({"data": {"source": source}}, settings or {})
    with stopped_at_once("Stopped; nothing was written."):
        opened = open_wanted(source, wanted)
        checked = check_source(opened, wanted, labels=labels, listener=listener)
    if save is not None and checked.doubts is not None:
        write_file(save, list_of(checked.doubts))
    if out is not None:
        write_audit(out, page_of(checked))
    return checked


def list_of(doubts: Doubts) -> str:
    """Return the doubtful names as text for `--exclude`, each below a remark."""
    return LIST + listed(
        (
            one.name,
            f"given {one.given!r}, likely {one.likely!r}, confidence {one.confidence:.3f}",
        )
        for one in doubts.suspects
    )


def document_of(checked: Checked) -> dict[str, Any]:
    """Return the JSON document of `striate check` (docs/check.md)."""
    source, closer = checked.source, checked.closer
    document: dict[str, Any] = {
        "samples": len(source),
        "classes": class_counts(checked),
        "parts": {name: len(part) for name, part in closer.split.parts().items()},
        "unreadable": [{"path": u.name, "reason": u.reason} for u in checked.audit.unreadable],
        "duplicates": [
            {"kind": group.kind, "paths": list(group.names)} for group in closer.duplicates.groups
        ],
        "duplicates_note": closer.duplicates.reason,
        "leaks": [
            {"kind": g.kind, "paths": list(g.names), "parts": parts_of(g, closer.split)}
            for g in checked.leaks
        ],
        "warnings": list(checked.audit.warnings),
        "findings": [_finding(checked, finding) for finding in checked.audit.findings],
        "notes": notes_of(checked),
    }
    if checked.doubts is not None:
        document["labels"] = {
            "accuracy": checked.doubts.accuracy,
            "suspects": [asdict(one) for one in checked.doubts.suspects],
        }
    return document


def class_counts(checked: Checked) -> dict[str, int]:
    """Return how many pictures each class or label has, unreadable ones too; {} for numbers."""
    answer = checked.source.answer
    if isinstance(answer, Regression):
        return {}
    return dict(zip(answer.names, answer.counts(checked.source.targets), strict=True))


def notes_of(checked: Checked) -> list[str]:
    """Return what was told while the source was opened and decoded."""
    return [*checked.source.notes, *checked.store.notes]


def facts_of(checked: Checked) -> list[tuple[str, str, str]]:
    """Return (name, value, reason) of what was looked at."""
    source, divided = checked.source, checked.closer.split
    counts = [f"{name} {number:,}" for name, number in class_counts(checked).items()]
    parts = [f"{name} {len(part):,}" for name, part in divided.parts().items()]
    return [
        ("pictures", f"{len(source):,} of {sizes_in_words(checked.audit)}", ""),
        (source.answer.task, ", ".join(counts or source.answer.names), source.reason),
        ("parts", ", ".join(parts), divided.reason),
    ]


def page_of(checked: Checked) -> AuditPage:
    """Return what the page shows."""
    findings = checked.audit.findings
    notes = [ShownFinding(title="", sentence=sentence) for sentence in notes_of(checked)]
    doubts = checked.doubts
    return AuditPage(
        title=checked.source.name,
        facts=facts_of(checked),
        faults=[_shown(checked, one) for one in findings if one.fault],
        oddities=[*(_shown(checked, one) for one in findings if not one.fault), *notes],
        labels=None if doubts is None else _doubted(checked, doubts),
        label_notes="" if doubts is None else in_words(doubts),
    )


def in_words(doubts: Doubts) -> str:
    """Return how many labels are doubtful, and how far to trust that."""
    trust = (
        ""
        if doubts.accuracy >= _GOOD
        else " That is little: most wrong labels will stay hidden from it."
    )
    return (
        f"{len(doubts.suspects):,} of {doubts.samples:,} labels are doubtful. The quick model that "
        f"doubts them finds {doubts.accuracy:.1%} of all labels, each without having seen the "
        f"picture.{trust}"
    )


def _finding(checked: Checked, finding: Finding) -> dict[str, Any]:
    names = [checked.source.pictures.name(position) for position in finding.positions]
    return {
        "kind": finding.kind,
        "sentence": finding.sentence,
        "fault": finding.fault,
        "paths": names,
    }


def _shown(checked: Checked, finding: Finding) -> ShownFinding:
    lost = {one.position for one in checked.audit.unreadable}
    seen = [position for position in finding.positions if position not in lost]
    answer, targets = checked.source.answer, checked.source.targets
    pictures = (
        ShownPicture(
            uri=_uri(checked, position),
            name=checked.source.pictures.name(position),
            lines=(("", answer.describe_target(targets[position])),),
        )
        for position in seen[:SHOWN]
    )
    return ShownFinding(
        title=TITLES.get(finding.kind, "Pictures"),
        sentence=finding.sentence,
        pictures=tuple(pictures),
    )


def _doubted(checked: Checked, doubts: Doubts) -> Sequence[ShownPicture]:
    return [
        doubted(
            one.name,
            _uri(checked, one.position),
            given=one.given,
            likely=one.likely,
            confidence=one.confidence,
        )
        for one in doubts.suspects[:SHOWN_LABELS]
    ]


def _uri(checked: Checked, position: int) -> str:
    return data_uri(checked.store[position], size=_THUMBNAIL)
