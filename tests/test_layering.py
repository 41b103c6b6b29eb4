"""The house has one direction: a module imports only what stands below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "lrfind"

RANKS = [
    {"absent", "errors", "smoothing", "output_format", "plain_text", "strict_json"},
    {"registry", "spec", "curve", "atomic", "intake", "distributed", "extras"},
    {"optim", "schedulers", "scaling", "suggest", "config_messages", "frame", "data"},
    {"config", "workload", "ramp", "batch_law"},
    {"refine", "seed_sweeps", "edit", "frameworks", "keywords", "survey"},
    {"report", "blame", "curve_csv", "lock"},
    {"report_form", "outcome"},
    {"export", "plot", "console", "refined", "partial", "trackers", "opening"},
    {"saved", "experiment", "known_lr", "html"},
    {"api", "own_loop", "pinning"},
    {"cli"},
]
"""Rooms from the ground up, as in `docs/architecture.md`."""

FRONT_DOORS = {"__init__", "__main__"}
"""Modules that only name what stands anywhere in the house."""


def rank_of(room: str) -> int | None:
    """Find the floor of a room."""
    return next((i for i, rooms in enumerate(RANKS) if room in rooms), None)


def modules() -> list[Path]:
    """List the package's modules; starters are the user's code, not lrfind's."""
    found = sorted(PACKAGE.rglob("*.py"))
    return [path for path in found if "templates" not in path.relative_to(PACKAGE).parts]


def room_of(path: Path) -> str:
    """Name the room of a module: its package below `lrfind`, or itself."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Find the rooms that a module imports, at any depth, with the line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "lrfind":
            names = [f"lrfind.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            if name.startswith("lrfind.") and name != "lrfind.__version__":
                yield name.split(".")[1], node.lineno


def test_every_room_has_a_rank() -> None:
    """A new room says where it stands before it is used."""
    rooms = {room_of(path) for path in modules()} - FRONT_DOORS

    assert {room for room in rooms if rank_of(room) is None} == set()


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_imports_only_lower_rooms(path: Path) -> None:
    """Imports point down; rooms of one floor do not know each other."""
    room = room_of(path)
    if room in FRONT_DOORS:
        return
    rank = rank_of(room) or 0
    upwards = [
        f"line {line}: lrfind.{other}"
        for other, line in imports(path)
        if other != room and (rank_of(other) is None or (rank_of(other) or 0) >= rank)
    ]

    assert upwards == []
