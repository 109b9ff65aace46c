"""Start-up: `--help` of every command, `predict` on one picture, `train` before its first step.

python benchmarks/startup.py
"""

import argparse
import sys
import tempfile
from typing import Any

from harness import Contender, compare, main
from striate.cli._main import COMMANDS

STRIATE = [sys.executable, "-m", "striate"]


def helps(arguments: argparse.Namespace) -> dict[str, Any]:
    """Budget: at most 0.3 s and 60 MB for each."""
    contenders = [Contender("striate", [*STRIATE, "--help"])]
    contenders += [Contender(name, [*STRIATE, name, "--help"]) for name in COMMANDS]
    return compare("help", contenders, runs=arguments.runs, warm=1)


def predict(arguments: argparse.Namespace) -> dict[str, Any]:
    """Budget: at most 0.7 s and 200 MB; the peer is bare ONNX Runtime, NumPy and Pillow."""
    import striate

    with tempfile.TemporaryDirectory() as name:
        run = striate.train("digits", epochs=2, out=name)
        picture = next((run.model / "samples").glob("*.png"))
        bare = (
            "import sys, numpy, onnxruntime; from PIL import Image; "
            "x = numpy.asarray(Image.open(sys.argv[2]))[None, :, :, None]; "
            "print(onnxruntime.InferenceSession(sys.argv[1]).run(None, {'pictures': x}))"
        )
        return compare(
            "predict",
            [
                Contender("striate", [*STRIATE, "predict", str(run.model), str(picture)]),
                Contender(
                    "bare",
                    [sys.executable, "-c", bare, str(run.model / "network.onnx"), str(picture)],
                ),
            ],
            runs=arguments.runs,
            peer="bare",
            warm=1,
        )


def before_first_step(arguments: argparse.Namespace) -> dict[str, Any]:
    """Budget: at most 1.5 times `import torch`, on the embedded digits."""
    code = (
        "import os, striate\n"
        "from striate.training import Silent\n"
        "class First(Silent):\n"
        "    def step(self, step):\n"
        "        os._exit(0)\n"
        "striate.train('digits', listener=First())\n"
    )
    return compare(
        "train-before-first-step",
        [
            Contender("striate", [sys.executable, "-c", code]),
            Contender("import torch", [sys.executable, "-c", "import torch"]),
        ],
        runs=arguments.runs,
        peer="import torch",
        warm=1,
        note="until the first step is done, that step included",
    )


if __name__ == "__main__":
    main(
        "startup", {"help": helps, "predict": predict, "train-before-first-step": before_first_step}
    )
