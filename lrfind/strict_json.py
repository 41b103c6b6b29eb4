"""JSON that anybody may have written: no key twice, no endless nesting, faults told in our words.

Python's reader takes the last of two keys for both, recurses until its stack is full, and names its
own switches where a number is too long. Knows texts, not files: whoever opened one names it.
"""

from __future__ import annotations

import json
from typing import Any

MAX_LEVELS = 50
"""Levels of lists and objects above which nothing is read; our own files have five."""

MAX_DIGITS = 1000
"""Digits of a whole number above which it is not read; the largest float has 309."""


def read_json(text: str, *, nonfinite: bool = False) -> Any:
    """Read JSON that is nested no deeper than `MAX_LEVELS`.

    Args:
        text: without a byte order mark.
        nonfinite: take `NaN` and `Infinity`, which are none of JSON's, for numbers.

    Raises:
        ValueError: the text is no JSON (`json.JSONDecodeError` where its syntax is wrong), a key
            stands there twice, a number is none or too long, or all is nested too deep.
    """
    data = parsed(text, nonfinite=nonfinite)
    require_shallow(data)
    return data


def parsed(text: str, *, nonfinite: bool = False) -> Any:
    """Read JSON as `read_json` does, nested as deep as Python goes.

    Raises:
        ValueError: as there.
    """
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte order mark (BOM)")
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_int=_whole,
            parse_constant=None if nonfinite else _refused,
        )
    except RecursionError:
        raise too_deep() from None


def require_shallow(tree: Any) -> None:
    """Refuse lists and objects in each other beyond `MAX_LEVELS`.

    Raises:
        ValueError: they are.
    """
    level = [tree]
    for _ in range(MAX_LEVELS + 1):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise too_deep()


def too_deep() -> ValueError:
    """Say that something is nested too deep to be read."""
    return ValueError(f"it is nested deeper than {MAX_LEVELS} levels")


def _children(node: Any) -> Any:
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r:.60} stands there twice")
    return found


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a whole number of {len(digits)} digits stands there")
    return int(digits)


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")
