"""What duplicates are: groups of pictures that are the same. See `find_duplicates`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data._source import Split


@dataclass(frozen=True, kw_only=True)
class DuplicateGroup:
    """Pictures that are the same; every one was compared with the first directly.

    Attributes:
        kind: "bytes" (the same file), "pixels" (the same stored pixels) or "near" (re-encoded,
            resized, slightly cropped, lighter, darker or mirrored).
        positions: int64, two or more positions in the source: the one that the others match, then
            those, ascending.
        names: the pictures' names, in that order.
    """

    kind: str
    positions: npt.NDArray[np.int64]
    names: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the group as plain values; `from_json` makes an equal one of them."""
        return {"kind": self.kind, "positions": self.positions.tolist(), "names": list(self.names)}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> "DuplicateGroup":
        """Return the group that `to_json` described."""
        positions = np.array(saved["positions"], np.int64)
        return cls(kind=saved["kind"], positions=positions, names=tuple(saved["names"]))


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """Groups of pictures that are the same.

    Attributes:
        groups: those that act: they are reported, and the split keeps them on one side. A picture
            is in at most one group of kind "bytes" or "pixels", and the first one of such a group
            stands for all of it in groups of kind "near"; of those it may be in several.
        near_acted: whether near duplicates were looked for and act.
        reason: one sentence: why near duplicates don't act, or which pictures were left out of the
            search; "" where all were searched and act.
        proposals: near duplicates that were found but don't act, for `reason`.
    """

    groups: tuple[DuplicateGroup, ...] = ()
    near_acted: bool = False
    reason: str = ""
    proposals: tuple[DuplicateGroup, ...] = ()

    @property
    def pairs(self) -> npt.NDArray[np.int64]:
        """The first of each acting group with each of its others: int64 (P, 2) positions."""
        groups = [group.positions.tolist() for group in self.groups]
        rows = [[first, other] for first, *others in groups for other in others]
        return np.array(rows, np.int64).reshape(-1, 2)

    def across_parts(self, split: Split) -> tuple[DuplicateGroup, ...]:
        """Return the acting groups with pictures in more than one part: leaks."""
        return self._across(
            {p: name for name, part in split.parts().items() for p in part.tolist()}
        )

    def across_classes(self, targets: npt.NDArray[Any]) -> tuple[DuplicateGroup, ...]:
        """Return the acting groups whose targets, first axis N, differ: conflicting labels."""
        members = {p for group in self.groups for p in group.positions.tolist()}
        return self._across({p: targets[p].tolist() for p in members})

    def _across(self, marks: Mapping[int, object]) -> tuple[DuplicateGroup, ...]:
        """Return the groups with members whose marks differ; those without a mark don't count."""

        def differ(group: DuplicateGroup) -> bool:
            found = [marks[p] for p in group.positions.tolist() if p in marks]
            return any(mark != found[0] for mark in found)

        return tuple(group for group in self.groups if differ(group))

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values; `from_json` makes an equal object of them."""
        return {
            "groups": [group.to_json() for group in self.groups],
            "near_acted": self.near_acted,
            "reason": self.reason,
            "proposals": [group.to_json() for group in self.proposals],
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> "Duplicates":
        """Return the duplicates that `to_json` described."""
        return cls(
            groups=tuple(map(DuplicateGroup.from_json, saved["groups"])),
            near_acted=saved["near_acted"],
            reason=saved["reason"],
            proposals=tuple(map(DuplicateGroup.from_json, saved["proposals"])),
        )
