"""results.json: all that the report draws, as docs/run-folder.md lists it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data import Source, Store
from striate.flow._augment import examples
from striate.flow._parts import PartResult, seeded_sample
from striate.flow._prepare import Prepared
from striate.image import data_uri

SHOWN_SAMPLES = 24
SHOWN_MISTAKES = 24
SHOWN_AUGMENTED = 4
THUMBNAIL = 128
SMALL_THUMBNAIL = 80
SHOWN_KERNELS = 64


def collect(
    prepared: Prepared,
    results: Mapping[str, PartResult],
    *,
    title: str,
    facts: Sequence[tuple[str, str, str]],
    warnings: Sequence[str],
    kernels: tuple[str, npt.NDArray[np.float32]] | None,
    layers: Sequence[Mapping[str, Any]],
    layer_states: Sequence[Mapping[str, Any]],
    head: Mapping[str, Any],
    varied: bool,
    command: str,
) -> dict[str, Any]:
    """Return the content of results.json; mistakes are those of the test part if there is one.

    `varied` says that what is shipped was trained step by step: it has seen pictures varied.
    """
    source, stored, divided = prepared.source, prepared.store, prepared.split
    answer = source.answer
    judged = next(name for name in ("test", "validation", "train") if name in results)
    return {
        "format": 0,
        "title": title,
        "facts": [{"name": n, "value": v, "reason": r} for n, v, r in facts],
        "warnings": list(warnings),
        "unreadable": [{"name": u.name, "reason": u.reason} for u in prepared.unreadable],
        "classes": list(answer.names),
        "counts": {
            name: answer.counts(source.targets[part]) for name, part in divided.parts().items()
        },
        "samples": _samples(prepared),
        "augmented": _augmented(prepared) if varied else [],
        "details": {
            name: answer.details(result.answer_NK, source.targets[result.positions])
            for name, result in results.items()
        },
        "mistakes": _mistakes(source, stored, results[judged]),
        "mistakes_of": judged,
        "kernels": _kernels(kernels),
        "layers": list(layers),
        "layer_states": list(layer_states),
        "head": dict(head),
        "model": "model",
        "command": command,
    }


def _samples(prepared: Prepared) -> list[dict[str, str]]:
    source, seed = prepared.source, prepared.settings.training.seed
    shown = seeded_sample(prepared.split.train, source.ids, SHOWN_SAMPLES, seed + 1)
    return [
        {
            "picture": data_uri(prepared.store[int(p)], size=THUMBNAIL),
            "name": source.pictures.name(int(p)),
            "target": source.answer.describe_target(source.targets[p]),
        }
        for p in shown
    ]


def _augmented(prepared: Prepared) -> list[dict[str, Any]]:
    """Return training pictures beside their augmented versions; [] where nothing is varied."""
    source, settings, stored = prepared.source, prepared.settings, prepared.store
    train, seed = prepared.split.train, settings.training.seed
    shown = seeded_sample(train, source.ids, SHOWN_AUGMENTED, seed + 1)
    wide, margin = stored.take_wide(shown), prepared.shape.margin
    rows = examples(source, shown, wide, settings, margin, size=SMALL_THUMBNAIL)
    return [row for row in rows if row["versions"]]


def _mistakes(source: Source, stored: Store, result: PartResult) -> list[dict[str, Any]]:
    answer = source.answer
    targets = source.targets[result.positions]
    rows = []
    for row in answer.worst(result.answer_NK, targets, SHOWN_MISTAKES):
        position = int(result.positions[row])
        rows.append(
            {
                "picture": data_uri(stored[position], size=THUMBNAIL),
                "name": source.pictures.name(position),
                "target": answer.describe_target(targets[row]),
                **answer.brief(result.answer_NK[row], targets[row]),
            }
        )
    return rows


def _kernels(kernels: tuple[str, npt.NDArray[np.float32]] | None) -> dict[str, Any] | None:
    """Draw kernels (K, C, h, w) with one scale for all: mid-grey is 0."""
    if kernels is None:
        return None
    name, weights_KChw = kernels
    largest = float(np.abs(weights_KChw).max()) or 1.0
    grey = np.rint(127.5 + 127.5 * weights_KChw[:SHOWN_KERNELS] / largest).astype(np.uint8)
    if grey.shape[1] != 3:
        grey = grey[:, :1]
    return {
        "layer": name,
        "pictures": [data_uri(k.transpose(1, 2, 0), size=THUMBNAIL) for k in grey],
    }
