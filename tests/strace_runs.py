"""Runs of saving_child.py under strace: what it asks of the system, with kills and errors injected."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
# strace's names for one operation differ between machines (rename or renameat2).
CALLS = {
    "write": "write",
    "fsync": "fsync",
    "rename": "?rename,?renameat,?renameat2",
    "unlink": "?unlink,?unlinkat",
}
_LINE = re.compile(r"^\d+ +(write|fsync|rename|unlink)\w*\((.*)\) += (-?\d+)", re.MULTILINE)
_QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True)
class Traced:
    """How a run ended (minus a signal's number), what it said, and its (call, path) in order."""

    code: int
    said: str
    calls: list[tuple[str, Path]]


@cache
def why_not() -> str | None:
    """Return why strace can't be used here, or None where it can."""
    if shutil.which("strace") is None:
        return "strace isn't installed"
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False)
    return None if tried.returncode == 0 else "strace isn't permitted here"


def traced(
    folder: Path,
    first: int,
    last: int,
    *,
    inject: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Traced:
    """Save the states `first` to `last` into `folder` in a traced process.

    `inject` is strace's: "fsync:error=EIO:when=2"; the call is one of `CALLS`.
    """
    words = ["strace", "-f", "-y", "-s", "1", "-e", f"trace={','.join(CALLS.values())}"]
    if inject is not None:
        call, _, what = inject.partition(":")
        words += ["-e", f"inject={CALLS[call]}:{what}"]
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / "log"
        program = [sys.executable, "-B", str(TESTS / "saving_child.py")]
        done = subprocess.run(
            [*words, "-o", str(log), *program, str(folder), str(first), str(last)],
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Traced(done.returncode, done.stderr, _calls(log.read_text(), folder))


def _calls(log: str, folder: Path) -> list[tuple[str, Path]]:
    """Return the calls that concern the folder; a rename has the path that it made."""
    found = []
    for call, arguments, result in _LINE.findall(log):
        if call in ("write", "fsync"):
            path = arguments[arguments.index("<") + 1 : arguments.index(">")]
        else:
            path = _QUOTED.findall(arguments)[-1]
        if int(result) >= 0 and Path(path).is_relative_to(folder):
            found.append((call, Path(path)))
    return found


def check_order(calls: list[tuple[str, Path]], folder: Path) -> int:
    """Assert that every file is flushed before its rename, and the folder after; return saves.

    A deletion comes only after a manifest that was verified, so after a flush of the folder.
    """
    unflushed: set[Path] = set()
    entries_unflushed = False
    saves = 0
    for call, path in calls:
        if call == "write":
            assert path.name.startswith("."), path
            assert path.parent == folder, path
            unflushed.add(path)
        elif call == "fsync" and path == folder:
            entries_unflushed = False
        elif call == "fsync":
            unflushed.discard(path)
        elif call == "rename":
            assert not unflushed, unflushed
            assert not entries_unflushed, path
            entries_unflushed = True
            saves += path.suffix == ".json"
        else:
            assert not unflushed and not entries_unflushed, path
    assert not unflushed and not entries_unflushed
    return saves
