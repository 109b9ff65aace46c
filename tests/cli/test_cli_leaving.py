"""How the program ends."""

import signal
import subprocess
import sys

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
