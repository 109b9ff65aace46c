"""A second process that makes a pretrained backbone while this one decodes pictures.

`python -m striate.flow._early < ORDER`: it makes what an `Order` says, with PyTorch, and keeps it in the
cache. It says nothing: what it couldn't make is made again by whoever waits for it, which tells why.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from striate.flow._export_backbone import Order

_CHILD = "striate.flow._early"


class Early:
    """At most one such process, ended with the block: `with Early() as early:`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self, order: Order) -> None:
        """Start it, unless it runs already or can't be started."""
        if self._process is not None or not sys.executable:
            return
        with suppress(OSError), tempfile.TemporaryFile() as file:
            file.write(order.to_bytes())
            file.seek(0)
            self._process = subprocess.Popen(
                # -P: no module of the working folder may stand in for one of the child's.
                [sys.executable, "-P", "-m", _CHILD],
                stdin=file,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # The other processors decode.
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )

    def wait(self) -> None:
        """Return when it has ended, or at once where there is none."""
        if self._process is not None:
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def main() -> None:
    """Make what is ordered on standard input, and keep it."""
    from striate.flow._export_backbone import Order, export_backbone
    from striate.flow._kept_backbone import keep

    keep(export_backbone(Order.from_bytes(sys.stdin.buffer.read())))


if __name__ == "__main__":
    main()
