"""The end of a run: ship, measure, report."""

import json
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

from striate._files import remove_file, write_file
from striate.flow._conditions import machine, versions
from striate.flow._facts import Told
from striate.flow._fit import Trained
from striate.flow._parts import PartResult, measure_parts
from striate.flow._prepare import Prepared
from striate.flow._results import collect
from striate.flow._run import Run
from striate.flow._ship import ship
from striate.network import Summary, first_kernels
from striate.report import write_report
from striate.training import Stop


def finish(
    prepared: Prepared,
    trained: Trained,
    table: Summary,
    folder: Path,
    told: Told,
    begun: float,
    stop: Stop,
) -> Run:
    """Export, check, measure and report; return the finished run."""
    source, settings = prepared.source, prepared.settings
    predictor = ship(prepared, trained, folder / "model")
    results = measure_parts(
        predictor, source, prepared.store, prepared.split, settings.training.seed
    )
    # The page goes first and comes last: with it and metrics.json a run counts as finished.
    remove_file(folder / "report.html")
    _write_json(folder / "metrics.json", _metrics(prepared, trained, results, begun))
    _write_json(folder / "results.json", _results(prepared, trained, table, results, folder, told))
    return Run(
        folder=folder,
        model=folder / "model",
        report=write_report(folder),
        metrics={name: result.metrics for name, result in results.items()},
        sentences={name: source.answer.sentence(r.metrics) for name, r in results.items()},
        samples=tuple(one.name for one in predictor.manifest.samples if one.source == "own"),
        best_epoch=trained.fitted.best_epoch,
        stopped=trained.fitted.stopped,
        exit_code=stop.exit_code,
    )


def _metrics(
    prepared: Prepared, trained: Trained, results: dict[str, PartResult], begun: float
) -> dict[str, Any]:
    """Return the content of metrics.json."""
    return {
        "task": prepared.source.answer.task,
        "parts": {name: result.metrics for name, result in results.items()},
        "best_epoch": trained.fitted.best_epoch,
        "stopped": trained.fitted.stopped,
        "conditions": {
            "measured_on": "model/network.onnx with ONNX Runtime, in evaluation mode, without "
            "augmentation, averaged over samples",
            "machine": machine(),
            "device": prepared.device,
            "threads": prepared.settings.training.threads,
            "seed": prepared.settings.training.seed,
            "versions": versions(),
            "seconds": round(perf_counter() - begun, 2),
        },
    }


def _results(
    prepared: Prepared,
    trained: Trained,
    table: Summary,
    results: dict[str, PartResult],
    folder: Path,
    told: Told,
) -> dict[str, Any]:
    return collect(
        prepared,
        results,
        title=folder.name,
        facts=told.facts,
        warnings=told.warnings,
        kernels=first_kernels(trained.network),
        layers=table.to_json()["layers"],
        layer_states=[
            {"epoch": epoch, **asdict(state)}
            for epoch, states in trained.fitted.states
            for state in states
        ],
        command=f"striate train --config {folder / 'config.yaml'}",
    )


def _write_json(path: Path, document: Any) -> None:
    """Write a JSON document without NaN, for people to read."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
    write_file(path, text + "\n")
