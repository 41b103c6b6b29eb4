"""Which names a Python file defines, read without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from lrfind.registry import Target


def missing_attribute(target: Target, file: Path) -> tuple[str, list[str]] | None:
    """Name the attribute that a file certainly lacks, beside those that it has.

    Only what is certain is told: a star import, a module `__getattr__`, a name deleted or made by
    `exec`, `globals` or `setattr`, or a file that does not parse leave it to the import to find
    out. Nested attributes are looked at by their first part.
    """
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    names = set(_names(tree))
    first = target.attr.split(".")[0]
    if names & _UNKNOWABLE or first in names or first in _ALWAYS:
        return None
    return first, sorted(name for name in names if not name.startswith("_"))


_UNKNOWABLE = {"*", "__getattr__", "exec", "eval", "globals", "setattr", "vars", "locals"}
_ALWAYS = {"__name__", "__file__", "__doc__", "__dict__", "__builtins__", "__spec__"}


def _names(tree: ast.AST) -> Iterator[str]:
    """Walk every name that any statement of a module could bind, and every call that could."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store) or node.id in _UNKNOWABLE:
                yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).split(".")[0]
        elif isinstance(node, ast.MatchAs | ast.MatchStar | ast.ExceptHandler):
            yield node.name or ""
