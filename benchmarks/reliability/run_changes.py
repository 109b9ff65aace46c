"""What a run in a forked process may be made to do; each takes one value from the job."""

import os
import random
import struct
import time
from collections.abc import Callable
from typing import Any

PLACE = struct.Struct("=qqd")
"""Steps done, the epoch, and seconds of the system's clock that never goes back."""


def save_always(_value: Any) -> None:
    """Save after every step and validation."""
    from striate.training._checkpoints import Pace

    Pace.due = lambda _self, _now: True  # type: ignore[method-assign]


def tell_place(path: str) -> None:
    """Add the place that the run has reached to a file, after every step; %d is the process."""
    from striate.training._loop import _Running

    file = os.open(path % os.getpid(), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    step = _Running._step

    def told(self: Any, batch: Any) -> None:
        step(self, batch)
        os.write(file, PLACE.pack(self.at.step, self.at.epoch, time.monotonic()))

    _Running._step = told  # type: ignore[method-assign]


def pool_threads(count: int) -> None:
    """Let so many threads decode and prepare pictures, whatever the run's own threads are."""
    from striate.data import _batches
    from striate.flow import _fit, _prepare

    batches, store = _fit.Batches, _prepare.store
    _batches._SHARED = 0  # small pictures too
    _fit.Batches = lambda *given, **named: batches(*given, **{**named, "threads": count})  # type: ignore[misc,assignment]
    _prepare.store = lambda *given, **named: store(*given, **{**named, "threads": count})


def shuffle_listings(seed: int) -> None:
    """Let the system list folders in an order of its own."""
    draw = random.Random(seed)
    listdir, scandir = os.listdir, os.scandir

    class Listing:
        def __init__(self, path: Any) -> None:
            with scandir(path) as found:
                self._entries = list(found)
            draw.shuffle(self._entries)
            self._coming = iter(self._entries)

        def __enter__(self) -> "Listing":
            return self

        def __exit__(self, *_: object) -> None:
            self.close()

        def __iter__(self) -> "Listing":
            return self

        def __next__(self) -> Any:
            return next(self._coming)

        def close(self) -> None:
            self._coming = iter(())

    def shuffled(path: Any = ".") -> list[Any]:
        names = listdir(path)
        draw.shuffle(names)
        return names

    os.listdir, os.scandir = shuffled, Listing  # type: ignore[assignment]


def time_saves(path: str) -> None:
    """Add the seconds of every save to a file, a line each."""
    from striate.training._keeper import Keeper

    save = Keeper.save

    def timed(self: Any, *given: Any) -> None:
        begun = time.perf_counter()
        save(self, *given)
        with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123
            file.write(f"{time.perf_counter() - begun}\n")

    Keeper.save = timed  # type: ignore[method-assign]


def watch_saves(path: str) -> None:
    """Add a line for every checkpoint written: whether all its numbers are finite."""
    import numpy as np

    from striate.training._checkpoints import Checkpoints

    save = Checkpoints.save

    def watched(self: Any, state: Any) -> Any:
        held = (*state.tensors.values(), *state.frozen.values())
        arrays = [np.asarray(getattr(one, "detach", lambda o=one: o)()) for one in held]
        floats = [one for one in arrays if one.dtype.kind == "f"]
        finite = all(np.isfinite(one).all() for one in floats)
        with open(path, "a", encoding="ascii") as file:  # noqa: PTH123
            file.write("finite\n" if finite else "not finite\n")
        return save(self, state)

    Checkpoints.save = watched  # type: ignore[method-assign]


def inject(what: dict[str, Any]) -> None:
    """Put a number that isn't finite into one step: {"where", "value", "step"}."""
    INJECTIONS[what["where"]](float(what["value"]), what["step"])


def _once(step: int) -> Callable[[int], bool]:
    """Return whether it is that step, for the first time."""
    left = 1

    def now(at: int) -> bool:
        nonlocal left
        left -= at == step
        return at == step and left == 0

    return now


def _into_input(value: float, step: int) -> None:
    from striate.training import _loop

    now, gradients = _once(step), _loop.gradients

    def changed(plan: Any, pictures: Any, targets: Any, parameters: Any, at: int, rate: Any) -> Any:
        if now(at):

            def spoilt(_stage: Any, _given: Any, pictures_BCHW: Any) -> Any:
                pictures_BCHW[0, 0, 0, 0] = value
                return pictures_BCHW

            hook = plan.stage.register_forward_hook(spoilt)
            try:
                return gradients(plan, pictures, targets, parameters, at, rate)
            finally:
                hook.remove()
        return gradients(plan, pictures, targets, parameters, at, rate)

    _loop.gradients = changed


def _into_loss(value: float, step: int) -> None:
    from striate.training import _step

    now, loss = _once(step), _step._loss
    _step._loss = lambda plan, pictures, targets, at: (
        loss(plan, pictures, targets, at) + (value if now(at) else 0.0)
    )


def _into_gradient(value: float, step: int) -> None:
    """Change one number of one parameter's gradient, where backward leaves it."""
    from striate.training import _step

    now, loss = _once(step), _step._loss

    def changed(plan: Any, pictures: Any, targets: Any, at: int) -> Any:
        if now(at):
            parameters = [one for one in plan.network.parameters() if one.requires_grad]
            one = parameters[step % len(parameters)]

            def spoilt(gradient: Any) -> Any:
                hook.remove()
                gradient = gradient.clone()
                gradient[(0,) * gradient.ndim] = value
                return gradient

            hook = one.register_hook(spoilt)
        return loss(plan, pictures, targets, at)

    _step._loss = changed


def _into_weight(value: float, step: int) -> None:
    """Change one weight as if the optimizer's step had made it so."""
    from striate.training._loop import _Running

    now, do = _once(step), _Running._step

    def changed(self: Any, batch: Any) -> None:
        import torch

        if now(self.at.step):
            move = self.plan.optimizer.step
            parameters = self.plan.optimizer.parameters

            def spoiling(rate: float) -> None:
                move(rate)
                del self.plan.optimizer.step
                one = parameters[step % len(parameters)]
                with torch.no_grad():
                    one[(0,) * one.ndim] = value

            self.plan.optimizer.step = spoiling
        do(self, batch)

    _Running._step = changed  # type: ignore[method-assign]


INJECTIONS = {
    "input": _into_input,
    "loss": _into_loss,
    "gradient": _into_gradient,
    "weight": _into_weight,
}
