"""Checkpoints and the run folder's lock under kills, power cuts, failing disks and damage.

python benchmarks/reliability/checkpoints.py

"0 of n went wrong" means a rate below 3/n with 95 % confidence where the n are random; kills,
crash states and injected errors are all there are. Needs strace; `full-disk` needs root.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "tests")]

import full_disk  # noqa: E402
import numpy as np  # noqa: E402

import crash_states as crashes  # noqa: E402
import saving_child  # noqa: E402
from harness import machine, main, versions  # noqa: E402
from saving_child import number_of, state  # noqa: E402
from strace_runs import CALLS, check_order, traced  # noqa: E402
from striate.training._checkpoints import Checkpoints, State, _folder  # noqa: E402

LAST = 3  # generations before the save that is looked at; 6 after 3 writes frozen tensors too
NEXT = 6


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name).resolve() / "checkpoints"


def newest(path: Path) -> int:
    return number_of(Checkpoints(path, tell=sys.exit).newest())


def prepared(path: Path) -> None:
    saving_child.main(str(path), "1", str(LAST))


def line(name: str, figures: dict[str, Any], note: str) -> dict[str, Any]:
    head = {"name": name, "date": date.today().isoformat(), "note": note}
    return head | figures | {"machine": machine(), "versions": versions()}


def order(_arguments: argparse.Namespace) -> dict[str, Any]:
    with folder() as path:
        path.mkdir()
        run = traced(path, 1, 50)
        assert run.code == 0, run.said
        figures = {"saves": 50, "in_order": check_order(run.calls, path)}
    return line(
        "checkpoints-order", figures, "write, fsync, rename, fsync of the folder; by strace"
    )


def every_call(what: str, environment: dict[str, str]) -> Iterator[tuple[Path, str, int, int]]:
    """Yield (folder, call, which, exit code) of a save with `what` injected at each of its calls."""
    for call in CALLS:
        for when in range(1, 100):
            with folder() as path:
                prepared(path)
                run = traced(
                    path, NEXT, NEXT, inject=f"{call}:{what}:when={when}", environment=environment
                )
                if run.code == 0:
                    break
                yield path, call, when, run.code


def kills(_arguments: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for where in (tempfile.gettempdir(), "/dev/shm"):
        calls: dict[str, int] = {}
        whole = clean = 0
        for path, call, _, code in every_call("signal=SIGKILL", {"TMPDIR": where}):
            assert code == -9, code
            calls[call] = calls.get(call, 0) + 1
            found = newest(path)
            whole += found in (LAST, NEXT)
            saving_child.main(str(path), "7", "7")
            names = [one.name for one in path.iterdir()]
            clean += newest(path) == 7 and not any(name.startswith(".") for name in names)
        figures[f"TMPDIR={where}"] = {
            "killed_at": calls,
            "kills": sum(calls.values()),
            "whole_generation_found": whole,
            "next_save_whole_and_swept": clean,
        }
    return line("checkpoints-kills", figures, "SIGKILL at every call of one save, by strace")


def in_small_process(program: str, folder: Path, *counts: int) -> dict[str, Any]:
    """Run a program that forks: its process must not have imported PyTorch."""
    done = subprocess.run(
        [sys.executable, str(HERE / program), str(folder), *map(str, counts)],
        capture_output=True,
        text=True,
        check=True,
        timeout=1200,
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def random_kills(_arguments: argparse.Namespace) -> dict[str, Any]:
    with folder() as path:
        figures = in_small_process("random_kills.py", path, 200)
    note = "SIGKILL at random moments up to 0.3 s, one run throughout"
    return line("checkpoints-random-kills", figures, note)


def power_cuts(_arguments: argparse.Namespace) -> dict[str, Any]:
    crashes.PIECES = 4
    recorder = crashes.Recorder()
    seen: set[tuple[int, frozenset[tuple[str, bytes]]]] = set()
    states = whole = went_on = 0
    with folder() as path, tempfile.TemporaryDirectory(dir="/dev/shm") as after:
        with crashes.standing_in(recorder):
            for number in range(1, 8):
                Checkpoints(path, tell=sys.exit).save(state(number))
                recorder.operations.append(crashes.Done())
        for done, files in crashes.crash_states(recorder.operations):
            states += 1
            key = (done, frozenset(files.items()))
            if key in seen:
                continue
            seen.add(key)
            shutil.rmtree(after)
            Path(after).mkdir()
            for name, content in files.items():
                (Path(after) / name).write_bytes(content)
            checkpoints = Checkpoints(Path(after), tell=lambda _: None)
            found = number_of(checkpoints.newest())
            whole += found in (done, done + 1)
            checkpoints.save(state(found + 1))
            went_on += newest(Path(after)) == found + 1
    figures = {
        "saves": 7,
        "operations": len(recorder.operations) - 7,
        "crash_states": states,
        "distinct": len(seen),
        "whole_generation_found": whole,
        "next_save_whole": went_on,
    }
    return line(
        "checkpoints-power-cuts",
        figures,
        "every prefix of the operations of 7 saves x every subset of what wasn't flushed, "
        "writes torn in 4",
    )


def errors(_arguments: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name in ("ENOSPC", "EDQUOT", "EIO", "EROFS"):
        calls: dict[str, int] = {}
        whole = hidden = 0
        for path, call, _, code in every_call(f"error={name}", {}):
            assert code == 1, code
            calls[call] = calls.get(call, 0) + 1
            whole += newest(path) in (LAST, NEXT)
            hidden = max(hidden, sum(one.name.startswith(".") for one in path.iterdir()))
        figures[name] = {
            "failed_at": calls,
            "errors": sum(calls.values()),
            "whole_generation_found": whole,
            "most_hidden_files": hidden,
        }
    return line("checkpoints-errors", figures, "an error at every call of one save, by strace")


def disk(_arguments: argparse.Namespace) -> dict[str, Any]:
    note = "ext4 of 64 MiB with 0 to 6 MiB left in 50 steps, a generation of 4 MiB"
    return line("checkpoints-full-disk", full_disk.main(), note)


def damage(_arguments: argparse.Namespace) -> dict[str, Any]:
    """Flip bits, cut, and swap files between two runs; the file must be named."""
    draw = random.Random(0)
    counts = {"bit_flips": 2000, "truncations": 200, "swaps": 50}
    named = dict.fromkeys(counts, 0)
    slowest = 0.0
    with folder() as path, folder() as other:
        prepared(path)  # its newest generation has frozen tensors of its own
        saving_child.main(str(other), "14", "16")
        files = [path / f"0000000{LAST}{end}" for end in (".json", ".safetensors")]
        files.append(path / json.loads(files[0].read_bytes())["frozen"]["file"])
        contents = {one: one.read_bytes() for one in files}
        changes: list[tuple[str, Callable[[Path], bytes]]] = []
        changes += [("bit_flips", lambda file: flipped(contents[file], draw))] * counts["bit_flips"]
        cut = [("truncations", lambda file: contents[file][: draw.randrange(len(contents[file]))])]
        changes += cut * counts["truncations"]
        changes += [("swaps", lambda file: stranger(file, other))] * counts["swaps"]
        for kind, change in changes:
            file = draw.choice(files)
            file.write_bytes(change(file))
            told: list[str] = []
            begun = time.perf_counter()
            found = number_of(Checkpoints(path, tell=told.append).newest())
            slowest = max(slowest, time.perf_counter() - begun)
            # Of a manifest and tensors that aren't of one run, either may be called the wrong one.
            wrong = files if kind == "swaps" else [file]
            named[kind] += found < LAST and told[0].startswith(tuple(map(str, wrong)))
            file.write_bytes(contents[file])
    figures = {"tried": counts, "refused_and_named": named, "slowest_seconds": round(slowest, 4)}
    return line("checkpoints-damage", figures, "manifest, tensors and frozen tensors")


def flipped(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def stranger(file: Path, other: Path) -> bytes:
    """Return the content of the file of the same kind in another run."""
    if file.name.startswith("frozen"):
        return next(iter(other.glob("frozen-*"))).read_bytes()
    return (other / file.name).read_bytes()


def lock(_arguments: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        figures = in_small_process("lock_race.py", Path(name), 200, 100)
    return line("run-lock", figures, "2 to 4 processes at once; owners killed")


def speed(arguments: argparse.Namespace) -> dict[str, Any]:
    """Save 100 MB of float32 in ten tensors; what hashing takes is measured on the same bytes."""
    rng = np.random.default_rng(0)
    tensors = {str(one): rng.standard_normal(2_500_000, dtype=np.float32) for one in range(10)}
    held = State(tensors=tensors)
    with folder() as path:
        runs = [timed_save(path, held) for _ in range(arguments.runs + 1)]
        begun = time.perf_counter()
        Checkpoints(path, tell=sys.exit).newest()
        read = time.perf_counter() - begun
    middle = sorted(runs[1:], key=lambda one: one["seconds"])[len(runs[1:]) // 2]
    figures = {
        "megabytes": 100,
        "runs": arguments.runs,
        "save": {key: round(value, 3) for key, value in middle.items()},
        "fastest": round(min(one["seconds"] for one in runs), 3),
        "slowest": round(max(one["seconds"] for one in runs), 3),
        "newest_seconds": round(read, 3),
    }
    return line("checkpoints-speed", figures, "median run; verify reads and hashes once more")


def timed_save(path: Path, held: State) -> dict[str, float]:
    """Save, and tell wall seconds of hashing, writing, flushing and verifying apart."""
    spent = {"hash": 0.0, "verify": 0.0, "write": 0.0, "fsync": 0.0}

    def timing(kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            begun = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                spent[kind] += time.perf_counter() - begun

        return timed

    class Clocked:
        def __getattr__(self, name: str) -> Any:
            real = getattr(crashes.os, name)
            return timing(name, real) if name in ("write", "fsync") else real

    class Hashing:
        def __getattr__(self, name: str) -> Any:
            return getattr(HASHLIB, name)

        def sha256(self) -> Any:
            digest = HASHLIB.sha256()

            class Digest:
                update = staticmethod(timing("hash", digest.update))
                hexdigest = staticmethod(digest.hexdigest)

            return Digest()

    check = _folder.check_part
    _folder.hashlib, _folder.check_part = Hashing(), timing("verify", check)
    try:
        with crashes.standing_in(Clocked()):
            processor = time.process_time()
            saved = Checkpoints(path, tell=sys.exit).save(held)
            processor = time.process_time() - processor
    finally:
        _folder.hashlib, _folder.check_part = HASHLIB, check
    return {"seconds": saved.seconds, "cpu_seconds": processor} | spent


HASHLIB = _folder.hashlib

if __name__ == "__main__":
    main(
        "reliability",
        {
            "checkpoints-order": order,
            "checkpoints-kills": kills,
            "checkpoints-random-kills": random_kills,
            "checkpoints-power-cuts": power_cuts,
            "checkpoints-errors": errors,
            "checkpoints-full-disk": disk,
            "checkpoints-damage": damage,
            "run-lock": lock,
            "checkpoints-speed": speed,
        },
    )
