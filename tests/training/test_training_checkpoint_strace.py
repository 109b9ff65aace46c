"""Saves seen from the operating system: order of calls, kills and errors at them."""

import signal

import pytest

from saving_child import main, number_of
from strace_runs import CALLS, check_order, traced, why_not
from striate.training._checkpoints import Checkpoints

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
]


def newest(folder):
    return number_of(Checkpoints(folder, tell=pytest.fail).newest())


def test_every_file_is_flushed_then_renamed_then_the_folder_flushed(tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    run = traced(folder, 1, 4)
    assert run.code == 0, run.said
    assert check_order(run.calls, folder) == 4
    kinds = [call for call, _ in run.calls]
    # Each save writes a file of tensors and a manifest; 1 and 3 write frozen tensors too.
    assert {call: kinds.count(call) for call in CALLS} == {
        "write": 10,
        "fsync": 20,
        "rename": 10,
        "unlink": 4,
    }
    with pytest.raises(AssertionError):
        check_order([one for one in run.calls if one != ("fsync", folder)], folder)


@pytest.mark.parametrize(
    ("call", "when"), [("write", 1), ("fsync", 3), ("rename", 2), ("unlink", 1)]
)
def test_killed_at_a_call_a_save_loses_nothing(tmp_path, call, when):
    folder = tmp_path / "checkpoints"
    main(str(folder), "1", "3")
    run = traced(folder, 4, 4, inject=f"{call}:signal=SIGKILL:when={when}")
    assert run.code == -signal.SIGKILL
    assert newest(folder) == (4 if call == "unlink" else 3)
    main(str(folder), "5", "5")
    assert newest(folder) == 5
    assert len(list(folder.glob("0*"))) == 4 and not list(folder.glob(".*"))


@pytest.mark.parametrize("fault", ["write:error=ENOSPC:when=1", "fsync:error=EIO:when=3"])
def test_a_failing_call_is_a_letter(tmp_path, fault):
    folder = tmp_path / "checkpoints"
    main(str(folder), "1", "2")
    run = traced(folder, 4, 4, inject=fault)
    assert run.code == 1 and f"DiskError: {folder}: a checkpoint of " in run.said
    assert newest(folder) == 2 and not list(folder.glob(".*"))
