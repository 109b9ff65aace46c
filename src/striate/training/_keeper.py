"""What keeps a run from being lost: saves its state on a clock, and brings it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from striate.training._checkpoints import Checkpoints, Pace
from striate.training._checkpoints._network import NETWORK, collect, restore, weights_of
from striate.training._position import Position

if TYPE_CHECKING:
    from torch import Tensor, nn

    from striate.training._checkpoints import State
    from striate.training._optimizers import Optimizer
    from striate.training._plan import Plan
    from striate.training._records import Records, Unkept
    from striate.training._snapshot import Snapshot

BEST, AVERAGE = "best", "average"


@dataclass(frozen=True, kw_only=True)
class Begun:
    """Where a run begins or goes on; `best` and `average` are {} where there are none yet."""

    position: Position = field(default_factory=Position)
    best: dict[str, Tensor] = field(default_factory=dict)
    average: dict[str, Tensor] = field(default_factory=dict)


class Keeper:
    """Saves a run whenever it is due.

    Args:
        checkpoints: where to.
        seconds: `training.checkpoint_seconds`; see `Pace`.
        identity: what must be the same for an exact resume, as JSON; worked out at the first save.
        again: the command that goes on with the run.
        saved: the state that the run goes on from; None: it begins.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        *,
        seconds: float,
        identity: Callable[[], Mapping[str, Any]],
        again: str,
        saved: State | None = None,
    ) -> None:
        self.again = again
        self.saves = 0 if saved is None else 1
        self._checkpoints = checkpoints
        self._identity = identity
        self._known: Mapping[str, Any] | None = None
        self._state = saved
        self._good = saved
        ran = 0.0 if saved is None else float(saved.tree["position"]["seconds"])
        self._pace = Pace(seconds, begun=perf_counter(), ran=ran)

    def begin(self, network: nn.Module, optimizer: Optimizer) -> Begun:
        """Return where the run is; network and optimizer become as saved."""
        state, self._state = self._state, None
        if state is None:
            return Begun()
        restore(state, network, optimizer)
        return Begun(
            position=Position.from_tree(state.tree["position"]),
            best=weights_of(state, BEST, network),
            average=weights_of(state, AVERAGE, network),
        )

    def load_good(self, good: Snapshot) -> None:
        """Make `good` what an uninterrupted run would go back to; it was made where the run is."""
        state, self._good = self._good, None
        if state is not None:
            good.load(state)

    def due(self) -> bool:
        """Return whether to save now. To be asked between steps."""
        return self._pace.due(perf_counter())

    def save(
        self,
        position: Position,
        plan: Plan,
        buffers: Mapping[str, Tensor],
        weights: Mapping[str, Mapping[str, Tensor]],
        records: Records | Unkept,
        good: Snapshot,
    ) -> None:
        """Save now; the tables first, so that they are never behind the state.

        `buffers` are the network's as the last step has left them, `weights` further sets by name.
        `good` is stored where it isn't the state itself and no epoch begins, which makes a new one.
        """
        begun = perf_counter()
        records.flush(to_disk=True)
        if self._known is None:
            self._known = self._identity()
        tree: dict[str, Any] = {"position": position.to_tree(), "run": dict(self._known)}
        if plan.length:
            tree["steps"] = [list(decision) for decision in plan.length.decided]
        state = collect(plan.network, plan.optimizer, weights=weights, tree=tree)
        tensors = {**state.tensors, **{f"{NETWORK}/{name}": one for name, one in buffers.items()}}
        if position.batches and good.position.step != position.step:
            kept, tree["good"] = good.saved()
            tensors |= kept
        self._checkpoints.save(replace(state, tensors=tensors))
        self.saves += 1
        self._pace.saved(begun, perf_counter())
