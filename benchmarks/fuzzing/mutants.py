"""Mutants of a config: its tree changed, then its bytes."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from typing import Any

MOST_BYTES = 400_000
"""Size at which a mutant stops growing; lrfind reads a config up to 256 KiB."""

Map = list[tuple[Any, Any]]
"""A mapping as pairs, so that a key may stand twice."""

WORDS = (
    "", " ", "~", "null", "yes", "0x", "1e-7", "-", "*", "&a", "!!int", "adam", "sgdd", "café",
    "模型", "\x1b[31m", "\x00", "\u202e", "::error::x", "\ud800", "$\\frac{1}", "../../x", "/",
    "a:b", "x.py:y", "train.py:", ":", "math:pi", "builtins:len", "nowhere.at.all:x",
    "../examples/digits.py:nope", "torch.optim:SGD", "x" * 5000, "[red]", "{}", "\t", "\r\n",
    "cuda:99", "mps", "linear",
)  # fmt: skip
NUMBERS = (
    0, -1, 1, 2, 7, 2**31, 2**63, 2**64, 10**30, 10**400, -(10**400), 0.5, -0.0, 1e-7, 1e308,
    5e-324, 1e-320, math.nan, math.inf, -math.inf, True, False, None,
)  # fmt: skip
PIECES = (
    b"\x00", b"\xff", b"\xc3", b"\xef\xbb\xbf", b"\t", b"\r", b"\r\n", b"\n", b": ", b"- ", b"#",
    b"{", b"}", b"[", b"]", b'"', b"'", b"&a ", b"*a", b"<<: *a\n", b"!!python/name:os.system ",
    b"---\n", b"...\n", b"|\n", b"%YAML 1.1\n", b"? ", b"\\", b"\xe2\x80\xae", b"1" * 500, b"e999",
    b",", b"\x85", b"\xe2\x80\xa8",
)  # fmt: skip


def mutant(tree: Any, source: bytes, rng: random.Random) -> bytes:
    """Make one mutant: of the tree, of the bytes, or of both."""
    data = source
    if rng.random() < 0.75:
        changed = to_pairs(tree)
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            changed = rng.choice(TREE_CHANGES)(changed, rng)
        data = to_yaml(changed).encode("utf-8", "surrogatepass")
    if data is source or rng.random() < 0.15:
        for _ in range(rng.choice((1, 1, 2, 5))):
            data = rng.choice(BYTE_CHANGES)(data, rng)
    return data


def to_pairs(value: Any) -> Any:
    """Turn plain data into what can be changed: mappings become pairs."""
    if isinstance(value, dict):
        return [(key, to_pairs(part)) for key, part in value.items()]
    return ("list", [to_pairs(part) for part in value]) if isinstance(value, list) else value


def to_yaml(value: Any) -> str:
    """Write a tree as YAML in flow style, which takes any key twice and any text."""
    if isinstance(value, list):
        return "{" + ", ".join(f"{to_yaml(k)}: {to_yaml(v)}" for k, v in value) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(to_yaml, value[1])) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return json.dumps(value)


def mappings(tree: Any) -> list[Map]:
    """List every mapping of a tree, itself first."""
    if isinstance(tree, tuple):
        return [found for part in tree[1] for found in mappings(part)]
    if not isinstance(tree, list):
        return []
    return [tree, *(found for _, part in tree for found in mappings(part))]


def poison(rng: random.Random) -> Any:
    """Draw a value that belongs nowhere."""
    kind = rng.randrange(5)
    if kind == 0:
        return rng.choice(WORDS)
    if kind == 1:
        return rng.choice(NUMBERS)
    if kind == 2:
        return rng.choice(([], ("list", []), ("list", [None]), [("", None)], [(1, 2)]))
    if kind == 3:
        return rng.uniform(-1, 1) * 10.0 ** rng.randint(-300, 300)
    deep: Any = rng.choice(WORDS)
    for _ in range(rng.choice((3, 40, 60, 300))):
        deep = [("args", deep)] if rng.random() < 0.5 else ("list", [deep])
    return deep


def _pick(tree: Any, rng: random.Random) -> tuple[Map, int]:
    found = [part for part in mappings(tree) if part]
    part = rng.choice(found) if found else tree
    return part, rng.randrange(len(part)) if part else 0


def _changed(change: Callable[[Map, int, random.Random], None]) -> Callable[..., Any]:
    def apply(tree: Any, rng: random.Random) -> Any:
        if not mappings(tree) or not tree:
            return poison(rng)
        part, i = _pick(tree, rng)
        change(part, i, rng)
        return tree

    return apply


def _drop(part: Map, i: int, rng: random.Random) -> None:
    del part[i]


def _twice(part: Map, i: int, rng: random.Random) -> None:
    part.insert(rng.randint(0, len(part)), part[i])


def _rename(part: Map, i: int, rng: random.Random) -> None:
    key = str(part[i][0])
    at = rng.randint(0, len(key))
    other = rng.choice((key[:at] + key[at + 1 :], key[:at] + "x" + key[at:], key.upper(), *WORDS))
    part[i] = (rng.choice((other, rng.choice(NUMBERS))), part[i][1])


def _poison(part: Map, i: int, rng: random.Random) -> None:
    part[i] = (part[i][0], poison(rng))


def _wrap(part: Map, i: int, rng: random.Random) -> None:
    key, value = part[i]
    part[i] = (key, rng.choice((("list", [value]), [(key, value)], [("args", value)])))


def _swap(part: Map, i: int, rng: random.Random) -> None:
    j = rng.randrange(len(part))
    part[i], part[j] = (part[i][0], part[j][1]), (part[j][0], part[i][1])


def _add(part: Map, i: int, rng: random.Random) -> None:
    keys = "seed device schedule refine suggest step stop validation args lr eps accumulate mode"
    part.append((rng.choice(keys.split()), poison(rng)))


TREE_CHANGES = [_changed(f) for f in (_drop, _twice, _rename, _poison, _poison, _wrap, _swap, _add)]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randint(0, len(data))]


def _flip(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data)) if data else 0
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def _insert(data: bytes, rng: random.Random) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice(PIECES) * rng.choice((1, 1, 1, 60)) + data[at:]


def _remove(data: bytes, rng: random.Random) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + data[at + rng.randint(1, 8) :]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    lines = data.splitlines(keepends=True) or [b""]
    line = rng.choice(lines)
    return b"".join([*lines, *[line] * rng.choice((1, 2, 500))])[:MOST_BYTES]


def _recode(data: bytes, rng: random.Random) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-7", "cp500")), "replace")


BYTE_CHANGES = (_cut, _flip, _flip, _insert, _insert, _remove, _repeat, _recode)
