"""Crashes of a save: power cuts replayed, failing disks, killed processes."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from crash_states import Done, Failing, Recorder, Sync, crash_states, standing_in
from saving_child import number_of, state
from striate._files import is_leftover
from striate.errors import DiskError
from striate.training._checkpoints import Checkpoints

TESTS = Path(__file__).parents[1]
LAST = 4


def checkpoints(folder: Path) -> Checkpoints:
    return Checkpoints(folder, tell=lambda _: None)


def recorded(folder: Path) -> Recorder:
    recorder = Recorder()
    with standing_in(recorder):
        for number in range(1, LAST + 1):
            checkpoints(folder).save(state(number))
            recorder.operations.append(Done())
    return recorder


def distinct_states(folder):
    folder.mkdir()
    seen = set()
    for done, files in crash_states(recorded(folder).operations):
        key = (done, frozenset(files.items()))
        if key not in seen:
            seen.add(key)
            yield done, files


def lay_out(folder, files):
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_whatever_a_power_cut_loses_a_whole_generation_is_found(tmp_path):
    count = 0
    for done, files in distinct_states(tmp_path / "recorded"):
        after = lay_out(tmp_path / "after", files)
        found = number_of(checkpoints(after).newest())
        # What `save` has returned from is never lost.
        assert found in (done, done + 1)
        count += 1
    assert count > 100


def test_after_a_power_cut_the_next_save_works_and_leaves_nothing_behind(tmp_path):
    for _, files in list(distinct_states(tmp_path / "recorded"))[::10]:
        after = lay_out(tmp_path / "after", files)
        found = number_of(checkpoints(after).newest())
        checkpoints(after).save(state(found + 1))
        assert number_of(checkpoints(after).newest()) == found + 1
        names = [path.name for path in after.iterdir()]
        assert sum(name.endswith(".json") for name in names) == min(2, found + 1)
        assert sum(name.startswith("0") for name in names) == 2 * min(2, found + 1)
        assert sum(name.startswith("frozen") for name in names) <= 2
        assert not any(map(is_leftover, names))


def test_without_the_flushes_a_power_cut_would_lose_everything(tmp_path):
    # The replay itself: it must find what the flushes are there for.
    (tmp_path / "recorded").mkdir()
    operations = recorded(tmp_path / "recorded").operations
    first = operations.index(Done()) + 1
    unflushed = [one for one in operations[:first] if not isinstance(one, Sync)]
    with pytest.raises(AssertionError):
        list(crash_states(unflushed))
    flushed_files = [one for one in operations[:first] if one != Sync(None)]
    lost = [files for done, files in crash_states(flushed_files) if done and not files]
    assert lost


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_failing_disk_is_a_letter_and_the_generation_before_is_whole(tmp_path, number):
    folder = tmp_path / "checkpoints"
    saves, at = 1, 0
    for saves in (1, 2, 3):
        checkpoints(folder).save(state(saves))
    while True:
        failing = Failing(at, number)
        before = number_of(checkpoints(folder).newest())
        try:
            with standing_in(failing):
                checkpoints(folder).save(state(saves + 1))
        except DiskError as error:
            assert re.fullmatch(
                re.escape(f"{folder}: a checkpoint of ")
                + r"\d{3} bytes can't be saved "
                + re.escape(f"({os.strerror(number)}). What was saved before is whole: make room ")
                + "or permit writing there, then resume.",
                str(error),
            )
            assert error.exit_code == 74
        else:
            assert not failing.happened
            break
        found = number_of(checkpoints(folder).newest())
        assert found in (before, saves + 1)
        if found == before:  # else all was written, and only a deletion failed
            checkpoints(folder).save(state(saves + 1))
        saves += 1
        at += 1
    # Frozen tensors change every third: those saves have four operations more.
    assert at >= 14
    assert not any(is_leftover(path.name) for path in folder.iterdir())


KILLS = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from crash_states import KINDS, standing_in
from saving_child import Checkpoints, number_of, state

class Killing:
    def __init__(self, at, after):
        self.left, self.after = at, after
    def __getattr__(self, name):
        real = getattr(os, name)
        if name not in KINDS:
            return real
        def operation(*arguments):
            self.left -= 1
            if self.left == -1 and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments)
            if self.left == -1:
                os.kill(os.getpid(), signal.SIGKILL)
            return result
        return operation

folder, told = Path(sys.argv[1]), []
def fresh():
    return Checkpoints(folder, tell=told.append)
saved, kills, at, misses = 1, 0, 0, 0
fresh().save(state(saved))
while misses < 2:
    child = os.fork()
    if child == 0:
        with standing_in(Killing(at // 2, at % 2 == 1)):
            fresh().save(state(saved + 1))
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    found = number_of(fresh().newest())
    assert found in (saved, saved + 1), (found, saved)
    killed = os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    assert killed or found == saved + 1
    # Frozen tensors change every third save, which then has more operations.
    kills, misses = kills + killed, 0 if killed else misses + 1
    saved, at = found, at + 1
assert not told, told
fresh().save(state(saved + 1))
print(kills, [name for name in os.listdir(folder) if name.startswith(".")])
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_before_and_after_every_operation_a_save_loses_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", KILLS, str(tmp_path / "checkpoints"), str(TESTS)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kills, _, leftovers = done.stdout.partition(" ")
    assert int(kills) >= 26 and leftovers.strip() == "[]"
