"""Several processes by DistributedDataParallel (Li et al. 2020, arXiv:2006.15704).

Gradients are averaged while the backward pass goes on. Everything else that processes must agree on
are a few numbers a step: the weight of the batch, the loss, and whether to stop.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from time import sleep
from typing import final

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from striate._launch import local_process, machine_number
from striate.data import Batches
from striate.errors import NetworkError, PeerError, UsageError
from striate.task import Task
from striate.training._interrupt import Stop
from striate.training._plan import Plan
from striate.training._position import Position
from striate.training._world import MeanLoss, even_share

TIMEOUT = timedelta(minutes=5)
"""How long a process waits in a step for the others, which may be saving meanwhile."""

POLL = 0.05  # seconds

_RUNS = count()

_COMMUNICATION = ("gloo", "NCCL", "Connection", "Broken pipe", "TCPStore")


@final
class Together:
    """One of several processes, started by `torchrun`.

    Args:
        timeout: how long one waits for the others in a step.
    """

    command = "torchrun … -m striate"

    def __init__(self, timeout: timedelta = TIMEOUT) -> None:
        with self.watched():
            store, self.rank, self.size = next(iter(rendezvous("env://")))
        # A program may train several times: what is in the store is that run's only.
        self._store = PrefixStore(f"run {next(_RUNS)}", store)
        self._timeout = timeout
        self._asked = False

    def facts(self) -> list[tuple[str, str, str]]:
        """Return how many processes there are."""
        return [("processes", f"{self.size}", "every batch is divided among them")]

    # ------------------------------------------------------------ before training

    def take_turn(self) -> None:
        """Wait for this machine's first process.

        Python looks at the store now and then, because this may take hours, and a signal must end it.
        """
        if local_process():
            with self.watched():
                while not self._store.check([self._turn]):
                    sleep(POLL)

    def pass_on(self) -> None:
        """Say that this machine's first process is through."""
        with self.watched():
            if local_process() == 0:
                self._store.set(self._turn, "done")

    @property
    def _turn(self) -> str:
        return f"turn of machine {machine_number()}"

    def connect(self, device: str) -> None:
        """Wait for all; gloo carries what lies in memory, NCCL what lies on GPUs.

        Raises:
            UsageError: PyTorch has no connection between devices of that kind.
            PeerError: another process can't be reached.
        """
        if device not in ("cpu", "cuda"):
            raise UsageError(
                f"--device {device}: several processes train on cpu or cuda only. "
                "Give --device cpu, or start one process."
            )
        with self.watched():
            self._store.add("here", 1)
            while self._store.add("here", 0) < self.size:
                sleep(POLL)
            if device == "cuda":
                torch.cuda.set_device(local_process())
            dist.init_process_group(
                "gloo" if device == "cpu" else "cpu:gloo,cuda:nccl",
                store=PrefixStore("striate", self._store),
                rank=self.rank,
                world_size=self.size,
                timeout=self._timeout,
            )

    def close(self) -> None:
        """Close the connections."""
        dist.destroy_process_group()

    def begin(self, plan: Plan, at: Position, stop: Stop) -> Position:
        """Make all processes alike, and the network one whose gradients are averaged.

        Raises:
            NetworkError: a parameter takes no part in the output: its gradient would be waited for.
        """
        # Constructing it imports PyTorch's compiler, which is why it stands here.
        from torch.nn.parallel import DistributedDataParallel

        self._stop = stop
        with self.watched():
            if plan.device.type == "cuda":
                nn.SyncBatchNorm.convert_sync_batchnorm(plan.network)  # type: ignore[no-untyped-call]
            # It copies process 0's parameters and buffers to the others.
            self._network = DistributedDataParallel(plan.network)
            at = Position.from_tree(json.loads(self.same_text(json.dumps(at.to_tree()))))
            if at.step:
                moments = plan.optimizer.state()
                for one in moments.values():
                    dist.broadcast(one, 0)
                plan.optimizer.load(moments)
            self._warm_up(plan)
        return at

    def _warm_up(self, plan: Plan) -> None:
        """Do a pass whose gradients are thrown away.

        After its first one DistributedDataParallel orders gradients anew. The sum over three or more
        processes may hang on that order in its last bit, and a resumed run has a first pass, too.
        """
        kept = [one.clone() for one in plan.network.buffers()]
        assert isinstance(plan.batches, Batches)  # a head on features is trained by one process
        shape = plan.batches.store.shape
        size = (2, shape.channels, shape.height, shape.width)
        plan.network.train()
        torch.autograd.backward(self._network(torch.zeros(size, device=plan.device)).sum())
        _refuse_unused(plan.network)
        plan.optimizer.zero_grad()
        with torch.no_grad():
            for live, before in zip(plan.network.buffers(), kept, strict=True):
                live.copy_(before)

    # ------------------------------------------------------------ a step

    def share(self, count: int) -> slice:
        """Return this process's part of a batch; may be empty."""
        return even_share(count, self.rank, self.size)

    def logits(self, network: nn.Module, pictures_BCHW: Tensor) -> Tensor:  # noqa: ARG002
        """Return the logits of this process's pictures.

        Where it has none it computes two black pictures and drops them: the others wait for its part
        of the gradient, which is zero.
        """
        logits_BK: Tensor
        if len(pictures_BCHW):
            logits_BK = self._network(pictures_BCHW)
            return logits_BK
        logits_BK = self._network(pictures_BCHW.new_zeros((2, *pictures_BCHW.shape[1:])))
        return logits_BK[:0]

    def loss(self, task: Task, targets: Tensor) -> MeanLoss:
        """Return the mean loss here times the share of the batch's weight, times the processes.

        DistributedDataParallel divides the sum of gradients by the number of processes: so what
        comes out is the gradient of the mean over the whole batch, however it is divided.
        """
        here = torch.tensor(
            [task.weight(targets), float(self._stop.signal or 0)], dtype=torch.double
        )
        everywhere = [torch.empty_like(here) for _ in range(self.size)]
        dist.all_gather(everywhere, here)
        weights, signals = torch.stack(everywhere).unbind(1)
        self._agree(int(signals.max()))
        total = float(weights.sum())

        def mean(logits_BK: Tensor, targets: Tensor) -> Tensor:
            if not len(targets):
                return logits_BK.sum()
            part = task.weight(targets) / total * self.size
            return task.loss(logits_BK, targets).mul(part)

        return mean

    def _agree(self, signal: int) -> None:
        self._asked = bool(signal)
        if signal and self._stop.signal is None:
            self._stop.signal = signal

    def mean_loss(self, loss: Tensor) -> float:
        """Return the sum over the processes of what they contribute: not finite where one isn't."""
        value = torch.tensor(float(loss.item()) / self.size, dtype=torch.double)
        dist.all_reduce(value)
        return float(value)

    def asked(self, stop: Stop) -> bool:  # noqa: ARG002
        """Return what the processes have agreed on before the step just done."""
        return self._asked

    # ------------------------------------------------------------ validation

    def align(self, network: nn.Module) -> None:
        """Copy process 0's buffers: those of batch norm have seen other pictures elsewhere."""
        self.same_tensors(network.buffers())

    def same_tensors(self, tensors: Iterable[Tensor]) -> None:
        """Copy process 0's values."""
        for one in tensors:
            dist.broadcast(one, 0)

    def joined(self, blocks: Sequence[Tensor], count: int, block: int) -> Tensor:
        """Return all rows, float32: each is added to zeros, which changes no number."""
        width = torch.tensor(blocks[0].shape[1] if blocks else 0)
        dist.all_reduce(width, dist.ReduceOp.MAX)
        whole_NK = torch.zeros(count, int(width))
        for number, rows in enumerate(blocks):
            start = (self.rank + number * self.size) * block
            whole_NK[start : start + block] = rows
        dist.all_reduce(whole_NK)
        return whole_NK

    def same_row(self, row: Mapping[str, float]) -> dict[str, float]:
        """Return process 0's numbers: a branch must not hang on another processor's last bit."""
        values = torch.tensor(list(row.values()), dtype=torch.double)
        dist.broadcast(values, 0)
        return dict(zip(row, values.tolist(), strict=True))

    def same_text(self, text: str) -> str:
        """Return process 0's text."""
        data = torch.frombuffer(bytearray(text.encode() or b" "), dtype=torch.uint8)
        size = torch.tensor(len(data))
        dist.broadcast(size, 0)
        data = data if self.rank == 0 else torch.empty(int(size), dtype=torch.uint8)
        dist.broadcast(data, 0)
        return bytes(data.tolist()).decode()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Turn what PyTorch raises where another process has gone into PeerError."""
        try:
            yield
        except RuntimeError as error:
            if not any(word in str(error) for word in _COMMUNICATION):
                raise
            # The place in PyTorch's sources, the reason, and then advice on reporting it.
            reason = re.sub(r"^\[[^\]]*\]\s*", "", str(error)).partition("\n")[0].partition(". ")[0]
            raise PeerError(
                f"Another process of this run has ended or doesn't answer ({reason})."
            ) from error


def _refuse_unused(network: nn.Module) -> None:
    """Raise NetworkError for the first trainable parameter that a backward pass hasn't reached."""
    for name, one in network.named_parameters():
        if one.requires_grad and one.grad is None:
            raise NetworkError(
                f"The network's parameter '{name}' takes no part in its output, but several processes "
                "wait for every gradient. Remove it, or set its requires_grad to False."
            )
