"""A run as its caller asked for it, beside its settings; and its folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.flow._facts import Told
from striate.flow._resume import Resume
from striate.flow._run import make_run_folder
from striate.training._world import ALONE, World

if TYPE_CHECKING:
    from torch import nn

FEATURES_KEPT = "Stopped; features that were computed are kept for the next run."


@dataclass(frozen=True, kw_only=True)
class Job:
    """What the caller asked for, beside the settings."""

    module: nn.Module | None
    loss: Callable[..., Any] | None
    told: Told
    begun: float
    out: Path
    name: str | None
    world: World = ALONE
    resume: Resume | None = None

    def folder(self, source: str) -> Path:
        """Return the resumed run's folder, or make a new one: `source` names it, if nothing else."""
        if self.resume is None:
            return make_run_folder(self.out, self.name, source)
        return self.resume.folder
