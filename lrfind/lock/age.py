"""How old a pin is, and how old it may be."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from lrfind.errors import InputError, Problem
from lrfind.lock.lock import Lock

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGE = re.compile(r"([0-9]{1,6})([mhdw])")


def parse_age(text: str) -> timedelta:
    """Read `30d`, `12h`, `90m` or `2w`.

    Raises:
        InputError: it is none of these.
    """
    found = _AGE.fullmatch(text.strip())
    if not found:
        what = f"= {text!r} is no age; it reads as a whole number and m, h, d or w"
        raise InputError(Problem("max age", what, "for instance 30d"))
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def age_of(lock: Lock) -> timedelta:
    """Measure how long ago a lock was pinned."""
    return datetime.now(UTC) - datetime.fromisoformat(lock.pinned_at)


def now() -> str:
    """Write the time as locks do: UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
