"""Lines of the tables that are made without rich."""

from __future__ import annotations

import textwrap

from lrfind.plain_text import one_line

INDENT = "  "


def wrapped(text: str, width: int) -> list[str]:
    """Break a remark below its row into indented lines; paths are not broken."""
    return textwrap.wrap(
        one_line(text),
        min(width, 100),
        initial_indent=INDENT,
        subsequent_indent=INDENT * 2,
        break_long_words=False,
        break_on_hyphens=False,
    )


def styled(text: str, code: str, color: bool) -> str:
    """Put an ANSI style around a text, where colours may be used."""
    return f"\x1b[{code}m{text}\x1b[0m" if color else text
