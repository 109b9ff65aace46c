"""Storing pictures for one run only, where nothing is kept."""

from math import prod
from pathlib import Path

from striate.data._cache_folder import make_space
from striate.data._cache_key import array_digests
from striate.data._cache_wanted import Stored, Wanted
from striate.data._filling import Block, Filling
from striate.data._room import IN_MEMORY, make_room


def store_unkept(wanted: Wanted, below: Path) -> Stored:
    """Decode all pictures into memory, or into a file below this folder that won't stay.

    Raises DiskError where the file doesn't fit.
    """
    wide, pictures = wanted.shape.wide, wanted.pictures
    whole = (len(pictures), wide.height, wide.width, wide.channels)
    if prod(whole) > IN_MEMORY:
        wanted.announce(prod(whole), "the file is removed at the end")
        make_space(below, prod(whole))
    room = make_room(whole, below)
    try:
        filling = Filling(pictures, wanted.shape, room.array, max_pixels=wanted.max_pixels)
        filling.run(wanted.positions, wanted.threads, wanted.progress)
    except BaseException:
        room.close()
        raise
    return Stored(
        room=room,
        rows=None,
        matrices=filling.matrices,
        digests=(lambda: array_digests(pictures.array))
        if isinstance(pictures, Block)
        else filling.digests,
        unreadable=sorted(filling.unreadable, key=lambda one: one.position),
        notes={
            phrase: [pictures.name(position) for position in positions]
            for phrase, positions in filling.notes.items()
        },
    )
