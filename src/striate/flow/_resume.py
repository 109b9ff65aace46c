"""Going on with a run that was stopped or killed: the same weights as if it had not been."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.errors import RunFolderError, UsageError
from striate.flow._conditions import machine, versions
from striate.flow._prepare import Prepared

if TYPE_CHECKING:
    from striate.training._checkpoints import State

CONFIG = "config.yaml"
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, kw_only=True)
class Resume:
    """A run to go on with.

    Attributes:
        folder: its folder.
        inexact: go on also where the result may differ from that of an uninterrupted run.
    """

    folder: Path
    inexact: bool

    @property
    def config(self) -> Path:
        """The settings of the run, with nothing left open."""
        return self.folder / CONFIG


def open_run(folder: Path, *, inexact: bool) -> Resume:
    """Return the run in a folder, which isn't finished yet.

    Raises:
        RunFolderError: there is no run, or nothing is left to do.
    """
    if not (folder / CONFIG).is_file():
        raise RunFolderError(
            f"--resume {folder}: there is no {CONFIG}, so this is no run folder. Name the folder that "
            "an earlier `striate train` has made, such as runs/NAME."
        )
    metrics = folder / "metrics.json"
    is_complete = metrics.is_file() and (folder / "report.html").is_file()
    if is_complete and not _was_stopped(metrics):
        raise RunFolderError(
            f"--resume {folder}: the run is finished. Train anew with --config {folder / CONFIG}, "
            "and more epochs (--epochs) if there should be."
        )
    return Resume(folder=folder, inexact=inexact)


def _was_stopped(metrics: Path) -> bool:
    try:
        return "by a signal" in json.loads(metrics.read_text(encoding="utf-8"))["stopped"]
    except (OSError, ValueError, KeyError, TypeError):
        # Half a file can't be there, but somebody may have changed it: then the run isn't over.
        return True


def refuse_options(*trees: Mapping[str, Mapping[str, object]], **options: object) -> None:
    """Raise UsageError where more than the run to resume was asked for: settings, or options."""
    wrong = [f"{group}.{key}" for tree in trees for group, keys in tree.items() for key in keys]
    wrong += [f"--{name}" for name, value in options.items() if value is not None]
    if wrong:
        raise UsageError(
            f"--resume goes on with the run's own settings, but {', '.join(wrong)} "
            f"{'was' if len(wrong) == 1 else 'were'} given too. Leave "
            f"{'it' if len(wrong) == 1 else 'them'} out, or train anew."
        )


def identity(prepared: Prepared, processes: int = 1) -> dict[str, Any]:
    """Return what must be the same for a resumed run to give the same weights, as JSON."""
    settings = prepared.settings.model_dump(mode="json")
    # How often to save, and where the cache may be, change no weight. Decisions on the number of
    # steps are added as the run goes on; `refuse_other` compares those made before the checkpoint.
    settings["training"].pop("checkpoint_seconds")
    settings["training"].pop("steps")
    settings["data"].pop("cache")
    return {
        "settings": settings,
        "versions": versions(),
        "machine": machine().partition(",")[0],
        "device": prepared.device,
        "processes": processes,
        "pictures": _pictures(prepared),
    }


def _pictures(prepared: Prepared) -> str:
    """Return a hash over ids, targets and contents of every part."""
    digest = hashlib.sha256()
    for name, positions in prepared.split.parts().items():
        digest.update(name.encode())
        for values in (
            prepared.source.ids[positions],
            prepared.source.targets[positions],
            prepared.store.digests[positions],
        ):
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def refuse_other(
    state: "State", prepared: Prepared, resume: Resume, processes: int = 1
) -> list[str]:
    """Return what differs from the run that was saved, a phrase each.

    Raises:
        UsageError: something differs and `resume` isn't inexact.
    """
    now, then = identity(prepared, processes), state.tree["run"]
    different = list(differences(then, now))
    made = [list(decision) for decision in prepared.settings.training.steps]
    before = state.tree.get("steps", [])
    if made[: len(before)] != before:
        different.append(f"training.steps began with {before} and is {made}")
    if different and not resume.inexact:
        raise UsageError(
            f"--resume {resume.folder}: the result would not be that of an uninterrupted run: "
            f"{'; '.join(different)}. Restore what was, or go on all the same with --allow-inexact."
        )
    return different


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what differs between two results of `identity`, a phrase each."""
    found = []
    for group in sorted({*then["settings"], *now["settings"]}):
        old, new = then["settings"].get(group, {}), now["settings"].get(group, {})
        found += [
            f"{group}.{key} was {old.get(key)!r} and is {new.get(key)!r}"
            for key in sorted({*old, *new})
            if old.get(key) != new.get(key)
        ]
    old, new = then["versions"], now["versions"]
    found += [
        f"{name} was {old.get(name, 'absent')} and is {new.get(name, 'absent')}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
    found += [
        f"the {what} was {then[what]} and is {now[what]}"
        for what in ("machine", "device")
        if then[what] != now[what]
    ]
    old, new = then.get("processes", 1), now["processes"]
    if old != new:
        found.append(f"the number of processes was {old} and is {new}")
    if then["pictures"] != now["pictures"]:
        found.append("the pictures, their targets or their parts have changed")
    return found
