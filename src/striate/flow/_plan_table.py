"""The rows of `striate plan`: each candidate prepared as training would, timed and added up.

Imports PyTorch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from striate.data import Audit, Source, Split
from striate.errors import NetworkError
from striate.flow._frozen import is_frozen
from striate.flow._plan_candidates import Candidate, candidates
from striate.flow._plan_cost import Cost, find_cost
from striate.flow._plan_frozen import find_frozen_cost
from striate.flow._plan_memory import process_memory, stored_memory
from striate.flow._plan_result import Estimate, Planned
from striate.flow._plan_sample import Sample, take_sample
from striate.flow._prepare import (
    Prepared,
    choose_settings,
    has_fast_bfloat16,
    plan_network,
    shape_of,
    sizes_in_words,
    split_source,
)
from striate.image import Shape
from striate.training import Choice, Listener, Settings, make_settings
from striate.training._start import trains_on_features

Tree = Mapping[str, Any]


@dataclass
class Planning:
    """One source's candidates; what several of them share is found out once."""

    source: Source
    audit: Audit
    trees: list[Tree]
    device: str
    begun: float
    seconds: float
    samples: dict[Shape, Sample] = field(default_factory=dict)
    costs: dict[str, Cost] = field(default_factory=dict)
    base: int = 0

    def planned(self, told: Listener) -> Planned:
        """Return the table; NetworkError where the default's network doesn't fit the pictures."""
        wanted = make_settings(*self.trees)
        chosen, _ = self._choose(wanted)
        shape = shape_of(chosen)
        plan_network(chosen, shape, self.source.answer)
        divided = split_source(self.source, self.audit, chosen)
        started = perf_counter() - self.begun
        sides = self.audit.sizes[self.audit.sizes[:, 0] > 0][:, :2].min(axis=1)
        size = (shape.channels, shape.height, shape.width)
        several = candidates(wanted, chosen, size, int(np.median(sides)))
        estimates = []
        for number, one in enumerate(several):
            told.progress("Timing candidates", number, len(several))
            found = self._chosen(one)
            if found is not None:
                ready = self._prepared(*found, divided)
                estimates.append(self._estimate(one, ready, started))
        told.progress("Timing candidates", len(several), len(several))
        sample = self.samples[shape]
        return Planned(
            estimates=tuple(estimates),
            source=self.source.name,
            training=len(divided.train),
            validation=len(divided.validation),
            sample=sample.pictures,
            kept=sample.kept,
            device=self.device,
            threads=chosen.training.threads or 1,
        )

    def _choose(self, wanted: Settings) -> tuple[Settings, list[Choice]]:
        fast = has_fast_bfloat16(self.device)
        return choose_settings(self.source, self.audit, wanted, self.device, fast_bfloat16=fast)

    def _chosen(self, one: Candidate) -> tuple[Settings, list[Choice]] | None:
        """Return a candidate's settings; None where its network doesn't fit the pictures."""
        wanted = make_settings(*self.trees, one.change)
        settings, choices = self._choose(wanted)
        try:
            plan_network(settings, shape_of(settings), self.source.answer)
        except NetworkError:
            return None
        return settings, choices

    def _prepared(self, settings: Settings, choices: list[Choice], divided: Split) -> Prepared:
        shape = shape_of(settings)
        if shape not in self.samples:
            readable = np.flatnonzero(self.audit.sizes[:, 0] > 0)
            seed = settings.training.seed
            self.samples[shape] = take_sample(self.source, readable, shape, settings, seed=seed)
        return Prepared(
            source=self.source,
            sizes=sizes_in_words(self.audit),
            settings=settings,
            choices=choices,
            shape=shape,
            store=self.samples[shape].store,
            split=divided,
            unreadable=self.audit.unreadable,
            device=self.device,
        )

    def _estimate(self, one: Candidate, ready: Prepared, started: float) -> Estimate:
        settings, shape = ready.settings, ready.shape
        cost = self._cost(ready)
        in_file = settings.data.cache and ready.source.pictures.file(0) is not None
        return Estimate(
            name=one.name,
            words=one.words,
            network=settings.network.name or "",
            height=shape.height,
            width=shape.width,
            channels=shape.channels,
            parameters=cost.parameters,
            batch_size=settings.training.batch_size or 1,
            step=cost.step.median,
            step_low=cost.step.low,
            step_high=cost.step.high,
            epoch=cost.epoch,
            epochs=1 if _looks_once(settings) else settings.training.epochs or 1,
            fixed=started + cost.before + cost.after,
            memory=self.base
            + cost.memory
            + stored_memory(len(ready.source), shape, in_file=in_file),
        )

    def _cost(self, ready: Prepared) -> Cost:
        """Time a candidate, unless one that differs in its epochs alone has been timed."""
        key = ready.settings.model_copy(deep=True)
        key.training.epochs = None
        text = key.model_dump_json(exclude={"data": {"mean", "deviation"}})
        if text not in self.costs:
            sample = self.samples[ready.shape]
            find = find_frozen_cost if _looks_once(ready.settings) else find_cost
            self.costs[text] = find(ready, sample, seconds=self.seconds)
            # With what computing, exporting and checking have loaded, which no run is without.
            self.base = self.base or process_memory()
        return self.costs[text]


def _looks_once(settings: Settings) -> bool:
    return is_frozen(settings) or trains_on_features(settings)
