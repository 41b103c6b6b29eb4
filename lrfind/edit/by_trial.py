"""Find a value in a TOML or JSON file by trial: the readers of Python tell what, but not where.

Each text that could be the value is exchanged for another number and the whole file read again. The
place is where that changes the value at the key, and nothing else: found and proved in one.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

from lrfind.edit.address import Address
from lrfind.edit.number import number_of
from lrfind.edit.place import (
    MOST_PATHS,
    Place,
    line_of,
    missing,
    no_item,
    no_keys,
    refusal,
    require_number,
)
from lrfind.errors import InputError, Problem
from lrfind.strict_json import parsed, require_shallow, too_deep

Parse = Callable[[str, str], Any]
"""Reads a text; the second argument is the file to blame."""

PROBE = "7.25e-77"
"""A number that nobody writes into a config."""

_TOKEN = re.compile(r"null|[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9_]+)?")
_KEY_TOKEN = "[A-Za-z0-9_-]"


def parse_toml(text: str, file: str) -> Any:
    """Read TOML 1.0.

    Raises:
        InputError: it is none, with what the reader says.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(Problem(file, f"TOML syntax: {error}", "mend the file")) from None
    except RecursionError:
        raise _unreadable("TOML", too_deep(), file) from None
    except ValueError:  # more digits than Python makes a number of
        fault = ValueError("a whole number that is too long stands there")
        raise _unreadable("TOML", fault, file) from None


def parse_json(text: str, file: str) -> Any:
    """Read JSON.

    Raises:
        InputError: it is none, or a key stands twice.
    """
    try:
        return parsed(text, nonfinite=True)
    except json.JSONDecodeError as error:
        where = f"{file}:{error.lineno}"
        remedy = "mend the line; JSON takes no comments and no comma at the end"
        raise InputError(Problem(where, f"JSON syntax: {error.msg}", remedy)) from None
    except ValueError as error:
        raise _unreadable("JSON", error, file) from None


def _unreadable(kind: str, error: ValueError, file: str) -> InputError:
    return InputError(Problem(file, f"{kind}: {error}", "mend the file"))


def find(text: str, address: Address, parse: Parse) -> Place:
    """Find the place of a number, or of null.

    Raises:
        InputError: the file cannot be read, has no such key, or another kind of value there.
    """
    source = _Source(text, address, parse)
    value = source.value()
    require_number(value, source.where(), address.key)
    for start, end in _candidates(text, value):
        changed = source.parsed(text[:start] + PROBE + text[end:])
        expected = PROBE if isinstance(value, str) else float(PROBE)
        if is_changed_alone(source.tree, changed, address.keys, expected):
            return Place(start, end, value)
    what = f"= {value!r:.60} is written in a way that its place cannot be told"
    raise refusal(source.where(), address.key, what, "write it as a plain number")


def proves(before: str, after: str, address: Address, new: str, parse: Parse) -> bool:
    """Tell whether a new text differs from the old one in a value alone, which is `new` now."""
    source = _Source(before, address, parse)
    expected = new if isinstance(source.value(), str) else float(new)
    return is_changed_alone(source.tree, source.parsed(after), address.keys, expected)


def is_changed_alone(before: Any, after: Any, keys: tuple[str, ...], value: Any) -> bool:
    """Tell whether two trees are the same but for one value, types and order of keys included."""
    if not keys:
        return type(after) is type(value) and bool(after == value)
    if type(before) is not type(after):
        return False
    if isinstance(before, dict):
        pairs = zip(before.items(), after.items(), strict=False)
        return len(before) == len(after) and all(
            name == other
            and (
                is_changed_alone(old, new, keys[1:], value) if name == keys[0] else _same(old, new)
            )
            for (name, old), (other, new) in pairs
        )
    if isinstance(before, list):
        return len(before) == len(after) and all(
            is_changed_alone(old, new, keys[1:], value) if i == int(keys[0]) else _same(old, new)
            for i, (old, new) in enumerate(zip(before, after, strict=True))
        )
    return False


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    # NaN is NaN here.
    return bool(one == other) or (one != one and other != other)


class _Source:
    """A text as it was read, and what is asked of it."""

    def __init__(self, text: str, address: Address, parse: Parse) -> None:
        self.text = text
        self.address = address
        self.parse = parse
        self.file = str(address.file)
        self.tree = parse(text, self.file)
        try:
            require_shallow(self.tree)
        except ValueError as error:
            raise InputError(Problem(self.file, str(error), "mend the file")) from None

    def value(self) -> Any:
        """Walk to the value.

        Raises:
            InputError: it is not there.
        """
        node = self.tree
        for depth, key in enumerate(self.address.keys):
            if isinstance(node, dict):
                if key not in node:
                    where, paths = self.where(depth), _paths(self.tree)
                    raise missing(self.address, depth, list(node), paths, where)
                node = node[key]
            elif isinstance(node, list):
                if not key.isdecimal() or int(key) >= len(node):
                    raise no_item(self.address, depth, len(node), self.where(depth))
                node = node[int(key)]
            else:
                raise no_keys(self.address, depth, node, self.where(depth))
        return node

    def where(self, depth: int | None = None) -> str:
        """Name file and line of a key, found by renaming it; the file where that does not tell.

        A TOML table may be made by several headers, so that none of them is its place.
        """
        keys = self.address.keys[:depth]
        named = [i for i, key in enumerate(keys) if not key.isdecimal()]
        if not named:
            return self.file
        keys = keys[: named[-1] + 1]
        renamed = f"{keys[-1]}__lrfind__"
        word = re.compile(rf"(?<!{_KEY_TOKEN}){re.escape(keys[-1])}(?!{_KEY_TOKEN})")
        for match in word.finditer(self.text):
            changed = self.parsed(self.text[: match.start()] + renamed + self.text[match.end() :])
            if changed is not None and _same(changed, _renamed(self.tree, keys, renamed)):
                return f"{self.file}:{line_of(self.text, match.start())}"
        return self.file

    def parsed(self, text: str) -> Any:
        """Read another text; None where it is none of its kind."""
        try:
            return self.parse(text, self.file)
        except InputError:
            return None


def _candidates(text: str, value: Any) -> Iterator[tuple[int, int]]:
    """Find the texts that could be the value: `null`, or the same number however written."""
    wanted = number_of(value)
    for match in _TOKEN.finditer(text):
        token = match[0].replace("_", "")
        found = None if token == "null" else number_of(token)
        if found == wanted:
            yield match.span()


def _renamed(tree: Any, keys: tuple[str, ...], name: str) -> Any:
    if isinstance(tree, list):
        at = int(keys[0])
        return [*tree[:at], _renamed(tree[at], keys[1:], name), *tree[at + 1 :]]
    if len(keys) == 1:
        return {name if key == keys[0] else key: value for key, value in tree.items()}
    return {
        key: _renamed(value, keys[1:], name) if key == keys[0] else value
        for key, value in tree.items()
    }


def _paths(tree: Any) -> list[tuple[str, ...]]:
    """List the keys of all plain values, breadth first."""
    found: list[tuple[str, ...]] = []
    level: list[tuple[tuple[str, ...], Any]] = [((), tree)]
    while level and len(found) < MOST_PATHS:
        below: list[tuple[tuple[str, ...], Any]] = []
        for keys, node in level:
            if isinstance(node, dict):
                below += [((*keys, key), value) for key, value in node.items()]
            elif isinstance(node, list):
                below += [((*keys, str(i)), value) for i, value in enumerate(node)]
            else:
                found.append(keys)
        level = below
    return found[:MOST_PATHS]
