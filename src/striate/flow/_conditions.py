"""Under which conditions figures were measured: machine, versions, seed, seconds."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from striate._version import __version__

PACKAGES = ("torch", "onnxruntime", "numpy", "pillow", "opencv-python-headless")


def versions() -> dict[str, str]:
    """Return the versions of Python, striate and the libraries whose arithmetic counts."""
    found = {"python": platform.python_version(), "striate": __version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> str:
    """Return processor, count of processors that this process may use, and system, in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()}, {cores} processors, {platform.system()} ({sys.platform})"


def _processor() -> str:
    """Linux tells the processor's name in /proc/cpuinfo only."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
