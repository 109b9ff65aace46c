"""What a run has come to, for comparing runs: everything that must not depend on kills or places."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

WALL_CLOCK = ("seconds", "images_per_second", "waiting")


def state_of(folder: Path) -> dict[str, Any]:
    """Return everything that must not depend on kills."""
    weights = load_file(folder / "model" / "weights.safetensors")
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode() + weights[name].tobytes())
    with (folder / "history.csv").open(encoding="utf-8") as file:
        history = [
            {key: value for key, value in row.items() if key not in WALL_CLOCK}
            for row in csv.DictReader(file)
        ]
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return {
        "weights": digest.hexdigest(),
        "history": history,
        "steps": (folder / "steps.csv").read_bytes(),
        "layers": (folder / "layers.csv").read_bytes(),
        "config": (folder / "config.yaml").read_bytes(),
        "parts": metrics["parts"],
        "best": (metrics["best_epoch"], metrics["stopped"]),
    }
