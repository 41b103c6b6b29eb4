"""What a stream's other end can show."""

from __future__ import annotations

import os
from typing import TextIO


def can_draw(stream: TextIO) -> bool:
    """Tell whether a stream shows the characters of a drawn curve: by encoding and by locale.

    In the locales C and POSIX Python writes UTF-8 whatever the terminal can show, and may have set
    LC_CTYPE to `C.UTF-8` itself (PEP 538), so that LANG is asked next.
    """
    try:
        "⣿─".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    names = [os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    named = [name for name in names if name and name != "C.UTF-8"]
    return not named or named[0] not in ("C", "POSIX")


def can_redraw(stream: TextIO) -> bool:
    """Tell whether what was written can be drawn over: a terminal, watched by somebody, not dumb.

    CI may give its jobs a terminal; its log then keeps every drawing.
    """
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        return False
    return stream.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")
