"""How to use the model, and how to repeat the run."""

import shlex

from striate.report._blocks import Block, Code, Section
from striate.report._run import Run
from striate.report._words import plain

PYTHON = """\
import striate

predictor = striate.load({model})
print(predictor.predict(["picture.jpg"]))
"""

ONNX = """\
import numpy as np
import onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession({network})
_, height, width, channels = session.get_inputs()[0].shape
picture = ImageOps.exif_transpose(Image.open("picture.jpg"))
picture = picture.convert("L" if channels == 1 else "RGB").resize((width, height))
pixels = np.asarray(picture, np.uint8).reshape(1, height, width, channels)
logits, answer = session.run(["logits", "answer"], {{"pictures": pixels}})
"""


def use(run: Run) -> Section:
    """Return the section of commands and snippets for the model."""
    if not run.results.get("model"):
        return Section(key="use", title="How to use the model")
    model = run.folder / run.results["model"]
    quoted = shlex.quote(str(model))
    commands = "\n".join(
        (
            f"striate predict {quoted} picture.jpg",
            f"striate evaluate {quoted} FOLDER",
            f"striate verify {quoted}",
        )
    )
    python = PYTHON.format(model=repr(str(model)))
    onnx = ONNX.format(network=repr(str(model / "network.onnx")))
    blocks: tuple[Block, ...] = (
        Code(
            title="On the command line",
            text=_plain_lines(commands),
            caption="Answers for new pictures; figures on other labelled data; a check that the "
            "model folder is whole. None of them needs PyTorch.",
        ),
        Code(title="In Python", text=_plain_lines(python)),
        Code(
            title="With ONNX Runtime alone",
            text=_plain_lines(onnx),
            caption="Scaling and normalisation are inside network.onnx. This resize ignores the "
            "aspect; the rule that the model was trained with stands in model.json under input.",
        ),
    )
    return Section(key="use", title="How to use the model", blocks=blocks)


def repeat(run: Run) -> Section:
    """Return the section with the command and the settings of the run."""
    blocks: list[Block] = []
    if run.results.get("command"):
        blocks.append(
            Code(
                title="The command",
                text=run.results["command"],
                caption="Repeats the run with the same settings, seed and order of samples.",
            )
        )
    if run.config.strip():
        blocks.append(Code(title="All settings (config.yaml)", text=run.config, folded=True))
    return Section(key="repeat", title="How to repeat the run", blocks=tuple(blocks))


def _plain_lines(text: str) -> str:
    """Return text of several lines with every line printable."""
    return "\n".join(plain(line) for line in text.split("\n"))
