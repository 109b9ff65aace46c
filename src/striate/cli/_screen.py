"""What a run looks like on the screen: facts, one line an epoch, and a progress bar on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from striate.cli._output import shown

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from striate.training import Epoch, Step

WIDTH = 13


ESTIMATED = 10
"""Steps after which a run says how long it will take."""

WORTH_TELLING = 10.0
"""Seconds."""


class Screen:
    """A listener that prints.

    Args:
        stream: where lines go: stdout, or stderr where stdout holds the JSON document.
        quiet: print warnings only, to stderr.
        log_every: print a line every so many steps; 0: none.
    """

    def __init__(self, stream: TextIO, *, quiet: bool = False, log_every: int = 0) -> None:
        self._stream = stream
        self._quiet = quiet
        self._log_every = log_every
        self._bar = _Bar(stream) if stream.isatty() and not quiet else None
        self._steps = 0
        self.apart = False
        """Whether the last line is an empty one."""

    def found(self, facts: Sequence[tuple[str, str, str]]) -> None:
        """Print one line a fact, and its reason below it."""
        for name, value, reason in facts:
            self.say(f"{name:<{WIDTH}} {value}")
            if reason:
                self.say(f"{'':<{WIDTH}} ({reason})")
        self.say("")

    def warn(self, sentence: str) -> None:
        """Print a warning to stderr, even when quiet."""
        self._clear()
        self.apart = False
        print(f"warning: {shown(sentence)}", file=sys.stderr, flush=True)

    def progress(self, what: str, done: int, total: int) -> None:
        """Move the bar."""
        if self._bar:
            self._bar.show(what, done, total)

    def step(self, step: Step) -> None:
        """Move the bar; print a line every `log_every` steps, and once how long it will take."""
        self._steps += 1
        if self._steps == ESTIMATED and step.seconds_left >= WORTH_TELLING:
            epochs = f"{step.epochs} epoch{'' if step.epochs == 1 else 's'}"
            self.say(f"about {duration(step.seconds_left)} to the end of {epochs}")
        if self._bar:
            what = (
                f"epoch {step.epoch}/{step.epochs}  loss {step.loss:.4f}  "
                f"{step.images_per_second:,.0f} images/s  {duration(step.seconds_left)} left"
            )
            self._bar.show(what, step.index, step.steps)
        if self._log_every and self._steps % self._log_every == 0:
            share = 100 * step.index / step.steps
            self.say(
                f"step {self._steps}  epoch {step.epoch} ({share:.0f} %)  loss {step.loss:.4f}"
            )

    def epoch(self, epoch: Epoch) -> None:
        """Print the epoch's line."""
        parts = [f"epoch {epoch.epoch:>3}/{epoch.epochs}", f"running loss {epoch.running_loss:.4f}"]
        if epoch.validation:
            parts.append(f"validation loss {epoch.validation['loss']:.4f}")
            parts.append(f"{epoch.metric} {epoch.validation[epoch.metric]:.4f}")
        parts.append(f"{epoch.images_per_second:,.0f} images/s")
        parts.append(f"{duration(epoch.seconds_left)} left")
        self.say("  ".join(parts) + ("  (best)" if epoch.best else ""))

    def say(self, sentence: str) -> None:
        """Print a line, unless quiet."""
        if not self._quiet:
            self._clear()
            self.apart = not sentence
            print(shown(sentence), file=self._stream, flush=True)

    def _clear(self) -> None:
        if self._bar:
            self._bar.clear()


class _Bar:
    """One Rich progress bar at a time, gone before anything else is printed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def show(self, what: str, done: int, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        if self._progress is None or self._task is None:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            self._progress = Progress(*columns, console=Console(file=self._stream), transient=True)
            self._progress.start()
            self._task = self._progress.add_task(what, total=total)
        self._progress.update(self._task, description=what, completed=done, total=total)

    def clear(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def duration(seconds: float) -> str:
    """Return seconds as people write them.

    >>> duration(5.2), duration(75), duration(3700)
    ('5 s', '1:15 min', '1:01 h')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
