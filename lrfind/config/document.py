"""A YAML 1.2 file as plain values, and the line of each.

YAML 1.2 because a learning rate is written `1e-7`, which YAML 1.1 readers take for a string. Plain
scalars follow the core schema (YAML 1.2.2, 2021, section 10.3) to the letter: `on`, `1_000` and
`2001-01-01` are texts. Merge keys (`<<: *base`) work as well; tags are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from lrfind.config.origin import Loc, Origin
from lrfind.errors import ConfigError, Problem
from lrfind.intake import read_text

MAX_BYTES = 256 * 1024
"""Size above which a file is not read as a config; parsing takes some 10 µs a byte."""

MAX_VALUES = 20_000
"""Values above which a config is refused: nested aliases can unfold to billions."""

MAX_DEPTH = 50
"""Nesting above which a config is refused: an alias can hold itself."""

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_BRACKETS = {"[": 1, "{": 1, "]": -1, "}": -1}
_STARTER = "write a starter config with `lrfind init digits`"


@dataclass
class Document:
    """A file's content.

    Attributes:
        tree: sections and their values, as plain Python data.
        origin: where each key and item was written.
        problems: what is wrong with it and did not stop the reading.
    """

    tree: dict[str, Any]
    origin: Origin
    problems: list[Problem]


def read_document(path: Path) -> Document:
    """Read a config file.

    Raises:
        ConfigError: it cannot be read, is no YAML, too large, or no mapping.
    """
    text = read_text(path, MAX_BYTES, f"check the path, or {_STARTER}", ConfigError)
    node = compose(text, str(path))
    if not isinstance(node, MappingNode) or not node.value:
        is_empty = node is None or isinstance(node, MappingNode)
        kind = (
            "is empty"
            if is_empty
            else "is a list"
            if isinstance(node, SequenceNode)
            else "is one value"
        )
        what = f"{kind}; a config is a mapping with at least model and data"
        raise ConfigError(Problem(str(path), what, _STARTER))
    unfolding = _Unfolding(str(path))
    tree = unfolding.mapping(node, ())
    return Document(tree, unfolding.origin, unfolding.problems)


def parse_value(text: str, loc: Loc, where: str) -> Any:
    """Read the value that an override gives to a key, by the same rules.

    Raises:
        ConfigError: it is no YAML.
    """
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, ValueError, RecursionError):
        raise ConfigError(Problem(where, f"the value {text!r} is no YAML", "quote it")) from None
    if node is None:
        return None
    unfolding = _Unfolding(where, counts_lines=False)
    value = unfolding.value(node, loc)
    if unfolding.problems:
        raise ConfigError(*unfolding.problems)
    return value


def scalar(text: str) -> Any:
    """Read a plain scalar by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        # Python refuses integers beyond some thousand digits; as a text they fail as any other.
        return int(text, 0 if text.startswith(("0o", "0x")) else 10) if len(text) < 1000 else text
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return float(text) if _FLOAT.fullmatch(text) else text


def compose(text: str, path: str) -> Node | None:
    """Read a text as nodes, which know their places; nothing is made of tags.

    Raises:
        ConfigError: it is no YAML, or more than one document.
    """
    # The scanner's time grows with the square of open brackets, so they are counted before.
    opened = accumulate(_BRACKETS.get(character, 0) for character in text)
    if max(opened, default=0) > 4 * MAX_DEPTH:
        raise ConfigError(_too_deep(path))
    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        raise ConfigError(_syntax_problem(path, error)) from None
    except ReaderError as error:
        line = text[: error.position].count("\n") + 1
        what = f"holds the character #x{ord(text[error.position]):02x}, which YAML does not allow"
        raise ConfigError(Problem(f"{path}:{line}", what, "remove it")) from None
    except RecursionError:
        raise ConfigError(_too_deep(path)) from None
    except (YAMLError, ValueError) as error:
        first = (str(error).splitlines() or ["?"])[0]
        raise ConfigError(Problem(path, f"is no YAML: {first}", "mend the syntax")) from None
    return node


def _syntax_problem(path: str, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    where = f"{path}:{mark.line + 1}" if mark else path
    what = " ".join(str(error.problem or error.context or "bad syntax").split())
    if "\\t" in what:
        return Problem(where, "a tab indents this line; YAML indents with spaces", "use spaces")
    if "another document" in what:
        return Problem(where, "a second document starts; a config is one", "drop the line ---")
    return Problem(where, f"YAML syntax: {what}", "mend the line or the one above it")


def _too_deep(where: str) -> Problem:
    what = f"is nested deeper than {MAX_DEPTH} levels"
    return Problem(where, what, "drop the alias that holds itself, or the data that is no config")


@dataclass
class _Unfolding:
    """Composed nodes to plain values; aliases are counted as often as they are used."""

    path: str
    counts_lines: bool = True
    origin: Origin = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    count: int = 0

    def value(self, node: Node, loc: Loc) -> Any:
        """Unfold a node of any kind."""
        self.count += 1
        if self.count > MAX_VALUES:
            what = f"unfolds to more than {MAX_VALUES} values"
            remedy = "drop the nested aliases, or the data that does not belong into a config"
            raise ConfigError(Problem(self.path, what, remedy))
        if len(loc) > MAX_DEPTH:
            raise ConfigError(_too_deep(self._place(node)))
        self._refuse_tag(node)
        if isinstance(node, MappingNode):
            return self.mapping(node, loc)
        if isinstance(node, SequenceNode):
            items = []
            for i, item in enumerate(node.value):
                self.origin[(*loc, i)] = self._place(item)
                items.append(self.value(item, (*loc, i)))
            return items
        is_plain = isinstance(node, ScalarNode) and node.style is None
        return scalar(node.value) if is_plain else str(node.value)

    def mapping(self, node: MappingNode, loc: Loc, merging: int = 0) -> dict[Any, Any]:
        """Unfold a mapping: what it merges first, so that its own keys win."""
        if merging > MAX_DEPTH:
            raise ConfigError(_too_deep(self._place(node)))
        result: dict[Any, Any] = {}
        own: set[Any] = set()
        for key_node, value_node in node.value:
            if _is_merge(key_node):
                result |= self._merged(value_node, loc, merging)
        for key_node, value_node in node.value:
            if _is_merge(key_node):
                continue
            where = self._place(key_node)
            if not isinstance(key_node, ScalarNode):
                self._blame(key_node, "a key is a list or mapping; it must be a text", "name it")
                continue
            key = _key(key_node, loc)
            if key in own:
                what = f"duplicate key {key!r}; a key stands once in a section"
                self._blame(key_node, what, "drop one of the two")
                continue
            own.add(key)
            self._refuse_tag(key_node)
            self.origin[(*loc, key)] = where
            result[key] = self.value(value_node, (*loc, key))
        return result

    def _merged(self, node: Node, loc: Loc, merging: int) -> dict[Any, Any]:
        sources = node.value if isinstance(node, SequenceNode) else [node]
        result: dict[Any, Any] = {}
        for source in reversed(sources):
            self.count += 1
            if isinstance(source, MappingNode):
                result |= self.mapping(source, loc, merging + 1)
            else:
                self._blame(source, "<< merges mappings alone", "give it an alias of a mapping")
        return result

    def _refuse_tag(self, node: Node) -> None:
        # A resolved tag has no handle; a verbatim one has none either, but is no tag of YAML's.
        if node.ctag.handle is not None or not str(node.tag).startswith("tag:yaml.org,2002:"):
            what = f"the tag {node.tag}; a config holds plain values alone"
            self._blame(node, what, "drop it, and quote what must be a text")

    def _blame(self, node: Node, what: str, remedy: str) -> None:
        self.problems.append(Problem(self._place(node), what, remedy))

    def _place(self, node: Node) -> str:
        return f"{self.path}:{node.start_mark.line + 1}" if self.counts_lines else self.path


def _is_merge(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value == "<<" and node.style is None


def _key(node: ScalarNode, loc: Loc) -> Any:
    """Read a key: a text, except deep within arguments, where the user's mappings may have any."""
    if "args" in loc[:-1] and node.style is None:
        return scalar(node.value)
    return str(node.value)
