"""What a run is at one moment, and what saving it gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

    Array = npt.NDArray[np.generic] | Tensor


@dataclass(frozen=True, kw_only=True)
class State:
    """Everything that a run needs to go on.

    A state that was read holds NumPy arrays; types that NumPy hasn't (bfloat16, float8) are
    unsigned integers of the same bytes. Arrays and tensors are not copied: they must not change
    until `save` is back.

    Attributes:
        tensors: name → NumPy array or PyTorch tensor, any shape, strides and device. The names are
            the caller's; `collect` uses "network/…", "optimizer/…" and one prefix a set of weights.
        frozen: as `tensors`, for what doesn't change in training: written once, not in every
            generation.
        tree: JSON: objects with text keys, lists, text, numbers, true, false, null. Floats come
            back bit for bit, NaN and infinities too; a tuple comes back as a list.
    """

    tensors: Mapping[str, Array]
    frozen: Mapping[str, Array] = field(default_factory=dict)
    tree: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Saved:
    """One finished save.

    Attributes:
        path: the generation's manifest.
        seconds: from the call to the last deletion of what it replaces.
        bytes: written by this save; frozen tensors count in the save that wrote them.
    """

    path: Path
    seconds: float
    bytes: int
