"""Synthetic run folders: every kind of result that the page must show, made from seeds."""

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pictures import stripes

HOSTILE = (
    "<script>alert(1)</script>",
    "\"quotes' & \\ampersands",
    "‮txt.exe",
    "שלום عليكم",
    "x" * 255,
    "line\nbreak\x00\udc80",
    "{{ 7 * 7 }}",
    "](javascript:alert(1))",
    "</style></svg><img src=http://evil.example/a.png>",
)

Json = dict[str, Any]


def png(picture: np.ndarray) -> str:
    """Return a picture (H, W, C) uint8 as a data URI."""
    file = io.BytesIO()
    Image.fromarray(picture.squeeze(-1) if picture.shape[2] == 1 else picture).save(file, "png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def write_run(
    folder: Path,
    results: Json,
    metrics: Json,
    *,
    epochs: int = 8,
    steps: int = 40,
    history: dict[str, np.ndarray] | None = None,
) -> Path:
    """Write the five files that the report reads; `steps` are those of one epoch."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text("training:\n  epochs: 8\n  note: '<b>&'\n")
    (folder / "results.json").write_text(json.dumps({"format": 0, **results}))
    (folder / "metrics.json").write_text(json.dumps(metrics))
    rng = np.random.default_rng(0)
    total = epochs * steps
    step = np.arange(1, total + 1)
    progress = step / max(total, 1)
    write_csv(
        folder / "steps.csv",
        {
            "step": step,
            "epoch": (step - 1) // max(steps, 1) + 1,
            "loss": 2.3 * np.exp(-4 * progress) * rng.lognormal(0, 0.35, total) + 0.02,
            "learning_rate": 0.003 * np.sin(np.pi * np.clip(progress, 0.01, 0.99)) ** 2,
            "gradient_norm": rng.lognormal(0, 0.5, total) * (1.5 - progress),
        },
    )
    epoch = np.arange(1, epochs + 1)
    columns: dict[str, np.ndarray] = {
        "epoch": epoch,
        "step": epoch * steps,
        "learning_rate": np.full(epochs, 0.001),
        "running_loss": 2.3 * np.exp(-0.5 * epoch),
        "validation_loss": 1.9 * np.exp(-0.55 * epoch) + 0.08,
    }
    columns |= history or {"validation_accuracy": 1 - 0.6 * np.exp(-0.5 * epoch)}
    columns |= {"seconds": np.full(epochs, 1.5), "images_per_second": np.full(epochs, 800.0)}
    write_csv(folder / "history.csv", columns)
    return folder


def write_csv(path: Path, columns: dict[str, np.ndarray]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(np.asarray(column).tolist() for column in columns.values())))


def classification(folder: Path, classes: int | tuple[str, ...], **options: Any) -> Path:
    """Write a run of that many classes (two: binary), with every section's data."""
    names = classes if isinstance(classes, tuple) else tuple(f"kind {n}" for n in range(classes))
    k = len(names)
    rng = np.random.default_rng(k)
    confusion = rng.poisson(1.2 / k, (k, k)) + np.diag(rng.integers(8, 30, k))
    count = confusion.sum(axis=1)
    right, total = int(np.trace(confusion)), int(confusion.sum())
    details = {
        "confusion": confusion.tolist(),
        "per_class": [
            {"name": name, "precision": 0.9, "recall": right / total, "f1": 0.85, "count": int(n)}
            for name, n in zip(names, count)
        ],
        **curves(names[1:] if k == 2 else names[:10]),
        "calibration": calibration(),
    }
    figures = {
        "samples": total,
        "sampled": False,
        "loss": 0.2871,
        "correct": right,
        "total": total,
        "accuracy": right / total,
        "accuracy_low": right / total - 0.02,
        "accuracy_high": right / total + 0.01,
        "balanced_accuracy": 0.951,
        "precision": 0.95,
        "recall": 0.951,
        "f1": 0.9504,
        "calibration_error": 0.0213,
        "roc_auc": 0.9962,
        "average_precision": 0.9871,
    }
    results = common(names) | {
        "counts": {
            "train": (count * 4).tolist(),
            "validation": count.tolist(),
            "test": count.tolist(),
        },
        "details": {"validation": details, "test": details},
    }
    return write_run(folder, results, metrics("classification", figures), **options)


def multi_label(folder: Path) -> Path:
    names = ("blue sky", "sea", "sand", "people")
    figures = {
        "samples": 120,
        "sampled": False,
        "loss": 0.31,
        "accuracy": 0.93,
        "exact_match": 0.71,
        "precision": 0.9,
        "recall": 0.88,
        "f1": 0.89,
        "roc_auc": 0.97,
        "average_precision": 0.94,
    }
    details = {
        "per_class": [
            {"name": n, "precision": 0.9, "recall": 0.8, "f1": 0.85, "count": 30} for n in names
        ],
        **curves(names),
        "calibration": calibration(),
    }
    results = common(names) | {
        "counts": {"train": [200, 150, 90, 20]},
        "details": {"validation": details},
    }
    return write_run(
        folder,
        results,
        metrics("multi-label", figures, test=False),
        history={"validation_exact_match": np.linspace(0.2, 0.71, 8)},
    )


def regression(folder: Path) -> Path:
    rng = np.random.default_rng(1)
    truth = rng.uniform(-45, 45, 800)
    answer = truth * 0.93 + rng.normal(0, 3, 800)
    counts, edges = np.histogram(answer - truth, bins=30)
    figures = {
        "samples": 800,
        "sampled": False,
        "loss": 9.8,
        "mae": 2.51,
        "rmse": 3.13,
        "r2": 0.985,
        "mae_angle": 2.51,
    }
    details = {
        "targets": [{"name": "angle", "truth": truth.tolist(), "answer": answer.tolist()}],
        "residuals": [{"name": "angle", "edges": edges.tolist(), "counts": counts.tolist()}],
    }
    results = common(("angle",)) | {
        "counts": {"train": 2000, "test": 800},
        "details": {"test": details},
    }
    for n, row in enumerate(results["mistakes"]):
        row |= {"target": "angle −12.3", "answer": "angle 4.1", "error": 16.4 - n}
        row.pop("confidence")
    return write_run(
        folder,
        results,
        metrics("regression", figures),
        history={
            "validation_mae": np.geomspace(20, 2.5, 8),
            "validation_rmse": np.geomspace(26, 3.1, 8),
            "validation_r2": np.linspace(0.1, 0.98, 8),
        },
    )


HEAD: Json = {
    "strength": 31.6,
    "folds": 5,
    "measure": "accuracy",
    "tried": [
        {"strength": 1000.0, "loss": 0.4666, "figure": 0.9633},
        {"strength": 316.0, "loss": 0.2169, "figure": 0.9673},
        {"strength": 100.0, "loss": 0.1164, "figure": 0.9714},
        {"strength": 31.6, "loss": 0.0955, "figure": 0.9673},
        {"strength": 10.0, "loss": 0.0973, "figure": 0.9551},
    ],
    "decided_on_validation": True,
}


def with_head(folder: Path, head: Json, *, epochs: int = 0, best_epoch: int = 0) -> Path:
    """Write a run that began with a head on frozen features; `epochs` were trained after it."""
    classification(folder, 3, epochs=epochs)
    edit(folder / "results.json", {"head": head})
    edit(folder / "metrics.json", {"best_epoch": best_epoch})
    if not epochs:
        # As such runs leave them: history.csv's columns hang on what an epoch measured.
        (folder / "history.csv").write_text("")
        (folder / "steps.csv").write_text("step,epoch,loss,learning_rate,gradient_norm\n")
    return folder


def edit(path: Path, changes: Json) -> None:
    """Change keys of a JSON document."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def hostile(folder: Path) -> Path:
    """Write a run in which every name, sentence and value is an attack or an accident."""
    classification(folder, HOSTILE)
    results = json.loads((folder / "results.json").read_text())
    attack = HOSTILE[0]
    results |= {
        "title": attack + HOSTILE[4],
        "facts": [{"name": each, "value": each, "reason": each} for each in HOSTILE],
        "warnings": list(HOSTILE),
        "command": f"striate train '{attack}' {HOSTILE[4]}",
        "model": "mo'del <b>",
        "samples": [
            {"picture": results["samples"][0]["picture"], "name": each, "target": each}
            for each in HOSTILE
        ]
        + [
            {"picture": "http://evil.example/a.png", "name": "far", "target": "away"},
            {"picture": "data:image/svg+xml;base64,AAAA", "name": "far", "target": "away"},
        ],
    }
    results["kernels"]["layer"] = attack
    results["layers"][0] |= {"name": HOSTILE[4], "kind": attack, "formula": attack}
    for row, name in zip(results["mistakes"], HOSTILE):
        row |= {"name": name, "target": name, "answer": name}
    (folder / "results.json").write_text(json.dumps(results))
    return folder


def minimal(folder: Path) -> Path:
    """Write a run that holds the five files and nothing in them."""
    write_run(folder, {}, {}, epochs=0, steps=0)
    (folder / "config.yaml").write_text("")
    return folder


def common(names: tuple[str, ...]) -> Json:
    """Return the results that every task has."""
    pictures = [png(stripes(n % 8, n)) for n in range(12)]
    return {
        "title": "stripes-2026-01-05",
        "classes": list(names),
        "facts": [
            {"name": "pictures", "value": 1797, "reason": ""},
            {
                "name": "image size",
                "value": "16×16, grey",
                "reason": "the median of the pictures' own sizes",
            },
            {
                "name": "network",
                "value": "cnn3, 421,642 parameters",
                "reason": "small pictures, few classes",
            },
            {
                "name": "split",
                "value": "1,150 train, 287 validation, 360 test",
                "reason": "test part as published; the rest 80/20, stratified, seed 0",
            },
        ],
        "warnings": ["2 pictures are in both train and test: a/003.png, b/017.png."],
        "samples": [
            {"picture": picture, "name": f"a/{n:03d}.png", "target": names[n % len(names)]}
            for n, picture in enumerate(pictures)
        ],
        "mistakes": [
            {
                "picture": picture,
                "name": f"test/a/{n:03d}.png",
                "target": names[0],
                "answer": names[-1],
                "confidence": 0.99 - n / 50,
            }
            for n, picture in enumerate(pictures)
        ],
        "kernels": {
            "layer": "conv1",
            "pictures": [png(stripes(n, n, size=3, channels=1)) for n in range(32)],
        },
        "layers": [
            {
                "name": "conv1",
                "kind": "conv 32 3×3",
                "formula": "(28 − 3 + 2·1)/1 + 1 = 28",
                "output": [32, 28, 28],
                "parameters": 320,
                "flops": 476672,
                "receptive_field": 3,
                "bytes": 100352,
            },
            {
                "name": "pool1",
                "kind": "max 2",
                "formula": "(28 − 2)/2 + 1 = 14",
                "output": [32, 14, 14],
                "parameters": 0,
                "flops": 0,
                "receptive_field": [4, 4],
                "bytes": 25088,
            },
            {
                "name": "fc",
                "kind": "dense 10",
                "formula": "",
                "output": [10],
                "parameters": 1290,
                "flops": 2570,
                "receptive_field": None,
                "bytes": 40,
            },
        ],
        "model": "model",
        "command": "striate train digits --seed 0 --network cnn3",
    }


def metrics(task: str, figures: Json, *, test: bool = True) -> Json:
    """Return metrics.json with the same figures for each part."""
    parts = {"train": {**figures, "sampled": True, "samples": 5000}, "validation": figures}
    return {
        "task": task,
        "parts": parts | ({"test": figures} if test else {}),
        "best_epoch": 7,
        "stopped": "all epochs done",
        "conditions": {
            "measured_on": "model/network.onnx with ONNX Runtime",
            "machine": "2 cores of an AMD EPYC, 8 GB",
            "versions": {"striate": "0.1.0", "torch": "2.14.1", "onnxruntime": "1.31.1"},
            "seed": 0,
            "threads": 2,
            "seconds": 12.4,
        },
    }


def curves(names: tuple[str, ...]) -> Json:
    x = np.linspace(0, 1, 101)
    return {
        "roc": [
            {
                "name": name,
                "x": x.tolist(),
                "y": (x ** (0.05 + 0.03 * n)).tolist(),
                "area": 1 / (1.05 + 0.03 * n),
            }
            for n, name in enumerate(names)
        ],
        "precision_recall": [
            {
                "name": name,
                "x": x.tolist(),
                "y": (1 - 0.3 * x ** (8 - n / 2)).tolist(),
                "area": 0.97 - 0.01 * n,
            }
            for n, name in enumerate(names)
        ],
    }


def calibration() -> list[Json]:
    return [
        {
            "low": n / 10,
            "high": (n + 1) / 10,
            "count": [0, 0, 0, 2, 4, 6, 9, 14, 30, 290][n],
            "confidence": n / 10 + 0.06,
            "accuracy": max(0.0, n / 10 - 0.02),
        }
        for n in range(10)
    ]
