"""From trained weights to the bytes of network.onnx: see docs/model-folder.md."""

import io
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.jit import TracerWarning  # type: ignore[attr-defined]

from striate.errors import NetworkError
from striate.image import Shape
from striate.network import Classifier
from striate.task import Task
from striate.training._views import Count, seen

OPSET = 18


class Shipped(nn.Module):
    """Pixels in, logits and answer out: what network.onnx computes."""

    def __init__(self, stage: nn.Module, network: nn.Module, task: Task) -> None:
        super().__init__()
        self.stage = stage
        self.network = network
        self._task = task

    def forward(self, pictures_NHWC: Tensor) -> tuple[Tensor, Tensor]:
        """Take uint8 (N, H, W, C); return float32 logits (N, K') and answer (N, K)."""
        logits = self.network(self.stage(pictures_NHWC))
        return logits, self._task.answers(logits)


class Features(nn.Module):
    """Pixels in, what the last layer of a head reads out.

    With several views it is their mean, of which the last layer, being linear, makes the mean of
    their logits.
    """

    def __init__(self, stage: nn.Module, network: Classifier, views: Count = 1) -> None:
        super().__init__()
        self.stage = stage
        self.look = seen(nn.Sequential(network.backbone, network.head[:-1]), views)

    def forward(self, pictures_NHWC: Tensor) -> Tensor:
        """Take uint8 (N, H, W, C); return float32 features (N, F)."""
        features_NF: Tensor = self.look(self.stage(pictures_NHWC))
        return features_NF


def to_onnx(stage: nn.Module, network: nn.Module, task: Task, shape: Shape) -> bytes:
    """Return the ONNX file of a network in evaluation mode, on the CPU.

    Raises:
        NetworkError: it does something that the exporter can't write.
    """
    return _written(Shipped(stage, network, task), ["logits", "answer"], shape)


def features_to_onnx(features: Features, shape: Shape) -> bytes:
    """Return the ONNX file from pixels to what the head's last layer reads, in evaluation mode.

    Its output is "features", float32 (N, F).

    Raises:
        NetworkError: the backbone does something that the exporter can't write.
    """
    return _written(features, ["features"], shape)


@contextmanager
def _numbers_for_sizes() -> Iterator[None]:
    """Let timm's "same" padding be worked out now: the height and width of a file never change.

    Else the file would work it out in every run, and ONNX Runtime, which merges a constant padding
    with its convolution, can't: features of EfficientNet-Lite0 took a third longer.
    """
    padding: Any = sys.modules.get("timm.layers.padding")
    if padding is None:
        yield
        return
    original = padding.get_same_padding
    # While a network is traced, sizes are tensors.
    padding.get_same_padding = lambda size, *rest: original(int(size), *rest)
    try:
        yield
    finally:
        padding.get_same_padding = original


def _written(module: nn.Module, outputs: list[str], shape: Shape) -> bytes:
    """Return the ONNX file of a module that takes uint8 (N, H, W, C).

    PyTorch's TorchScript-based exporter takes 0.2 s for cnn3 where the newer one takes 8.6 s, and
    both agree with eager within 1e-6. It is deprecated, so this is the only place that knows it.
    """
    shipped = module.cpu().eval()
    # Two pictures, so that no operation is specialised to a batch of one.
    example = torch.zeros(2, shape.height, shape.width, shape.channels, dtype=torch.uint8)
    file = io.BytesIO()
    with _numbers_for_sizes(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=TracerWarning)
        warnings.filterwarnings("ignore", message=".*legacy TorchScript-based ONNX export.*")
        # Of padding by F.pad: its numbers are worked out in the file instead of here.
        warnings.filterwarnings("ignore", message="Constant folding - Only steps=1")
        try:
            torch.onnx.export(
                shipped,
                (example,),
                file,  # type: ignore[arg-type]  # the TorchScript-based exporter takes files too
                dynamo=False,
                opset_version=OPSET,
                input_names=["pictures"],
                output_names=outputs,
                dynamic_axes={name: {0: "N"} for name in ("pictures", *outputs)},
            )
        except torch.onnx.OnnxExporterError as error:
            reason = str(error).partition(" Please feel free")[0].partition("\n")[0].rstrip(".")
            raise NetworkError(
                f"The network can't be written as network.onnx for pictures of "
                f"{shape.height}x{shape.width}: {reason}. Take another --image-size or --network."
            ) from error
    return file.getvalue()
