"""From the bytes of `network.onnx` to a network that obeys the contract of docs/model-folder.md."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from striate.errors import ModelError, UsageError
from striate.image import Shape
from striate.model._external import points_elsewhere

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, NodeArg

Pixels = npt.NDArray[np.uint8]
Floats32 = npt.NDArray[np.float32]

INPUT = "pictures"
OUTPUTS = ["logits", "answer"]
_SILENT = 4


class Network:
    """An ONNX network on ONNX Runtime, on the CPU; safe to run from several threads.

    Args:
        data: the ONNX file's bytes, already compared with their hash.
        name: its name in messages.
        shape: the size of pictures that it must take.
        answers: K, how many numbers one answer holds.
        threads: for one run; None: one per core.

    Raises ModelError where the file is no ONNX network, points to other files, or breaks the
    contract.
    """

    def __init__(
        self, data: bytes, *, name: str, shape: Shape, answers: int, threads: int | None = None
    ) -> None:
        self._name, self._answers = name, answers
        self._sizes = (shape.height, shape.width, shape.channels)
        _refuse_external(data, name)
        self._session = open_session(data, name, threads)
        with letters(f"{name}: ONNX Runtime refuses this network"):
            _check_input(self._session.get_inputs(), name, self._sizes)
            _check_outputs(self._session.get_outputs(), name, answers)

    def run(self, pictures_NHWC: Pixels) -> tuple[Floats32, Floats32]:
        """Return (logits (N, K'), answer (N, K)), float32.

        Raises UsageError where the pictures have another size or type, ModelError where the network
        fails or gives anything but K finite numbers for each picture.
        """
        if pictures_NHWC.dtype != np.uint8 or pictures_NHWC.shape[1:] != self._sizes:
            raise UsageError(
                f"The network takes uint8 pictures of (N, {_joined(self._sizes)}), but got "
                f"{pictures_NHWC.dtype} of ({_joined(pictures_NHWC.shape)})."
            )
        with letters(f"{self._name}: the network fails"):
            logits_NK, answer_NK = self._session.run(OUTPUTS, {INPUT: pictures_NHWC})
        if answer_NK.shape != (len(pictures_NHWC), self._answers):
            raise ModelError(
                f"{self._name}: expected {self._answers} numbers in an answer, but got "
                f"({_joined(answer_NK.shape)}) for {len(pictures_NHWC)} pictures."
            )
        if not np.isfinite(answer_NK).all():
            raise ModelError(f"{self._name}: the network gives numbers that aren't finite.")
        return logits_NK, answer_NK


def _refuse_external(data: bytes, name: str) -> None:
    try:
        elsewhere = points_elsewhere(data)
    except ValueError as error:
        raise ModelError(f"{name}: this is not an ONNX network: {error}.") from None
    if elsewhere:
        raise ModelError(
            f"{name}: the network keeps numbers in another file, which is refused. Export it as "
            "one file."
        )


def open_session(data: bytes, name: str, threads: int | None) -> "InferenceSession":
    """Return a session on the CPU; raise ModelError where ONNX Runtime refuses the file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _SILENT
    options.intra_op_num_threads = threads or 0
    options.add_session_config_entry("session.load_model_format", "ONNX")
    with letters(f"{name}: ONNX Runtime refuses this network"):
        # Its fallback would print to stdout and try the same once more.
        return onnxruntime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"], enable_fallback=0
        )


@contextmanager
def letters(beginning: str) -> Iterator[None]:
    """Turn what ONNX Runtime raises about a network into ModelError; `beginning` says which."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    # Its exceptions have no base of their own; names that aren't UTF-8 fail only when it says them.
    refusals = (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NotImplemented,
        state.RuntimeException,
        UnicodeDecodeError,
    )
    try:
        yield
    except refusals as error:
        raise ModelError(f"{beginning}: {error}") from error


def _check_input(inputs: "list[NodeArg]", name: str, sizes: tuple[int, int, int]) -> None:
    good = (
        len(inputs) == 1
        and inputs[0].name == INPUT
        and inputs[0].type == "tensor(uint8)"
        and len(inputs[0].shape) == 4
        and not isinstance(inputs[0].shape[0], int)
        and tuple(inputs[0].shape[1:]) == sizes
    )
    if not good:
        raise ModelError(
            f"{name}: expected one input '{INPUT}', tensor(uint8) of (N, {_joined(sizes)}), but "
            f"it has {_said(inputs)}."
        )


def _check_outputs(outputs: "list[NodeArg]", name: str, answers: int) -> None:
    sizes = {value.name: list(value.shape) for value in outputs if value.type == "tensor(float)"}
    good = sorted(sizes) == sorted(OUTPUTS) and len(outputs) == len(OUTPUTS)
    if not good or len(sizes["logits"]) != 2 or not _fits(sizes["answer"], answers):
        raise ModelError(
            f"{name}: expected the outputs 'logits' and 'answer', tensor(float) of (N, K), with "
            f"{answers} numbers in an answer, but it has {_said(outputs)}."
        )


def _fits(sizes: list[int | str | None], answers: int) -> bool:
    # An exporter may leave the last size open; then the first run shows it.
    return len(sizes) == 2 and (sizes[1] == answers or not isinstance(sizes[1], int))


def _said(values: "list[NodeArg]") -> str:
    """Return names, types and sizes for a message."""
    said = (f"'{value.name}', {value.type} of ({_joined(value.shape)})" for value in values)
    return "; ".join(said) or "none"


def _joined(sizes: "tuple[int | str | None, ...] | list[int | str | None]") -> str:
    return ", ".join(str(size) for size in sizes)
