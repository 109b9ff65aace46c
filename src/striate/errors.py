"""Every exception that striate raises on purpose.

    StriateError                 exit code 1
    ├── UsageError               2    an option, a setting, a written network
    │   └── NetworkError         2    a network that can't be built for this picture size
    ├── SourceError              3    the data: missing, empty, contradictory
    │   └── PictureError         3    one picture that can't be read; knows its name
    ├── ModelError               4    a model folder: missing, damaged, of another format
    ├── CheckError               5    a check that stopped the run
    ├── NotFiniteError           6    a loss or gradient that is no longer a finite number
    ├── RunFolderError           7    a run folder that is busy or exists already
    ├── PeerError                8    several processes: another one has gone
    ├── DiskError               74    no space, no permission to write
    └── StoppedError     130 or 143    Ctrl-C or SIGTERM before there was anything to keep

A message is a short letter: what was expected, what came, what to do. It names the file or the
option. The command line prints it as it is and leaves with the exception's `exit_code`.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class StriateError(Exception):
    """Base of all; catch it to catch everything that striate raises on purpose."""

    exit_code = 1


class UsageError(StriateError):
    """An option, setting or argument that isn't understood."""

    exit_code = 2


class NetworkError(UsageError):
    """A network that can't be built: the layer is named, with a size that would fit."""


class SourceError(StriateError):
    """Data that can't be used as it is."""

    exit_code = 3


class PictureError(SourceError):
    """One picture that can't be read.

    `name` is the picture's path or name as the user knows it, `reason` why, in a few words.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason

    def __reduce__(self) -> tuple[type["PictureError"], tuple[str, str]]:
        return type(self), (self.name, self.reason)


class ModelError(StriateError):
    """A model folder that is missing, damaged or of a format this version can't read."""

    exit_code = 4


class CheckError(StriateError):
    """A check found something that makes going on pointless or dishonest."""

    exit_code = 5


class NotFiniteError(StriateError):
    """Training met a number that isn't finite."""

    exit_code = 6


class RunFolderError(StriateError):
    """A run folder that exists already, is held by another process, or holds no whole checkpoint."""

    exit_code = 7


class PeerError(StriateError):
    """Several processes train together, and another one has ended or doesn't answer."""

    exit_code = 8


class DiskError(StriateError):
    """The disk refused a write."""

    exit_code = 74


class StoppedError(StriateError):
    """A signal ended the run before it had a result."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the choice nearest to `word`, or "" where none is near.

    >>> nearest("crossentropy", ["cross-entropy", "mse"])
    " Did you mean 'cross-entropy'?"
    """
    lowered = {choice.lower(): choice for choice in choices}
    found = get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f" Did you mean '{lowered[found[0]]}'?" if found else ""


def unknown(what: str, word: str, choices: Iterable[str], *, do: str = "") -> str:
    """Return the letter for a word that isn't one of `choices`.

    >>> unknown("loss", "huberr", ["huber", "mse"])
    "There is no loss called 'huberr'. Did you mean 'huber'? Known: huber, mse."
    """
    known = list(choices)
    tail = f" {do}" if do else ""
    return f"There is no {what} called '{word}'.{nearest(word, known)} Known: {', '.join(known)}.{tail}"
