"""Row 9 on whole runs: numbers that aren't finite, put into one step."""

import itertools
import random
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import run_kit as kit

WHERE = ("input", "loss", "gradient", "weight")
VALUES = ("nan", "inf", "-inf")


def injections(folder: Path, *, count: int, clean: int, seed: int) -> dict[str, Any]:
    """Inject `count` numbers into as many runs, and none into `clean`; return the figures."""
    draw = random.Random(seed)
    data = kit.write_data(folder / "data")
    caught: Counter[str] = Counter()
    missed: list[str] = []
    files: list[str] = []
    alarms = same = 0
    with kit.Server(folder / "server") as server:
        words = {task: kit.words_for(task, data[task], epochs=1) for task in kit.TASKS}
        steps = {}
        for task in kit.TASKS:
            process = server.run([*words[task], "--name", f"{task}-whole"], cwd=folder)
            steps[task] = process.place()[0]
        kinds = itertools.islice(itertools.cycle(itertools.product(WHERE, VALUES)), count)
        for number, (where, value) in enumerate(kinds):
            task = kit.TASKS[number // len(WHERE) // len(VALUES) % len(kit.TASKS)]
            step = draw.randrange(steps[task])
            name = f"run{number}"
            process = server.start(
                [*words[task], "--name", name],
                cwd=folder,
                inject={"where": where, "value": value, "step": step},
                watch_saves=str(folder / "saves"),
                save_always=1,
            )
            code = process.end()
            said = re.findall(
                r" is (?:(?:-?inf|nan) at|not finite after) step (\d+)", process.said()
            )
            if code == 0 and said == [str(step)]:
                caught[where] += 1
            else:
                missed.append(f"{where} {value} at {step}: {code} {said} {process.said()[-200:]}")
            files += [f"{where} {value}: {one}" for one in kit.not_finite(folder / "runs" / name)]
            print(number, where, value, step, code, said, len(missed), files, file=sys.stderr)
        for number in range(clean):
            task, name = kit.TASKS[number % 3], f"clean{number}"
            process = server.run(
                [*words[task], "--name", name], cwd=folder, watch_saves=str(folder / "saves")
            )
            alarms += "goes back" in process.said()
            whole = folder / "runs" / f"{task}-whole"
            same += kit.outcome(folder / "runs" / name) == kit.outcome(whole)
    saves = (folder / "saves").read_text(encoding="ascii")
    return {
        "injections": count,
        "caught_at_that_step": dict(caught),
        "missed": missed,
        "files_with_such_numbers": files,
        "checkpoints_written": saves.count("\n"),
        "checkpoints_with_such_numbers": saves.count("not finite"),
        "clean_runs": clean,
        "false_alarms": alarms,
        "clean_runs_alike": same,
    }
