"""Running `striate` inside the test's own process."""

import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from unittest.mock import patch

from striate.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


def striate(*words: object) -> Done:
    """Run `striate` with these words and return how it ended."""
    out, err = StringIO(), StringIO()
    arguments = ["striate", *map(str, words)]
    with patch.object(sys, "argv", arguments), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as left:
            code = left.code
    if not isinstance(code, int):
        raise TypeError(f"striate left with {code!r}")
    return Done(code, out.getvalue(), err.getvalue())
