"""Many short texts in little memory."""

from collections.abc import Sequence

import numpy as np

_PIECE = 4096  # texts whose bytes exist a second time, one by one


class Texts:
    """Texts in one piece of memory: their bytes and 8 more each, where a `str` has about 60 more."""

    def __init__(self, texts: Sequence[str]) -> None:
        joined = bytearray()
        self._ends = np.zeros(len(texts) + 1, np.int64)
        for start in range(0, len(texts), _PIECE):
            # Names of files may hold lone surrogates.
            encoded = [
                text.encode("utf-8", "surrogatepass") for text in texts[start : start + _PIECE]
            ]
            self._ends[start + 1 : start + 1 + len(encoded)] = [len(each) for each in encoded]
            joined += b"".join(encoded)
        np.cumsum(self._ends, out=self._ends)
        self._joined = bytes(joined)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, place: int) -> str:
        """Return the text at a place, 0 to len - 1; IndexError behind them."""
        return self._joined[self._ends[place] : self._ends[place + 1]].decode(
            "utf-8", "surrogatepass"
        )
