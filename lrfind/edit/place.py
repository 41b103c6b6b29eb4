"""Where a value stands in a text, and the error where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from lrfind.edit.address import Address, dotted
from lrfind.edit.number import fault_of
from lrfind.errors import InputError, Problem

MOST_NAMES = 8
"""Keys that are listed where none of them is near."""

MOST_PATHS = 2000
"""Keys of a file among which a near one is looked for."""

RATES = ("lr", "learning_rate", "lr0", "base_lr", "max_lr", "unet_lr")
"""What training tools call an LR."""


@dataclass(frozen=True, slots=True)
class Place:
    """The characters of a value, quotes excluded.

    Attributes:
        start: first of them.
        end: behind the last; `start` where nothing stands there.
        value: what stands there, as a value.
        lead: what must come before a new value: a blank, where nothing stands behind a colon.
        readers: keys that read this value too, through aliases, with their lines.
    """

    start: int
    end: int
    value: Any
    lead: str = ""
    readers: tuple[str, ...] = ()


def line_of(text: str, at: int) -> int:
    """Count the lines up to a character, from 1, whatever the line ends."""
    before = text[:at].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1


def refusal(where: str, key: str, what: str, remedy: str) -> InputError:
    """Refuse a key, with its place."""
    return InputError(Problem(where, f"{key} {what}", remedy))


def require_number(value: Any, where: str, key: str) -> None:
    """Refuse a value that no LR can replace.

    Raises:
        InputError: it is neither a number nor null.
    """
    fault = fault_of(value)
    if fault is not None:
        raise refusal(where, key, *fault)


def missing(
    address: Address,
    depth: int,
    names: Sequence[str],
    paths: Iterable[tuple[str, ...]],
    where: str,
) -> InputError:
    """Say that a key is not there, and which one may be meant.

    Args:
        address: what was asked for.
        depth: how many of its keys were found.
        names: the keys beside which the next one was looked for.
        paths: every key of the file.
        where: file, with the line where it is known.
    """
    key = address.keys[depth]
    owner = f"{dotted(address.keys[:depth])} has" if depth else "there is"
    candidates = [dotted(path) for path in paths]
    wanted = address.keys[depth:]
    near = get_close_matches(key, names, n=1, cutoff=0.6)
    beside = [dotted((*address.keys[:depth], *rest)) for rest in [(*near, *wanted[1:])] if near]
    if depth == len(address.keys) - 1 and key in RATES:
        beside += [dotted((*address.keys[:depth], name)) for name in RATES]
    meant = [path for path in beside if path in candidates]
    # The same name elsewhere is likelier than another name that is spelt alike.
    meant += [path for path in candidates if path.rpartition(".")[2] == wanted[-1]]
    meant += get_close_matches(address.key, candidates, n=1, cutoff=0.8)
    if meant:
        remedy = f"did you mean {meant[0]!r}?"
    elif names:
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        remedy = f"known: {', '.join(names[:MOST_NAMES])}{more}"
    else:
        remedy = "write the key first"
    return InputError(Problem(where, f"{owner} no key {key!r}", remedy))


def no_item(address: Address, depth: int, count: int, where: str) -> InputError:
    """Say that a list has no such item."""
    key, owner = address.keys[depth], dotted(address.keys[:depth]) or "the file"
    what = f"{owner} is a list of {count}, counted from 0; there is no item {key!r}"
    return InputError(Problem(where, what, "name one of its items by number"))


def no_keys(address: Address, depth: int, value: Any, where: str) -> InputError:
    """Say that a value stands where a section must."""
    owner = dotted(address.keys[:depth]) or "the file"
    what = f"{owner} is {value!r:.60}, which holds no key {address.keys[depth]!r}"
    return InputError(Problem(where, what, "shorten the key"))
