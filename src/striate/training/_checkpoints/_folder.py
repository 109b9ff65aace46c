"""The folder of a run's checkpoints: what it holds is described in docs/checkpoints.md."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import final

from striate._files import is_leftover, make_folder, remove_file, write_file, write_pieces
from striate.errors import DiskError, RunFolderError
from striate.training._checkpoints._manifest import (
    Manifest,
    Part,
    frozen_name,
    generation_of,
    is_frozen,
    is_ours,
    manifest_name,
    read_manifest,
    tensors_name,
)
from striate.training._checkpoints._read import check_part, check_size, read_part
from striate.training._checkpoints._state import Saved, State
from striate.training._checkpoints._tensors import Packed, pack

KEPT = 2
"""Generations that are kept: the newest, and the one before in case the newest is damaged."""


@final
class Checkpoints:
    """Writes and reads the states of one run. Only the process that holds the run's lock writes.

    Args:
        folder: the run's `checkpoints/`; the folder above must be there.
        tell: takes a sentence for the user: a damaged checkpoint that isn't used.
    """

    def __init__(self, folder: Path, *, tell: Callable[[str], None]) -> None:
        self._folder = folder
        self._tell = tell
        self._whole: set[str] = set()  # files whose SHA-256 this object has seen to be right

    def save(self, state: State) -> Saved:
        """Write `state` as the newest generation, verify it, then let go of all but two.

        Raises:
            DiskError: no space, no permission or a failing disk; the generations before are whole.
            UsageError: a tensor of a type that can't be kept.
            TypeError: the tree holds something that JSON hasn't.
        """
        begun = perf_counter()
        tensors, frozen = pack(state.tensors), pack(state.frozen) if state.frozen else None
        needed = tensors.bytes + (frozen.bytes if frozen else 0)
        try:
            make_folder(self._folder)
            self.sweep()
            generation = max(self._generations(), default=0) + 1
            kept, written = self._write_frozen(frozen) if frozen else (None, 0)
            manifest = Manifest(
                generation=generation,
                tensors=self._write(tensors_name(generation), tensors),
                frozen=kept,
                tree=state.tree,
            )
            content = manifest.to_bytes()
            path = self._folder / manifest_name(generation)
            write_file(path, content)
            self._check_generation(generation)
            self._prune(generation)
        except (DiskError, RunFolderError) as error:
            raise DiskError(_letter(self._folder, needed, error)) from error
        return Saved(
            path=path,
            seconds=perf_counter() - begun,
            bytes=written + tensors.bytes + len(content),
        )

    def newest(self) -> State | None:
        """Return the newest state that is whole; None where nothing was ever saved.

        Every byte is held against its SHA-256. A damaged generation is told, and the older used.

        Raises:
            RunFolderError: there are generations, and every one is damaged.
        """
        generations = self._generations()
        reasons = []
        for generation in generations:
            try:
                state = self._read(generation)
            except RunFolderError as error:
                reasons.append(f"{error}.")
                continue
            for reason in reasons:
                self._tell(f"{reason} The checkpoint before it is used.")
            return state
        if not reasons:
            return None
        raise RunFolderError(
            f"{' '.join(reasons)} No checkpoint of this run is whole: copy the folder again from "
            "where it was made, or train anew under another name."
        )

    def sweep(self) -> None:
        """Remove what killed saves have left: hidden files, and files that no manifest names.

        Raises:
            DiskError: no permission, or a failing disk.
        """
        generations = self._generations()
        needed = {manifest_name(generation) for generation in generations}
        needed |= {tensors_name(generation) for generation in generations}
        frozen = self._frozen_in_use(generations)
        for name in self._names():
            leftover = is_leftover(name) and is_ours(Path(name).stem.removeprefix("."))
            unused = is_ours(name) and name not in needed
            if is_frozen(name):
                unused = frozen is not None and name not in frozen
            if leftover or unused:
                remove_file(self._folder / name)

    def _frozen_in_use(self, generations: list[int]) -> set[str] | None:
        """Return the frozen files that manifests name; None where one can't be read."""
        try:
            manifests = [read_manifest(self._folder / manifest_name(one)) for one in generations]
        except RunFolderError:
            return None
        return {one.frozen.file for one in manifests if one.frozen is not None}

    def _names(self) -> list[str]:
        """Return the names in the folder; none where there is no folder yet."""
        try:
            return sorted(os.listdir(self._folder))  # noqa: PTH208
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RunFolderError(f"{self._folder} can't be read ({error.strerror}).") from error

    def _generations(self) -> list[int]:
        """Return the generations whose manifests are there, newest first."""
        found = (generation_of(name) for name in self._names())
        return sorted((one for one in found if one is not None), reverse=True)

    def _write(self, name: str, packed: Packed) -> Part:
        """Write a file, hashing on the way."""
        digest = hashlib.sha256()

        def hashed() -> Iterator[memoryview]:
            for piece in packed.pieces():
                digest.update(piece)
                yield piece

        write_pieces(self._folder / name, hashed(), packed.bytes)
        return Part(file=name, bytes=packed.bytes, sha256=digest.hexdigest())

    def _write_frozen(self, packed: Packed) -> tuple[Part, int]:
        """Return frozen tensors' file and the bytes written: none where it is there and whole."""
        digest = hashlib.sha256()
        for piece in packed.pieces():
            digest.update(piece)
        sha256 = digest.hexdigest()
        part = Part(file=frozen_name(sha256), bytes=packed.bytes, sha256=sha256)
        try:
            self._check(part)
        except RunFolderError:
            return self._write(part.file, packed), packed.bytes
        return part, 0

    def _read(self, generation: int) -> State:
        manifest = read_manifest(self._folder / manifest_name(generation))
        state = State(
            tensors=read_part(self._folder, manifest.tensors),
            frozen=read_part(self._folder, manifest.frozen) if manifest.frozen else {},
            tree=manifest.tree,
        )
        self._whole |= {part.file for part in manifest.parts}
        return state

    def _check(self, part: Part) -> None:
        """Raise RunFolderError where a file isn't whole; its bytes are read only once."""
        check_size(self._folder, part)
        if part.file not in self._whole:
            check_part(self._folder, part)
            self._whole.add(part.file)

    def _check_generation(self, generation: int) -> None:
        for part in read_manifest(self._folder / manifest_name(generation)).parts:
            self._check(part)

    def _is_whole(self, generation: int) -> bool:
        try:
            self._check_generation(generation)
        except RunFolderError:
            return False
        return True

    def _prune(self, newest: int) -> None:
        """Remove all generations but the newest and the newest before it that is whole.

        The manifest goes first: tensors without one are leftovers, never a damaged generation.
        """
        kept = 1
        for generation in self._generations():
            if generation == newest:
                continue
            if kept < KEPT and self._is_whole(generation):
                kept += 1
                continue
            remove_file(self._folder / manifest_name(generation))
            remove_file(self._folder / tensors_name(generation))


def _letter(folder: Path, needed: int, error: DiskError | RunFolderError) -> str:
    cause = error.__cause__
    reason = cause.strerror if isinstance(cause, OSError) else str(error)
    return (
        f"{folder}: a checkpoint of {needed:,} bytes can't be saved ({reason}). "
        "What was saved before is whole: make room or permit writing there, then resume."
    )
