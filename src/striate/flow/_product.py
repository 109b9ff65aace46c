"""From trained PyTorch weights to what is shipped."""

from dataclasses import asdict

from safetensors.torch import save

from striate.evaluation import answers
from striate.flow._finish import Ended
from striate.flow._fit import Trained
from striate.flow._prepare import Prepared
from striate.flow._ship import Product
from striate.network import Summary, first_kernels
from striate.training._export import to_onnx
from striate.training._measure import answers_of
from striate.training._views import seen


def product_of(prepared: Prepared, trained: Trained) -> Product:
    """Export the network, and return it with what its answers are compared with."""
    settings = prepared.settings
    mean, deviation = settings.data.mean, settings.data.deviation
    assert isinstance(mean, list) and isinstance(deviation, list)
    shipped = seen(trained.network, settings.network.views)
    return Product(
        onnx=to_onnx(trained.stage, shipped, trained.task, prepared.shape),
        # Row-major: safetensors refuses channels_last tensors.
        weights=save({k: v.contiguous() for k, v in trained.network.state_dict().items()}),
        parameters=sum(p.numel() for p in trained.network.parameters()),
        mean=tuple(mean),
        deviation=tuple(deviation),
        answers=lambda positions: answers_of(
            shipped, trained.stage, trained.task, prepared.store, positions
        ),
    )


def ended_of(prepared: Prepared, trained: Trained, table: Summary) -> Ended:
    """Return what ended with trained PyTorch weights."""
    return Ended(
        product=product_of(prepared, trained),
        answers=lambda predictor: (
            lambda positions: answers(predictor, prepared.store, positions)[1]
        ),
        kernels=first_kernels(trained.network),
        layers=table.to_json()["layers"],
        layer_states=[
            {"epoch": epoch, **asdict(state)}
            for epoch, states in trained.fitted.states
            for state in states
        ],
        best_epoch=trained.fitted.best_epoch,
        stopped=trained.fitted.stopped,
    )
