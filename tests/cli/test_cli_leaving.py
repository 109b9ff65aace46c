"""How the program ends."""

import signal
import subprocess
import sys
from typing import NoReturn

import pytest

import striate.flow
from command_line import Done
from command_line import striate as run_striate
from striate.errors import StoppedError

# What PyTorch does when Python ends takes a second or so, in which people press Ctrl-C again.
INTERRUPTED_AT_THE_END = """
import os, signal, sys, weakref
from striate.cli import main

class Thing: pass

thing = Thing()
weakref.finalize(thing, os.kill, os.getpid(), signal.SIGINT)
sys.argv = ["striate", "--version"]
main()
"""


def test_ctrl_c_while_python_ends_is_silent() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT_THE_END], capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGINT
    assert done.stderr == ""


def stopped_in_an_import(*_: object, told: bool, **__: object) -> NoReturn:
    """Do what numpy does where an import of its own is interrupted: raise ImportError instead."""
    try:
        raise StoppedError("Stopped; nothing was written.", 130)
    except StoppedError as error:
        try:
            raise ImportError("Error importing numpy") from (error if told else None)
        except ImportError as wrong:
            raise ImportError("cannot import name 'open_source'") from wrong


@pytest.mark.parametrize("told", [True, False])
def test_a_second_ctrl_c_during_an_import_is_no_failed_import(
    told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*words: object, **named: object) -> NoReturn:
        stopped_in_an_import(*words, told=told, **named)

    monkeypatch.setattr(striate.flow, "train", stopped)
    assert run_striate("train", "digits") == Done(
        130, "", "striate: Stopped; nothing was written.\n"
    )


def test_an_import_that_failed_by_itself_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> NoReturn:
        raise ImportError("cannot import name 'x' from 'striate.y'")

    monkeypatch.setattr(striate.flow, "train", broken)
    with pytest.raises(ImportError, match=r"^cannot import name 'x' from 'striate\.y'$"):
        run_striate("train", "digits")
