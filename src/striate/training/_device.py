"""Where a run computes, and what makes it repeatable there."""

import os

import torch

from striate.errors import UsageError


def pick_device(name: str) -> torch.device:
    """Return the device for `auto`, `cpu`, `cuda` or `mps`; auto takes the fastest there is.

    Raises:
        UsageError: the device asked for isn't there.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next((kind for kind, there in present.items() if there), "cpu"))
    if name in present and not present[name]:
        raise UsageError(
            f"--device {name}: PyTorch {torch.__version__} finds no such device here. "
            "Leave the option out to take what there is."
        )
    return torch.device(name)


def make_repeatable(seed: int, threads: int, device: torch.device) -> None:
    """Fix seed, thread count and algorithms, so that equal settings give equal weights here.

    Threads are part of it: sums over 1 and over 2 threads round differently.
    """
    torch.set_num_threads(threads)
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.cuda.manual_seed_all(seed)
    # Filling every new tensor with NaN is a debugging aid that costs memory traffic.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # What torch.use_deterministic_algorithms does, but for importing torch._inductor (1.7 s) in order
    # to tell the compiler, which is never used here without having been imported before.
    torch._C._set_deterministic_algorithms(True, warn_only=device.type == "mps")


def step_seed(seed: int, step: int, rank: int = 0) -> int:
    """Return the seed of one step's own randomness (dropout): a mix of the numbers, 63 bits.

    `rank` is that of the process, where several train together: each has other pictures.
    """
    counters = step * 0xBF58476D1CE4E5B9 + rank * 0xD6E8FEB86659FD93
    mixed = (seed * 0x9E3779B97F4A7C15 + counters + 1) & (2**64 - 1)
    mixed = ((mixed ^ (mixed >> 31)) * 0x94D049BB133111EB) & (2**64 - 1)
    return (mixed ^ (mixed >> 29)) >> 1
