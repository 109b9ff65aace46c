"""One run folder, one process: real processes."""

import os
import signal
import subprocess
import sys

import pytest

from striate.errors import DiskError, RunFolderError
from striate.training._lock import FILE, RunLock

HOLD = """
import sys, time
from pathlib import Path
from striate.training._lock import RunLock
from striate.errors import StriateError
try:
    with RunLock(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.read()
except StriateError as error:
    print(error, flush=True)
    sys.exit(error.exit_code)
"""


def start(folder):
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def end(process):
    process.stdin.close()
    process.stdout.close()
    return process.wait(30)


def letter(folder, holder):
    return (
        f"{folder}: process {holder} is writing to this run folder. Wait until it has ended, "
        "or choose another --name."
    )


def test_the_second_process_is_refused_and_told_who_holds_it(tmp_path):
    first = start(tmp_path)
    assert first.stdout.readline() == "held\n"
    with pytest.raises(RunFolderError) as caught, RunLock(tmp_path):
        pytest.fail("entered")
    assert str(caught.value) == letter(tmp_path, first.pid)
    second = start(tmp_path)
    assert second.stdout.readline() == letter(tmp_path, first.pid) + "\n"
    assert end(second) == 7
    assert end(first) == 0
    with RunLock(tmp_path):
        assert (tmp_path / FILE).read_text() == f"{os.getpid()}\n"


def test_a_killed_holder_leaves_nothing_to_clean_up(tmp_path):
    first = start(tmp_path)
    assert first.stdout.readline() == "held\n"
    first.send_signal(signal.SIGKILL)
    end(first)
    with RunLock(tmp_path):
        pass


@pytest.mark.slow
def test_of_three_that_start_together_one_enters(tmp_path):
    processes = [start(tmp_path) for _ in range(3)]
    said = {process.pid: process.stdout.readline().strip() for process in processes}
    (owner,) = [pid for pid, line in said.items() if line == "held"]
    assert (
        sorted(line for pid, line in said.items() if pid != owner) == [letter(tmp_path, owner)] * 2
    )
    assert sorted(end(process) for process in processes) == [0, 7, 7]


def test_within_one_process_too_and_leaving_opens_it(tmp_path):
    with RunLock(tmp_path) as held:
        with pytest.raises(RunFolderError) as caught, RunLock(tmp_path):
            pytest.fail("entered")
        assert str(caught.value) == letter(tmp_path, os.getpid())
    with RunLock(tmp_path), pytest.raises(RunFolderError), held:
        pytest.fail("entered")
    with held:
        pass


def test_a_killed_holders_number_is_never_told(tmp_path, monkeypatch):
    from striate.training import _lock

    monkeypatch.setattr(_lock, "PATIENCE", 0.05)
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()
    with RunLock(tmp_path):
        # As between taking the lock and writing the number.
        (tmp_path / FILE).write_text(f"{ended.pid}\n")
        with pytest.raises(RunFolderError) as caught, RunLock(tmp_path):
            pytest.fail("entered")
    assert str(caught.value).startswith(f"{tmp_path}: another process is writing")


def test_a_folder_that_cant_be_written_is_a_letter(tmp_path):
    with pytest.raises(DiskError) as caught, RunLock(tmp_path / "missing"):
        pytest.fail("entered")
    assert str(caught.value) == (
        f"{tmp_path / 'missing' / FILE}: the run folder can't be locked "
        "(No such file or directory). Make room or permit writing there."
    )


def test_the_lock_isnt_passed_on_to_programs_that_are_started(tmp_path):
    with RunLock(tmp_path):
        sleeper = subprocess.Popen(
            [sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, close_fds=False
        )
    with RunLock(tmp_path):
        pass
    sleeper.communicate(b"\n")
