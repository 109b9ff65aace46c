"""A signal while PyTorch is imported."""

import signal
import subprocess
import sys

import pytest

SCRIPT = """
import signal, sys
from striate.training._interrupt import import_torch

class Stopped(Exception): pass

def handle(*_):
    raise Stopped

signal.signal(signal.SIGINT, handle)
signal.setitimer(signal.ITIMER_REAL, 0.05)
signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
try:
    import_torch()
except Stopped:
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    print("whole", hasattr(sys.modules["torch"], "compile"), blocked)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no such timers")
def test_a_signal_waits_until_torch_is_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "whole True set()\n"), done.stderr
