"""What the sweeps of several seeds noticed, as notes on one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lrfind.suggest.answer import Note


def told_once(notes: Mapping[int, Sequence[Note]]) -> list[Note]:
    """Join the notes of several seeds: what holds for several is said once, with their count."""
    lists = list(notes.values())
    found: dict[str, list[Note]] = {}
    for note in (note for each in lists for note in each):
        found.setdefault(note.code, []).append(note)
    return [
        first
        if len(lists) == 1
        else Note(first.code, f"{len(same)} of {len(lists)} seeds: {first.message}", first.advice)
        for same in found.values()
        for first in same[:1]
    ]
