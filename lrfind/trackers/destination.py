"""`--log tensorboard:DIR`: which tracker, and where."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from lrfind.errors import InputError, Problem
from lrfind.extras import require_recent
from lrfind.registry import nearest
from lrfind.trackers.entry import Entry

Log = Callable[[Entry], str]
"""Writes a run, and says where it is to be found."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A tracker that is known.

    Attributes:
        module: what must be installed.
        place: what stands behind the colon, for messages; empty where it may be left out.
        example: how it is written.
        opener: import path of what tries a place and returns its `Log`.
    """

    module: str
    place: str
    example: str
    opener: str


KINDS = {
    "tensorboard": Kind(
        module="tensorboard",
        place="a folder",
        example="tensorboard:runs/tb",
        opener="lrfind.trackers.tensorboard:open_tensorboard",
    ),
    "mlflow": Kind(
        module="mlflow",
        place="a server or database",
        example="mlflow:http://127.0.0.1:5000",
        opener="lrfind.trackers.mlflow:open_mlflow",
    ),
    "wandb": Kind(
        module="wandb",
        place="",
        example="wandb:my-project",
        opener="lrfind.trackers.wandb:open_wandb",
    ),
}


@dataclass(frozen=True, slots=True)
class Destination:
    """A tracker and a place.

    Attributes:
        text: as the user wrote it.
        kind: one of `KINDS`.
        place: what stands behind the colon.
    """

    text: str
    kind: str
    place: str

    @property
    def where(self) -> str:
        """The option, as errors name it."""
        return f"--log {self.text}"


def parse_destination(text: str) -> Destination:
    """Split `KIND:PLACE`.

    Raises:
        InputError: the kind is unknown, its place is missing, or its library is not installed or
            too old.
    """
    kind, _, place = text.partition(":")
    destination = Destination(text, kind, place)
    if kind not in KINDS:
        what = f"{kind!r} is no tracker"
        raise InputError(Problem(destination.where, what, nearest(kind, KINDS)))
    known = KINDS[kind]
    if known.place and not place:
        what = f"{kind} needs {known.place} behind a colon"
        raise InputError(Problem(destination.where, what, f"for instance --log {known.example}"))
    if find_spec(known.module) is None:
        what = f"{kind} is not installed"
        raise InputError(Problem(destination.where, what, f"pip install 'lrfind[{kind}]'"))
    require_recent(kind, destination.where)
    return destination


def open_trackers(texts: Sequence[str]) -> list[tuple[Destination, Log]]:
    """Try every place before any work is done.

    Raises:
        InputError: with every one that is wrong or cannot be reached.
    """
    opened: list[tuple[Destination, Log]] = []
    problems: list[Problem] = []
    for text in dict.fromkeys(texts):
        try:
            destination = parse_destination(text)
            opened.append((destination, _opened(destination)))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*problems)
    return opened


def _opened(destination: Destination) -> Log:
    """Import the tracker's file, and with it the library."""
    module, _, name = KINDS[destination.kind].opener.partition(":")
    opened: Log = getattr(importlib.import_module(module), name)(destination)
    return opened
