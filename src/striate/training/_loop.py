"""The training loop: plain PyTorch, one step after another, nothing hidden."""

import math
from contextlib import nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from striate.data import AnyBatch
from striate.errors import NotFiniteError, PeerError
from striate.training._average import Average
from striate.training._clock import Clock
from striate.training._events import Listener
from striate.training._finite import Finite
from striate.training._interrupt import Stop
from striate.training._keeper import AVERAGE, BEST, Begun, Keeper
from striate.training._plan import Plan
from striate.training._probe import LayerState, Probe, complaints, probing
from striate.training._records import Records, Unkept
from striate.training._snapshot import Snapshot
from striate.training._step import gradients, pictures_of
from striate.training._watch import Watch

SMALLEST_FACTOR = 0.25
"""Of the learning rate: halved twice, then a number that isn't finite ends the run."""

SNAPSHOT_STEPS = 50
"""Steps after which the state is copied, to go back to from numbers that aren't finite."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What came out: the best epoch's weights, why training ended, and the layers once an epoch.

    `best` is the best epoch's row of validation; {} where nothing was validated.
    """

    weights: dict[str, Tensor]
    best_epoch: int
    best: dict[str, float]
    epochs: int
    steps: int
    stopped: str
    states: list[tuple[int, list[LayerState]]]


def fit(
    plan: Plan,
    records: Records | Unkept,
    listener: Listener,
    stop: Stop,
    keeper: Keeper | None = None,
) -> Fitted:
    """Train until the epochs or steps are done, patience ends, or somebody asks to stop.

    The weights returned are those of the best epoch by `plan.selection` on the validation part
    (ties: the smaller validation loss), or the last ones where there is no such part; with
    `plan.average` those of the average, which is what is validated then. A `keeper`
    saves the run now and then, and whenever it ends before its last epoch; where it holds a saved
    run, that one goes on.

    Raises:
        NotFiniteError: a loss, gradient or weight isn't finite, at smaller rates either; the
            weights are those before that step, or those that the run went back to.
        PeerError: another process has gone; the step before it is saved.
    """
    begun = keeper.begin(plan.network, plan.optimizer) if keeper else Begun()
    begun = replace(begun, position=plan.world.begin(plan, begun.position, stop))
    run = _Running(plan, begun, records, listener, stop, keeper)
    with run.watch:
        try:
            with plan.world.watched():
                return _fitted(run)
        except PeerError as error:
            if keeper is None:
                raise
            run.save()
            raise PeerError(
                f"{error} What was done before is saved. Go on with: {keeper.again}"
            ) from error


def _fitted(run: "_Running") -> Fitted:
    at, listener, stop, keeper = run.at, run.listener, run.stop, run.keeper
    for sentence in complaints(at.states[0][1]) if at.states else ():
        listener.warn(sentence)
    stopped = run.ended()
    while not stopped:
        run.epoch()
        if run.asked:
            stopped = f"stopped by a signal in epoch {at.epoch}"
            run.watch.noticed()
            break
        if not run.validate():
            continue
        stopped = run.ended()
        run.offer()
    if keeper and (stop or keeper.saves):
        run.save()
    return Fitted(
        weights=run.best or _copy(run.judged),
        best_epoch=at.best_epoch,
        best=at.validations[at.best_epoch - 1] if at.best_epoch else {},
        epochs=len(at.validations),
        steps=at.step,
        stopped=stopped,
        states=at.states,
    )


class _Running:
    """One run of `fit`: the plan, and where it is."""

    def __init__(
        self,
        plan: Plan,
        begun: Begun,
        records: Records | Unkept,
        listener: Listener,
        stop: Stop,
        keeper: Keeper | None,
    ) -> None:
        self.plan, self.at, self.best = plan, begun.position, begun.best
        self.records, self.listener, self.stop, self.keeper = records, listener, stop, keeper
        self.clock = Clock(
            self.at, epochs=plan.epochs, samples=plan.samples, steps=len(plan.batches)
        )
        self.parameters = [p for p in plan.network.parameters() if p.requires_grad]
        self.buffers = Buffers(plan.network)
        self.average = Average(plan.network, plan.average, begun.average) if plan.average else None
        self.judged = self.average.network if self.average else plan.network
        if self.average:
            # What a resumed run has saved of it is known to process 0 alone.
            plan.world.same_tensors(self.average.weights.values())
        # Processes have the same weights, but batch norms of their own: they must agree.
        self.finite = Finite(plan.network, buffers=plan.world.size == 1)
        self.good = self._snapshot()
        if keeper and plan.world.size == 1:
            keeper.load_good(self.good)
        self.watch = Watch(self.save_last, keeper.again if keeper else "")
        # Of the last step: history.csv tells it too where a resumed epoch had no step left.
        before = self.at.step - 1
        self.rate = (
            self.at.rate_factor * plan.rate(before, self.at.validations) if self.at.batches else 0.0
        )
        self.asked = False

    def ended(self) -> str:
        """Return why there is no further epoch; "" where there is one."""
        plan, at = self.plan, self.at
        done = len(at.validations)
        if plan.patience is not None and done - at.best_epoch >= plan.patience and done:
            return f"no better epoch in {plan.patience} (early stopping)"
        if plan.length:
            return "all steps done" if self.over() and at.batches == 0 else ""
        return "all epochs done" if done >= plan.epochs else ""

    def over(self) -> bool:
        """Return whether the last step is done, where the run is counted in steps."""
        length, step = self.plan.length, self.at.step
        return length is not None and step >= length.total(step)

    def epoch(self) -> None:
        """Do the steps of the epoch that are left, or as many as are done when `stop` is set."""
        self.plan.network.train()
        self.clock.start_epoch()
        if self.at.batches == 0 and self.good.position != self.at:
            self.good = self._snapshot()
        while not self._steps():
            self._go_back()
        self.clock.end_steps()

    def _snapshot(self) -> Snapshot:
        average = self.average.network if self.average else None
        return Snapshot(self.plan.network, self.plan.optimizer, self.at, average)

    def _go_back(self) -> None:
        with self.watch.guard:
            self.good.restore(self.at)
            self.buffers.keep()
        self.records.back_to(step=self.at.step)

    def _steps(self) -> bool:
        """Do the steps that are left; return False where the run has to go back to `good`."""
        for batch in self.clock.waited_for(self.plan.batches.epoch(self.at.epoch, self.at.batches)):
            if self.over():
                break
            try:
                self._step(batch)
            except NotFiniteError as error:
                self._slow_down(error, batch)
                return False
            self._look_ahead()
            self.asked = self.plan.world.asked(self.stop)
            if self.asked:
                break
            if self.at.batches % SNAPSHOT_STEPS == 0:
                self.good = self._snapshot()
            self.offer()
        return True

    def _step(self, batch: AnyBatch) -> None:
        plan, at, first = self.plan, self.at, self.at.batches == 0
        self.rate = at.rate_factor * plan.rate(at.step, at.validations)
        pictures = pictures_of(batch, plan.device)
        targets = plan.task.tensor(batch.targets)
        # The first step of every epoch is watched layer by layer; it is the same step.
        watching = probing(plan.network) if first else nullcontext(Probe())
        with watching as probe:
            loss, norm = gradients(plan, pictures, targets, self.parameters, at.step, self.rate)
        if first:
            self.records.layers(at.step, at.epoch, probe.states)
            for sentence in complaints(probe.states) if at.epoch == 1 else ():
                self.listener.warn(sentence)
        images = plan.batches.count(at.batches)
        with self.watch.guard:
            plan.optimizer.step(self.rate)
            self._check_weights()
            self.buffers.keep()
            if self.average:
                self.average.update(at.step)
            if first:
                at.states.append((at.epoch, probe.states))
            self.records.step(at.step, at.epoch, loss, self.rate, norm)
            at.total += loss * images
            at.step, at.batches = at.step + 1, at.batches + 1
            at.images, at.seen = at.images + images, at.seen + images
            self.clock.tick()
        self.listener.step(self.clock.told(loss))

    def _look_ahead(self) -> None:
        """Decide how many steps there are where that is open, and tell the clock."""
        if self.plan.length:
            self.plan.length.stepped(self.at)
            self.clock.lasts(self.plan.length.total(self.at.step))

    def _check_weights(self) -> None:
        """Raise NotFiniteError where the step has left a number that isn't finite.

        The good state is put back first: nobody can have saved the bad one.
        """
        if name := self.finite.first_wrong():
            step, rate = self.at.step, self.rate
            self.good.restore(self.at)
            self.buffers.keep()
            raise NotFiniteError(_not_finite_weights(name, step, rate))

    def _slow_down(self, error: NotFiniteError, batch: AnyBatch | None) -> None:
        """Halve the rate for what is left of the run; raise where it was halved twice before."""
        at, good = self.at, self.good
        if at.rate_factor <= SMALLEST_FACTOR:
            named = "" if batch is None else self.plan.named(batch)
            raise NotFiniteError(f"{error} {named}".rstrip()) from None
        good.position.rate_factor = at.rate_factor / 2
        self.listener.warn(
            f"{error} The run goes back to step {good.position.step:,}, and on at "
            f"{good.position.rate_factor:g} times the rate."
        )

    def validate(self) -> bool:
        """Measure the epoch that is done, and keep its weights where they are the best.

        Return False where the run has gone back to `good`, for the loss isn't finite.
        """
        plan, at = self.plan, self.at
        row = plan.world.same_row(plan.validate(self.judged)) if plan.validate else {}
        if not math.isfinite(row.get("loss", 0.0)):
            error = NotFiniteError(
                f"The validation loss is {row['loss']} after step {at.step - 1}, learning rate "
                f"{self.rate:.3g}. Usually the rate is too large: try --learning-rate "
                f"{self.rate / 10:.1g}."
            )
            self._slow_down(error, None)
            self._go_back()
            return False
        is_best = at.best_epoch == 0 or _better(plan, row, at.validations[at.best_epoch - 1])
        with self.watch.guard:
            at.validations.append(row)
            if is_best:
                self.best, at.best_epoch = _copy(self.judged), at.epoch
            told = self.clock.epoch(row, rate=self.rate, metric=plan.selection[0], best=is_best)
            self.records.epoch(told)
            at.next_epoch()
        if plan.length:
            plan.length.validated()
        self.listener.epoch(told)
        return True

    def offer(self) -> None:
        """Save where it is time to."""
        if self.keeper and self.keeper.due():
            self.save()

    def save(self) -> None:
        """Save now."""
        with self.watch.guard:
            self.save_last()

    def save_last(self) -> None:
        """Save what the last step has left, whatever the step under way has done to buffers."""
        if self.keeper:
            average = self.average.weights if self.average else {}
            weights = {BEST: self.best, AVERAGE: average}
            self.keeper.save(
                self.at, self.plan, self.buffers.kept, weights, self.records, self.good
            )


class Buffers:
    """Copies of the network's buffers, since a forward pass changes batch norm's running figures."""

    def __init__(self, network: nn.Module) -> None:
        self._live = dict(network.named_buffers())
        self.kept = {name: one.detach().clone() for name, one in self._live.items()}

    def keep(self) -> None:
        """Copy them as they are now, which is between two steps."""
        if self.kept:
            with torch.no_grad():
                torch._foreach_copy_(list(self.kept.values()), list(self._live.values()))


def _not_finite_weights(name: str, step: int, rate: float) -> str:
    return (
        f"A number in {name} is not finite after step {step}, learning rate {rate:.3g}; that step "
        f"was taken back. Usually the rate is too large: try --learning-rate {rate / 10:.1g}."
    )


def _better(plan: Plan, row: dict[str, float], best: dict[str, float]) -> bool:
    """Whether a validation row beats the best; without a validation part the last epoch wins."""
    if not row:
        return True
    metric, larger = plan.selection
    sign = 1 if larger else -1
    mine, theirs = sign * row[metric], sign * best[metric]
    return (mine, -row["loss"]) > (theirs, -best["loss"])


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
