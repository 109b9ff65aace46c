"""Row 4 on whole runs: a small disk that is ever fuller; needs root, mkfs.ext4 and a loop device."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import run_kit as kit
from full_disk import fill, small_disk
from run_same import stopped_run

MOST = 640 * 2**10
"""Bytes that the last level leaves: enough for all that the run has still to write."""


def levels(folder: Path, *, count: int) -> dict[str, Any]:
    """Resume a stopped run on disks with 0 to 640 KiB left, make room, resume again; the figures."""
    data = kit.write_data(folder / "data")
    codes: Counter[str] = Counter()
    letters = kept = same = hidden = 0
    wrong: list[str] = []
    with kit.Server(folder / "server") as server, small_disk() as disk:
        words = kit.words_for("classification", data["classification"])
        server.run([*words, "--name", "whole"], cwd=folder)
        expected = kit.outcome(folder / "runs" / "whole")
        stopped = stopped_run(server, folder, "classification", data["classification"])
        before = kit.saved_step(stopped)[0]
        for level in range(count):
            run = kit.copied(stopped, disk / "run")
            fill(disk / "filler", level * MOST // count)
            again = ["--resume", str(run), "--quiet"]
            process = server.start(again, cwd=folder, save_always=1)
            code, said = process.end(), process.said()
            codes[str(code)] += 1
            if code:
                last = said.strip().splitlines()[-1:] or [""]
                letters += "Traceback" not in said and "bytes" in last[0]
                if code != 74 or "Traceback" in said:
                    wrong.append(f"{level}: {code} {said[-300:]}")
            kept += kit.saved_step(run)[0] >= before
            leftovers = sum(one.name.startswith(".") for one in (run / "checkpoints").iterdir())
            hidden = max(hidden, leftovers)
            (disk / "filler").unlink()
            if code:
                server.run(again, cwd=folder)
            same += kit.outcome(run) == expected
            print(level, code, letters, kept, same, wrong, file=sys.stderr)
    return {
        "levels": count,
        "exit_codes": dict(codes),
        "letters_with_bytes": letters,
        "checkpoint_whole": kept,
        "most_hidden_files": hidden,
        "same_after_making_room": same,
        "wrong_exits": wrong,
    }
