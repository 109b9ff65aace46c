"""A kept backbone's ONNX file and a head: one network.onnx, made without PyTorch."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from striate.answer import Answer
from striate.training._head_model import Floats, Head

if TYPE_CHECKING:
    from onnx import NodeProto

FEATURES, LOGITS, ANSWER = "features", "logits", "answer"


def compose(
    backbone: bytes,
    head: Head,
    answer: Answer,
    *,
    mean_K: Floats,
    deviation_K: Floats,
) -> bytes:
    """Return network.onnx: uint8 pictures (N, H, W, C) → logits (N, K') and answer (N, K).

    Args:
        backbone: the file from pictures to features (N, F), as `features_to_onnx` writes it.
        head: from features to logits.
        answer: the task, which says what becomes of logits (docs/model-folder.md).
        mean_K, deviation_K: regression: the answer is logit * deviation + mean.
    """
    import onnx
    from onnx import helper

    model = onnx.load_from_string(backbone)
    graph = model.graph
    outputs, names = len(head.bias_K), len(answer.names)
    tail = _Tail()
    tail.add("Gemm", [FEATURES, "head.output.weight", "head.output.bias"], LOGITS, transB=1)
    tail.hold("head.output.weight", head.weights_KF)
    tail.hold("head.output.bias", head.bias_K)
    if answer.task == "regression":
        tail.hold("deviation", np.asarray(deviation_K, np.float32))
        tail.hold("mean", np.asarray(mean_K, np.float32))
        tail.add("Mul", [LOGITS, "deviation"], "scaled")
        tail.add("Add", ["scaled", "mean"], ANSWER)
    elif answer.task == "multi-label":
        tail.add("Sigmoid", [LOGITS], ANSWER)
    elif outputs == 1:
        tail.add("Neg", [LOGITS], "other")
        tail.add("Concat", ["other", LOGITS], "pair", axis=1)
        tail.add("Sigmoid", ["pair"], ANSWER)
    else:
        tail.add("Softmax", [LOGITS], ANSWER, axis=1)
    graph.node.extend(tail.nodes)
    graph.initializer.extend(onnx.numpy_helper.from_array(a, n) for n, a in tail.held.items())
    del graph.output[:]
    for name, size in ((LOGITS, outputs), (ANSWER, names)):
        graph.output.append(
            helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", size])
        )
    return bytes(model.SerializeToString())


class _Tail:
    """The nodes after the features, and the numbers that they hold; names begin with "head."."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.held: dict[str, npt.NDArray[np.float32]] = {}

    def add(self, kind: str, inputs: list[str], output: str, **attributes: int) -> None:
        """Add a node; inputs and outputs that are the tail's own get its prefix."""
        from onnx import helper

        named = [self._named(one) for one in inputs]
        self.nodes.append(helper.make_node(kind, named, [self._named(output)], **attributes))  # type: ignore[arg-type]

    def hold(self, name: str, values: npt.NDArray[np.float32]) -> None:
        """Add numbers."""
        self.held[self._named(name)] = np.ascontiguousarray(values, np.float32)

    @staticmethod
    def _named(name: str) -> str:
        # A backbone's own names must not be met.
        outside = name in (FEATURES, LOGITS, ANSWER) or name.startswith("head.")
        return name if outside else f"head.{name}"
