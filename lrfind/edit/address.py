"""`train.yaml:optimizer.lr`: a file, and the key of a value in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lrfind.errors import InputError, Problem

SUFFIXES = (".yaml", ".yml", ".toml", ".json")
"""What a file may end in that a value is written into."""

_FILE = re.compile(r"(.+?\.(?:ya?ml|toml|json)):(.*)", re.IGNORECASE | re.DOTALL)
_KEY = re.compile(r"""(?P<quote>["'])(?P<quoted>.*?)(?P=quote)(?=\.|$)|(?P<bare>[^."']+)""")
_EXAMPLE = "write it as train.yaml:optimizer.lr"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a value stands.

    Attributes:
        file: as the user named it.
        keys: from the outermost; an item of a list by its number, counted from 0.
    """

    file: Path
    keys: tuple[str, ...]

    @property
    def key(self) -> str:
        """The keys as the user writes them."""
        return dotted(self.keys)

    def __str__(self) -> str:
        return f"{self.file}:{self.key}"


def parse_address(text: str) -> Address:
    r"""Split `FILE:KEY`, the key dotted; a part that holds dots itself is quoted.

    The file ends with its suffix, so that other colons (`C:\train.yaml:lr`) are its own.

    Raises:
        InputError: the suffix is none of ours, or there is no key.

    Example:
        >>> parse_address('C:/runs/train.yaml:"net.body".lr').keys
        ('net.body', 'lr')
    """
    where = f"--to {text}"
    match = _FILE.fullmatch(text)
    if match is None:
        if text.lower().endswith(SUFFIXES):
            raise InputError(Problem(where, "names a file but no key in it", _EXAMPLE))
        what = f"names no file that ends in {', '.join(SUFFIXES)} with a key behind a colon"
        raise InputError(Problem(where, what, _EXAMPLE))
    keys = _split(match[2])
    if not keys:
        what = f"the key {match[2]!r} must be dotted, no part of it empty"
        raise InputError(Problem(where, what, 'quote a part that holds dots: "a.b".lr'))
    return Address(Path(match[1]), keys)


def dotted(keys: Sequence[str]) -> str:
    """Join keys with dots, those that need it quoted."""
    return ".".join(key if _KEY.fullmatch(key) else f'"{key}"' for key in keys)


def _split(text: str) -> tuple[str, ...]:
    keys, at = [], 0
    while match := _KEY.match(text, at):
        keys.append(match["bare"] or match["quoted"])
        at = match.end()
        if at == len(text):
            return tuple(keys) if all(keys) else ()
        if text[at] != ".":
            break
        at += 1
    return ()
