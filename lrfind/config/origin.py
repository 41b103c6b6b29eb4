"""Where each value of a config was written, so that every problem is told with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lrfind.errors import Problem

Loc = tuple[Any, ...]
"""A key path: `("sweep", "steps")`, `("optimizer", "param_groups", 0)`."""

Origin = dict[Loc, str]
"""Key path to place: `config.yaml:12`, or the override that wrote it."""


def nearest_origin(origin: Mapping[Loc, str], loc: Loc, fallback: str) -> str:
    """Say where a key was written; the nearest parent that was, where it was not."""
    for end in range(len(loc), 0, -1):
        if loc[:end] in origin:
            return origin[loc[:end]]
    return fallback


def forget(origin: Origin, loc: Loc) -> None:
    """Drop the places of a key and all below it, since something else stands there now."""
    for known in [known for known in origin if known[: len(loc)] == loc]:
        del origin[known]


def in_file_order(problems: Iterable[Problem], path: str) -> list[Problem]:
    """Sort by line; what has no line, and what overrides brought, follows in its own order."""

    def line(problem: Problem) -> tuple[int, int]:
        tail = problem.where.removeprefix(f"{path}:")
        return (0, int(tail)) if tail.isdecimal() else (1, 0)

    return sorted(dict.fromkeys(problems), key=line)
