"""Numbers as texts that every reader of YAML, TOML and JSON takes for the same float."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lrfind.plain_text import one_line

_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def number_text(lr: float, like: str = "") -> str:
    """Write an LR exactly, with an exponent where `like`, the text it replaces, has one.

    YAML 1.1, which PyYAML reads, takes `1e-3` and `1.0e3` for texts: there a number with an
    exponent needs a point and a sign. YAML 1.2, TOML and JSON read that form as well.

    Example:
        >>> number_text(0.001), number_text(0.001, like="3e-4"), number_text(2e-5)
        ('0.001', '1.0e-3', '2.0e-5')
    """
    plain = repr(lr)
    if "e" not in plain and "e" not in like.lower():
        return plain
    texts = (f"{lr:.{digits}e}" for digits in range(1, 18))
    mantissa, _, exponent = next(text for text in texts if float(text) == lr).partition("e")
    return f"{mantissa}e{int(exponent):+d}"


def rounded(lr: float, digits: int) -> float:
    """Round to significant digits.

    Example:
        >>> rounded(0.0063095734448, 2)
        0.0063
    """
    return float(f"{lr:.{digits - 1}e}")


def number_of(value: Any) -> float | None:
    """Read what stands at a key, a quoted number included; None where it is no finite number."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an integer beyond every float
        return None


def fault_of(value: Any) -> tuple[str, str] | None:
    """Say why a value cannot be replaced by an LR and what to do; None where it can.

    Nothing (`null`) can: that is how a file leaves a place open.
    """
    if value is None or number_of(value) is not None:
        return None
    if isinstance(value, Mapping):
        keys = ", ".join(map(str, list(value)[:6]))
        return f"is a mapping ({keys}), no number", "go on with one of its keys"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"is a list of {len(value)}, no number", "go on with an item's number, from 0"
    shown = f"{one_line(str(value)):.60}"
    if not isinstance(value, str):
        return f"is {shown}, no number an LR could replace", "write a number there first"
    if value == "auto":
        remedy = "write into the file that sets it, or put a number there first"
        return "is 'auto': another program sets it", remedy
    if value.startswith("${"):
        return f"is {shown!r}, which refers to another key", "name that key"
    return f"is the text {shown!r}, no number", "write a number there first"
