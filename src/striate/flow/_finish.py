"""The end of a run: ship, measure, report."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from striate._files import remove_file, write_file
from striate.flow._conditions import machine, versions
from striate.flow._facts import Told
from striate.flow._parts import PartResult, measure_parts
from striate.flow._prepare import Prepared
from striate.flow._results import collect
from striate.flow._run import Run
from striate.flow._ship import Product, ship
from striate.model import Predictor
from striate.report import write_report
from striate.training import Stop

Positions = npt.NDArray[np.int64]
Answers = npt.NDArray[np.float32]

MEASURED_ON = (
    "model/network.onnx with ONNX Runtime, in evaluation mode, without augmentation, averaged over "
    "samples"
)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A training that is over.

    Attributes:
        product: what it came to.
        measured_on: what the figures are taken with, in words.
        answers: predictor → (positions (N,) → answers (N, K)): what they are taken from.
        kernels: name and weights (K, C, h, w) of the first convolution.
        layers: rows of the layer table.
        layer_states: the layers' states as the training went on (docs/run-folder.md).
        head: how a head on frozen features was found, for the report, also where the whole network
            was trained from it on; {} where there is none.
        best_epoch: whose weights were kept; 0 where those of no epoch were.
        stopped: why it ended.
    """

    product: Product
    measured_on: str = MEASURED_ON
    answers: Callable[[Predictor], Callable[[Positions], Answers]]
    kernels: tuple[str, npt.NDArray[np.float32]] | None
    layers: Sequence[Mapping[str, Any]]
    layer_states: Sequence[Mapping[str, Any]] = ()
    head: Mapping[str, Any] = field(default_factory=dict)
    best_epoch: int
    stopped: str


def finish(
    prepared: Prepared, ended: Ended, folder: Path, told: Told, begun: float, stop: Stop
) -> Run:
    """Ship, check, measure and report; return the finished run."""
    source, settings = prepared.source, prepared.settings
    predictor = ship(prepared, ended.product, folder / "model")
    results = measure_parts(
        ended.answers(predictor), source, prepared.split, settings.training.seed
    )
    # The page goes first and comes last: with it and metrics.json a run counts as finished.
    remove_file(folder / "report.html")
    _write_json(folder / "metrics.json", _metrics(prepared, ended, results, begun))
    _write_json(folder / "results.json", _results(prepared, ended, results, folder, told))
    return Run(
        folder=folder,
        model=folder / "model",
        report=write_report(folder),
        metrics={name: result.metrics for name, result in results.items()},
        sentences={name: source.answer.sentence(r.metrics) for name, r in results.items()},
        samples=tuple(one.name for one in predictor.manifest.samples if one.source == "own"),
        best_epoch=ended.best_epoch,
        stopped=ended.stopped,
        exit_code=stop.exit_code,
    )


def _metrics(
    prepared: Prepared, ended: Ended, results: dict[str, PartResult], begun: float
) -> dict[str, Any]:
    """Return the content of metrics.json."""
    return {
        "task": prepared.source.answer.task,
        "parts": {name: result.metrics for name, result in results.items()},
        "best_epoch": ended.best_epoch,
        "stopped": ended.stopped,
        "conditions": {
            "measured_on": ended.measured_on,
            "machine": machine(),
            "device": prepared.device,
            "threads": prepared.settings.training.threads,
            "seed": prepared.settings.training.seed,
            "versions": versions(),
            "seconds": round(perf_counter() - begun, 2),
        },
    }


def _results(
    prepared: Prepared, ended: Ended, results: dict[str, PartResult], folder: Path, told: Told
) -> dict[str, Any]:
    return collect(
        prepared,
        results,
        title=folder.name,
        facts=told.facts,
        warnings=told.warnings,
        kernels=ended.kernels,
        layers=ended.layers,
        layer_states=ended.layer_states,
        head=ended.head,
        varied=ended.best_epoch > 0,
        command=f"striate train --config {folder / 'config.yaml'}",
    )


def _write_json(path: Path, document: Any) -> None:
    """Write a JSON document without NaN, for people to read."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
    write_file(path, text + "\n")
