"""Starts whole runs of the command line quickly: PyTorch is imported once, and every run is a fork.

Reads a job a line from stdin, {"words", "cwd", "environment", "said", "changes"}, and answers with two
lines: the process, and how it ended. `said` is the file that takes what the run prints, `changes`
are names of run_changes.py with their values. This process computes nothing and has one thread,
as long as it forks: threads don't survive a fork, and those of OpenMP would be waited for.
"""

import ctypes
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1

IMPORTED = (
    "torch",
    "onnx",
    "cv2",
    "PIL.Image",
    "jinja2",
    "torch.onnx",
    "striate.cli.train",
    "striate.flow._train",
    "striate.flow._train_steps",
)
"""What a run needs, but for ONNX Runtime, which starts a thread."""


def child(job: dict[str, Any]) -> NoReturn:
    """Be `python -m striate` with these words."""
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # never outlive the benchmark
    os.environ.update(job["environment"])
    tempfile.tempdir = None
    os.chdir(job["cwd"])
    said = os.open(job["said"] % os.getpid(), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in ((0, nothing), (1, said), (2, said)):
        os.dup2(file, number)
    import run_changes

    for name, value in job["changes"].items():
        getattr(run_changes, name)(value)
    from striate.cli._main import main

    sys.argv = ["striate", *job["words"]]
    main()
    sys.exit(0)


def main() -> None:
    """Fork for every job."""
    sys.path.insert(0, str(Path(__file__).parent))
    for name in IMPORTED:
        __import__(name)
    from striate.report._page import _template

    _template()  # compiled once
    talk = os.fdopen(os.dup(1), "w", buffering=1)
    print(json.dumps({"ready": os.getpid()}), file=talk)
    for line in iter(sys.stdin.readline, ""):
        threads = list(Path("/proc/self/task").iterdir())
        assert len(threads) == 1, threads
        process = os.fork()
        if process == 0:
            talk = None  # type: ignore[assignment]
            child(json.loads(line))
        print(json.dumps({"process": process}), file=talk)
        _, status = os.waitpid(process, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), file=talk)


if __name__ == "__main__":
    main()
