"""`--set a.b=1`: one key of a config, changed from the command line."""

from __future__ import annotations

from typing import Any

from lrfind.config.document import parse_value
from lrfind.config.origin import Loc, Origin, forget
from lrfind.errors import ConfigError, Problem
from lrfind.spec import FRAMEWORKS

_TARGETS = ("model", "data", "step", "validation", "module", "datamodule", "trainer")
"""Sections that are short for their target."""


def apply_override(tree: dict[str, Any], origin: Origin, override: str) -> list[Problem]:
    """Write an override into a raw tree, and itself into the places of what it wrote.

    Missing sections are created and short forms unfolded, so that `optimizer: adamw` takes
    `optimizer.args.weight_decay=0`.

    Returns:
        What is wrong with the override, apart from what validation will find.
    """
    key, equals, text = override.partition("=")
    where = f"--set {override}"
    if not equals or not all(key.split(".")):
        rule = "an override reads key=value, the key dotted"
        return [Problem(where, rule, "for instance --set sweep.steps=400")]
    try:
        value = parse_value(text, tuple(key.split(".")), where)
        node, loc = _descend(tree, origin, key.split("."), where)
    except ConfigError as error:
        return list(error.problems)
    node[loc[-1]] = value
    forget(origin, loc)
    origin[loc] = where
    return []


def _descend(tree: dict[str, Any], origin: Origin, parts: list[str], where: str) -> tuple[Any, Loc]:
    """Walk to the section or list that holds the last part, creating sections on the way."""
    node: Any = tree
    loc: Loc = ()
    for i, part in enumerate(parts):
        step = _step(node, loc, part, where)
        loc = (*loc, step)
        if i == len(parts) - 1:
            break
        child = None if isinstance(node, dict) and step not in node else node[step]
        if not isinstance(child, dict | list):
            node[step] = _opened(child, loc, where)
            origin.setdefault(loc, where)
        node = node[step]
    return node, loc


def _step(node: Any, loc: Loc, part: str, where: str) -> str | int:
    if not isinstance(node, list):
        return part
    if part.isdecimal() and int(part) < len(node):
        return int(part)
    size = f"{'.'.join(map(str, loc))} has {len(node)} items, counted from 0"
    raise ConfigError(Problem(where, f"there is no item {part!r}: {size}", "name one of them"))


def _opened(value: Any, loc: Loc, where: str) -> dict[str, Any]:
    """Make a section of what stands at a key: of nothing an empty one, of a short form the long.

    Raises:
        ConfigError: a plain value stands there, which holds no keys.
    """
    if value is None:
        return {}
    name = loc[-1]
    key = ".".join(map(str, loc))
    is_section = len(loc) == 1 or loc[0] in ("sweep", *FRAMEWORKS)
    if isinstance(value, bool) and loc == ("refine",):
        return {"enabled": value}
    if isinstance(value, str) and is_section:
        if name in _TARGETS:
            return {"target": value}
        if name == "schedule":
            return {"name": value}
        if name in ("optimizer", "loss"):
            return {"target" if ":" in value else "name": value}
        if name in ("output", "suggest"):
            return {"dir" if name == "output" else "method": value}
    what = f"{key} is {value!r}, which holds no keys"
    raise ConfigError(Problem(where, what, f"override {key} itself"))
