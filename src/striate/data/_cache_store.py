"""Opening a kept store: what is known is taken, what is new or changed is decoded and added."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock as ThreadLock

import numpy as np
import numpy.typing as npt

from striate.data._cache_folder import INDEX, make_space, remove, store_path, use
from striate.data._cache_index import Index, write_index
from striate.data._cache_key import (
    DIGEST,
    Stamps,
    common_folder,
    paths_of,
    settings_text,
    stamps,
    store_name,
)
from striate.data._cache_lock import Lock
from striate.data._cache_pixels import PixelFile, to_disk
from striate.data._cache_wanted import Stored, Wanted
from striate.data._cache_words import size_in_words
from striate.data._filling import Filling, Place
from striate.data._order import Ids, hash_names
from striate.data._room import Room
from striate.data._source import Unreadable
from striate.errors import DiskError

Rows = npt.NDArray[np.int32]


class NotKeptError(Exception):
    """The cache can't take the pictures; `sentences` say why, where the user can do something."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(*sentences)
        self.sentences = sentences


def open_kept(wanted: Wanted, below: Path) -> Stored:
    """Return the pictures from the kept store, brought up to date.

    Raises NotKeptError before anything is decoded where the cache can't take them.
    """
    files = paths_of(wanted.pictures, wanted.positions)
    if not files:
        raise NotKeptError
    settings = settings_text(wanted.shape, wanted.max_pixels)
    folder = common_folder(files)
    path = store_path(below, store_name(settings, folder))
    file = PixelFile(path, wanted.shape, settings, folder)
    opening = _Opening(wanted, file, hash_names(files), stamps(files))
    # While pictures are decoded, 100,000 paths would be the largest thing in memory.
    del files
    with _refusing(below):
        below.mkdir(parents=True, exist_ok=True)
        lock = use(path)
    if lock is None:
        raise NotKeptError
    opening.locks.append(lock)
    try:
        with _refusing(below):
            path.mkdir(exist_ok=True)
        return opening.stored()
    except BaseException:
        opening.let_go()
        if not (path / INDEX).exists():
            remove(path)
        raise


class _Opening:
    """The steps from what is wanted to what is stored; the room holds `locks` at the end."""

    def __init__(self, wanted: Wanted, file: PixelFile, paths: Ids, stamps: Stamps) -> None:
        self.wanted = wanted
        self.file = file
        self.paths = paths
        self.stamps = stamps
        self.locks: list[Lock] = []
        self.lost: list[Unreadable] = []

    def stored(self) -> Stored:
        """Take all steps."""
        with self._refusing():
            index = self.file.index()
        rows_P = index.rows(self.paths, self.stamps) if index else None
        if index is None or rows_P is None or (rows_P < 0).any():
            index, rows_P = self._updated()
        with self._refusing():
            pixels = self.file.read(index)
        stored = _stored(self.wanted, index, rows_P, Room(pixels, self.let_go), self.lost)
        return replace(stored, folder=self.file.path)

    def _refusing(self) -> AbstractContextManager[None]:
        return _refusing(self.file.path.parent)

    def let_go(self) -> None:
        """Release every lock."""
        for lock in self.locks:
            lock.release()

    def _updated(self) -> tuple[Index, Rows]:
        """Return the index with all that can be read, and the row of each file."""
        with self._refusing():
            writing = self.file.writing()
        if writing is None:
            raise NotKeptError
        try:
            index, rows_P, pixels = self._claimed()
            return self._filled(index, rows_P, pixels, writing)
        except BaseException:
            writing.remove()
            raise

    def _claimed(self) -> tuple[Index, Rows, npt.NDArray[np.uint8]]:
        """Return the tidied index, the rows known, and the pixels with room for the others."""
        with self._refusing():
            index = self.file.tidied()
            rows_P = index.rows(self.paths, self.stamps)
            more = int((rows_P < 0).sum())
            self._make_space(more * self.file.row)
            used = np.unique(rows_P[rows_P >= 0])
            index = self.file.without_waste(index, used, more)
            pixels = self.file.claimed(index, more)
        return index, index.rows(self.paths, self.stamps), pixels

    def _make_space(self, size: int) -> None:
        below = self.file.path.parent
        make_space(below, size)
        free = shutil.disk_usage(below).free
        if size > free // 2:
            raise NotKeptError(
                f"Decoded pictures aren't kept for the next run: they need {size_in_words(size)}, "
                f"more than half of the {size_in_words(free)} that {below} has free."
            )
        self.wanted.announce(size, "they are kept for the next run (striate cache)")

    def _filled(
        self, index: Index, rows_P: Rows, pixels: npt.NDArray[np.uint8], writing: Lock
    ) -> tuple[Index, Rows]:
        wanted, places = self.wanted, _Places(index)
        filling = Filling(
            wanted.pictures, wanted.shape, pixels, max_pixels=wanted.max_pixels, places=places
        )
        new_P = np.flatnonzero(rows_P < 0)
        try:
            filling.run(wanted.positions[new_P], wanted.threads, wanted.progress)
        except BaseException:
            self.file.cut(index)
            raise
        rows_P[new_P] = filling.rows[wanted.positions[new_P]]
        self.lost = [one for one in filling.unreadable if filling.rows[one.position] < 0]
        read_P = new_P[rows_P[new_P] >= 0]
        grown = _grown(index, filling, places.next).with_files(
            self.paths[read_P], self.stamps[read_P], rows_P[read_P]
        )
        if len(read_P):
            self._commit(grown, writing)
        else:
            self.file.cut(index)
            writing.remove()
        return grown, rows_P

    def _commit(self, index: Index, writing: Lock) -> None:
        try:
            self.file.cut(index)
            if len(index):
                to_disk(self.file.path / index.pixels)
            write_index(index, self.file.path / INDEX)
            self.file.sweep(index)
            writing.remove()
        except (OSError, DiskError):
            # The pixels are there for this run: nobody may cut them off before it ends.
            self.locks.append(writing)


class _Places:
    """Gives each content a row: the one it has, or the next."""

    def __init__(self, index: Index) -> None:
        self.next = len(index)
        self._lock = ThreadLock()
        halves = np.ascontiguousarray(index.digests).view(np.uint64).reshape(-1, 2)
        self._order = np.argsort(halves[:, 0], kind="stable")
        self._first = halves[self._order, 0]
        self._digests = index.digests

    def __call__(self, _: int, digest: bytes) -> Place:
        key = np.frombuffer(digest, np.uint8)
        at = int(np.searchsorted(self._first, key.view(np.uint64)[0]))
        while at < len(self._order) and self._first[at] == key.view(np.uint64)[0]:
            row = int(self._order[at])
            if np.array_equal(self._digests[row], key):
                return Place(row, True)
            at += 1
        with self._lock:
            self.next += 1
            return Place(self.next - 1, False)


def _grown(index: Index, filling: Filling, count: int) -> Index:
    """Return the index with the rows that were filled; `count` is that of all rows."""
    known = len(index)
    digests = np.zeros((count, DIGEST), np.uint8)
    matrices = np.zeros((count, 2, 3), np.float32)
    digests[:known], matrices[:known] = index.digests, index.matrices
    new = filling.rows >= known
    rows = filling.rows[new]
    digests[rows], matrices[rows] = filling.digests[new], filling.matrices[new]
    lost = {reason: list(old) for reason, old in index.lost.items()}
    for one in filling.unreadable:
        if filling.rows[one.position] >= known:
            lost.setdefault(one.reason, []).append(int(filling.rows[one.position]))
    notes = {phrase: list(old) for phrase, old in index.notes.items()}
    for phrase, positions in filling.notes.items():
        notes.setdefault(phrase, []).extend(filling.rows[positions].tolist())
    return replace(
        index,
        digests=digests,
        matrices=matrices,
        lost={reason: tuple(sorted(all_)) for reason, all_ in lost.items()},
        notes={phrase: tuple(sorted(all_)) for phrase, all_ in notes.items()},
    )


def _stored(
    wanted: Wanted, index: Index, rows_P: Rows, room: Room, lost: Sequence[Unreadable]
) -> Stored:
    count, name = len(wanted.pictures), wanted.pictures.name
    rows = np.full(count, -1, np.int32)
    rows[wanted.positions] = rows_P
    there = rows >= 0
    matrices = np.zeros((count, 2, 3), np.float32)
    digests = np.zeros((count, DIGEST), np.uint8)
    matrices[there], digests[there] = index.matrices[rows[there]], index.digests[rows[there]]
    every = list(lost)
    for reason, of in index.lost.items():
        every += [
            Unreadable(position=at, name=name(at), reason=reason)
            for at in np.flatnonzero(np.isin(rows, of)).tolist()
        ]
    rows[[one.position for one in every]] = -1
    notes = {
        phrase: [name(at) for at in np.flatnonzero(np.isin(rows, of)).tolist()]
        for phrase, of in index.notes.items()
    }
    return Stored(
        room=room,
        rows=rows,
        matrices=matrices,
        digests=digests,
        unreadable=tuple(sorted(every, key=lambda one: one.position)),
        notes={phrase: names for phrase, names in notes.items() if names},
    )


@contextmanager
def _refusing(below: Path) -> Iterator[None]:
    """Turn the system's refusals into NotKeptError."""
    try:
        yield
    except OSError as error:
        raise NotKeptError(
            f"Decoded pictures aren't kept for the next run: {below} can't be written to "
            f"({error.strerror}). Set STRIATE_CACHE to a folder that can."
        ) from error
