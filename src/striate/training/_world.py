"""The processes that train one network together: usually one, under `torchrun` several.

The loop, the batches and the validation ask the world; nothing else knows how many there are.
Importing this module imports no PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol, final

from striate._launch import check_launch, processes

if TYPE_CHECKING:
    from torch import Tensor, nn

    from striate.task import Task
    from striate.training._interrupt import Stop
    from striate.training._plan import Plan
    from striate.training._position import Position

MeanLoss = Callable[["Tensor", "Tensor"], "Tensor"]
"""(logits, targets) → a scalar whose gradient the step takes."""


class World(Protocol):
    """The processes of a run, as one of them sees it.

    All processes must call the methods that talk to others, in the same order.
    """

    @property
    def rank(self) -> int:
        """The number of this process, from 0; process 0 alone writes and prints."""
        ...

    @property
    def size(self) -> int:
        """How many processes there are."""
        ...

    @property
    def command(self) -> str:
        """The words that start `striate` as it was started, for messages."""
        ...

    def facts(self) -> list[tuple[str, str, str]]:
        """Return what is to be told before training: name, value, reason."""
        ...

    def take_turn(self) -> None:
        """Wait until this machine's first process has called `pass_on`; it doesn't wait itself."""
        ...

    def pass_on(self) -> None:
        """Let this machine's other processes do what was done since `take_turn`."""
        ...

    def connect(self, device: str) -> None:
        """Wait until all processes are here, and open the connections between them."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...

    def share(self, count: int) -> slice:
        """Return the part of a batch's `count` pictures that this process takes."""
        ...

    def same_text(self, text: str) -> str:
        """Return process 0's text."""
        ...

    def same_row(self, row: Mapping[str, float]) -> dict[str, float]:
        """Return process 0's numbers; the names are the same everywhere."""
        ...

    def begin(self, plan: Plan, at: Position, stop: Stop) -> Position:
        """Give all processes the weights, optimizer state and position of process 0."""
        ...

    def logits(self, network: nn.Module, pictures_BCHW: Tensor) -> Tensor:
        """Return the network's logits for this process's pictures, in training."""
        ...

    def loss(self, task: Task, targets: Tensor) -> MeanLoss:
        """Return the loss of this process's pictures, whose gradient adds up to the batch's."""
        ...

    def mean_loss(self, loss: Tensor) -> float:
        """Return the mean loss over the whole batch, from what `loss` gave here."""
        ...

    def asked(self, stop: Stop) -> bool:
        """Return whether any process was asked to stop before the step just done."""
        ...

    def align(self, network: nn.Module) -> None:
        """Give all processes the buffers of process 0."""
        ...

    def same_tensors(self, tensors: Iterable[Tensor]) -> None:
        """Give all processes the values of process 0, in place."""
        ...

    def joined(self, blocks: Sequence[Tensor], count: int, block: int) -> Tensor:
        """Return (count, K) from all processes' blocks of `block` rows: rank, rank + size, …"""
        ...

    def watched(self) -> AbstractContextManager[None]:
        """Turn the loss of another process into PeerError."""
        ...


@final
class Alone:
    """One process: nothing to divide, to wait for or to agree on."""

    rank, size, command = 0, 1, "striate"

    def facts(self) -> list[tuple[str, str, str]]:
        """Return nothing."""
        return []

    def take_turn(self) -> None:
        """Do nothing."""

    def pass_on(self) -> None:
        """Do nothing."""

    def connect(self, device: str) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def share(self, count: int) -> slice:
        """Return the whole batch."""
        return slice(0, count)

    def same_text(self, text: str) -> str:
        """Return it."""
        return text

    def same_row(self, row: Mapping[str, float]) -> dict[str, float]:
        """Return it."""
        return dict(row)

    def begin(self, plan: Plan, at: Position, stop: Stop) -> Position:  # noqa: ARG002
        """Return the position."""
        return at

    def logits(self, network: nn.Module, pictures_BCHW: Tensor) -> Tensor:
        """Return the network's logits."""
        logits_BK: Tensor = network(pictures_BCHW)
        return logits_BK

    def loss(self, task: Task, targets: Tensor) -> MeanLoss:  # noqa: ARG002
        """Return the task's loss."""
        return task.loss

    def mean_loss(self, loss: Tensor) -> float:
        """Return it as a number."""
        return float(loss.item())

    def asked(self, stop: Stop) -> bool:
        """Return whether it was asked to stop."""
        return bool(stop)

    def align(self, network: nn.Module) -> None:
        """Do nothing."""

    def same_tensors(self, tensors: Iterable[Tensor]) -> None:
        """Do nothing."""

    def joined(self, blocks: Sequence[Tensor], count: int, block: int) -> Tensor:  # noqa: ARG002
        """Return the blocks one after the other."""
        import torch

        return torch.cat(list(blocks))

    def watched(self) -> AbstractContextManager[None]:
        """Return a context that does nothing."""
        return nullcontext()


ALONE = Alone()


def join() -> World:
    """Return the world that the environment describes.

    Raises:
        UsageError: there should be several processes, but `torchrun` hasn't started this one.
        PeerError: the others can't be reached.
    """
    if processes() < 2:
        return ALONE
    check_launch()
    from striate.training._distributed import Together

    return Together()


def even_share(count: int, rank: int, size: int) -> slice:
    """Return a process's part of `count` pictures: contiguous, in the order of the processes.

    Parts differ by one picture at most, the first ones being larger. No part has a single picture,
    which batch norm couldn't normalise, unless the batch has: then fewer processes take a part.
    """
    taking = min(size, max(1, count // 2))
    if rank >= taking:
        return slice(count, count)
    each, more = divmod(count, taking)
    start = rank * each + min(rank, more)
    return slice(start, start + each + (rank < more))
