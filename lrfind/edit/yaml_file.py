"""Find a value in a YAML file by the marks that the reader leaves on what it read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.tokens import ScalarToken, ValueToken

from lrfind.config.document import compose, scalar
from lrfind.edit.address import Address, dotted
from lrfind.edit.place import (
    MOST_PATHS,
    Place,
    missing,
    no_item,
    no_keys,
    refusal,
    require_number,
)
from lrfind.errors import ConfigError, InputError, Problem

Keys = tuple[str, ...]

_QUOTES = ("'", '"')
_MERGE = "<<"


def find(text: str, address: Address) -> Place:
    """Find the place of a number, or of null.

    Raises:
        InputError: the file cannot be read, has no such key, another kind of value there, or one
            that is written elsewhere and comes through an alias or a merge.
    """
    outline = _outline(text, address)
    node, key_node = outline.root, None
    for depth in range(len(address.keys)):
        key_node, node = _step(outline, node, address, depth, text)
        origin = outline.first[id(node)]
        if origin != address.keys[: depth + 1]:
            place = Address(address.file, (*origin, *address.keys[depth + 1 :]))
            where = f"{address.file}:{_line(key_node)}"
            what = f"comes through an alias, and is written at {place.key}, line {_line(node)}"
            raise refusal(where, address.key, what, f"write it there: --to {place}")
    where = f"{address.file}:{_line(node if key_node is None else key_node)}"
    require_number(_plain(node), where, address.key)
    start, end, lead = _characters(text, node, key_node, address, where)
    return Place(start, end, _plain(node), lead, outline.readers_of(address.keys))


def proves(before: str, after: str, address: Address, new: str) -> bool:
    """Tell whether a new text differs from the old one in a value alone, which is `new` now."""
    old = _outline(before, address)
    try:
        changed = _outline(after, address)
    except InputError:
        return False
    return _is_changed_alone(old.root, changed.root, old.by_keys[address.keys], new)


@dataclass
class _Outline:
    """A document's nodes, each by the keys under which it is written and read.

    Attributes:
        root: the outermost node.
        first: a node's id to its keys where it is written.
        by_keys: the same the other way round.
        again: a node's id to the keys and lines where an alias reads it.
    """

    root: Node
    first: dict[int, Keys] = field(default_factory=dict)
    by_keys: dict[Keys, Node] = field(default_factory=dict)
    again: dict[int, list[tuple[Keys, int]]] = field(default_factory=dict)

    def readers_of(self, keys: Keys) -> tuple[str, ...]:
        """Name the keys that read a value, or a section around it, through an alias."""
        found = []
        for depth in range(1, len(keys) + 1):
            for path, line in self.again.get(id(self.by_keys[keys[:depth]]), []):
                shown = dotted((*path, *keys[depth:])).replace(f'"{_MERGE}"', _MERGE)
                found.append(f"{shown} (line {line})")
        return tuple(found)

    def paths(self) -> list[Keys]:
        """List the keys of all plain values."""
        values = (keys for keys, node in self.by_keys.items() if isinstance(node, ScalarNode))
        return list(values)[:MOST_PATHS]


def _outline(text: str, address: Address) -> _Outline:
    try:
        root = compose(text, str(address.file))
    except ConfigError as error:
        raise InputError(*error.problems) from None
    if root is None:
        what, remedy = "is empty", "write the key with a number first"
        raise InputError(Problem(str(address.file), what, remedy))
    outline = _Outline(root)
    # In the order of the file, an anchor comes before its aliases.
    waiting: list[tuple[Keys, Node, Node]] = [((), root, root)]
    while waiting:
        keys, node, place = waiting.pop()
        if id(node) in outline.first:
            outline.again.setdefault(id(node), []).append((keys, _line(place)))
            continue
        outline.first[id(node)] = keys
        outline.by_keys.setdefault(keys, node)
        waiting += reversed([((*keys, name), child, at) for name, child, at in _children(node)])
    return outline


def _children(node: Node) -> Iterator[tuple[str, Node, Node]]:
    """List what a node holds: name, node, and the node that marks its line."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                yield str(key.value), value, key
    elif isinstance(node, SequenceNode):
        for i, item in enumerate(node.value):
            # The mark of an alias is that of its anchor.
            yield str(i), item, node if item.start_mark.index < node.start_mark.index else item


def _step(
    outline: _Outline, node: Node, address: Address, depth: int, text: str
) -> tuple[Node, Node]:
    """Go from a node to what stands at the next key, and to the node that marks its line."""
    key = address.keys[depth]
    where = f"{address.file}:{_line(node)}" if depth else str(address.file)
    if isinstance(node, SequenceNode):
        if not key.isdecimal() or int(key) >= len(node.value):
            raise no_item(address, depth, len(node.value), where)
        item = node.value[int(key)]
        return item, item
    if not isinstance(node, MappingNode):
        raise no_keys(address, depth, _plain(node), where)
    found = [(name, child) for name, child in _pairs(node) if name.value == key]
    if len(found) > 1:
        lines = " and ".join(str(_line(name)) for name, _ in found)
        what = f"stands there twice, in lines {lines}"
        raise refusal(
            f"{address.file}:{_line(found[0][0])}",
            dotted(address.keys[: depth + 1]),
            what,
            "drop one of the two",
        )
    if found:
        return found[0]
    for name, source in _pairs(node):
        merged = _merged(outline, source, key) if name.value == _MERGE else None
        if merged is not None:
            place = Address(address.file, (*merged, *address.keys[depth + 1 :]))
            what = f"comes through <<, and is written at {place.key}"
            remedy = f"write it there: --to {place}"
            raise refusal(f"{address.file}:{_line(name)}", address.key, what, remedy)
    names = [str(name.value) for name, _ in _pairs(node) if name.value != _MERGE]
    raise missing(address, depth, names, outline.paths(), where)


def _pairs(node: MappingNode) -> list[tuple[ScalarNode, Node]]:
    return [(key, value) for key, value in node.value if isinstance(key, ScalarNode)]


def _merged(outline: _Outline, source: Node, key: str, depth: int = 0) -> Keys | None:
    """Find where a key that a section merges is written."""
    if depth > 20:
        return None
    if isinstance(source, SequenceNode):
        found = (_merged(outline, one, key, depth + 1) for one in source.value)
        return next((keys for keys in found if keys is not None), None)
    if not isinstance(source, MappingNode):
        return None
    for name, value in _pairs(source):
        if name.value == key:
            return outline.first[id(value)]
    below = (
        _merged(outline, child, key, depth + 1)
        for name, child in _pairs(source)
        if name.value == _MERGE
    )
    return next((keys for keys in below if keys is not None), None)


def _characters(
    text: str, node: Node, key_node: Node | None, address: Address, where: str
) -> tuple[int, int, str]:
    """Find first and last character of a scalar, without anchor, tag and quotes."""
    start, end = node.start_mark.index, node.end_mark.index
    for token in YAML(typ="safe", pure=True).scan(text):
        first, last = token.start_mark.index, token.end_mark.index
        if isinstance(token, ScalarToken) and start <= first and last == end and last > first:
            _refuse_tag(text[start:first], address, where)
            if text[first] in _QUOTES:
                return first + 1, last - 1, ""
            if text[first] in "|>":
                break
            return first, last, ""
        is_behind = key_node is not None and first >= key_node.end_mark.index
        if is_behind and start == end and isinstance(token, ValueToken):
            # The mark of nothing is wherever the next thing begins.
            return last, last, " "
    what, remedy = "is written in a way that its place cannot be told", "write a plain number there"
    raise refusal(where, address.key, what, remedy)


def _refuse_tag(properties: str, address: Address, where: str) -> None:
    """Refuse a tag that makes something else of a number."""
    tags = [word for word in properties.split() if word.startswith("!")]
    if tags and tags[0] not in ("!!float", "!!str"):
        what, remedy = f"bears the tag {tags[0]}", "drop the tag, or write !!float"
        raise refusal(where, address.key, what, remedy)


def _is_changed_alone(before: Node, after: Node, target: Node, new: str) -> bool:
    """Compare two trees of nodes, values, quotes, tags and anchors, all but the target's value."""
    partners: dict[int, int] = {}
    waiting = [(before, after)]
    while waiting:
        old, now = waiting.pop()
        if id(old) in partners:
            if partners[id(old)] != id(now):
                return False
            continue
        partners[id(old)] = id(now)
        if type(old) is not type(now) or old.anchor != now.anchor:
            return False
        if isinstance(old, ScalarNode) and isinstance(now, ScalarNode):
            is_target = old is target
            if now.value != (new if is_target else old.value) or old.style != now.style:
                return False
            if not is_target and old.tag != now.tag:
                return False
            continue
        if old.tag != now.tag or len(old.value) != len(now.value):
            return False
        for one, other in zip(old.value, now.value, strict=True):
            waiting += zip(one, other, strict=True) if isinstance(one, tuple) else [(one, other)]
    return True


def _plain(node: Node) -> Any:
    """Make a value of a node, its own children as they are."""
    if isinstance(node, MappingNode):
        return {name: child for name, child, _ in _children(node)}
    if isinstance(node, SequenceNode):
        return node.value
    is_plain = isinstance(node, ScalarNode) and node.style is None
    return scalar(node.value) if is_plain else str(node.value)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
