"""What changes in a file, as `diff -u` shows it."""

from __future__ import annotations

from difflib import unified_diff

from lrfind.plain_text import plain, without_commands

LONGEST_LINE = 400
"""Characters of a line that are shown: a file may be one line."""

_COLORS = {"---": "1", "+++": "1", "@@": "36", "-": "31", "+": "32"}


def diff_text(name: str, before: str, after: str, *, color: bool = False) -> str:
    """Write a unified diff; empty where nothing differs.

    Of a line too long to read its beginning is shown.

    Args:
        name: of the file.
        before: its text.
        after: its new text.
        color: whether ANSI colours may be used.
    """
    old, new = _lines(before), _lines(after)
    rows = []
    for row in unified_diff(old, new, name, name, lineterm=""):
        text = without_commands(plain(_shown(row)))
        code = next((code for mark, code in _COLORS.items() if row.startswith(mark)), "")
        rows.append(f"\x1b[{code}m{text}\x1b[0m" if color and code else text)
    return "".join(f"{row}\n" for row in rows)


def _lines(text: str) -> list[str]:
    """Split at line ends alone, which are left out; the lack of the last one is shown."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    last = lines.pop()
    return [*lines, f"{last}\n\\ No newline at end of file"] if last else lines


def _shown(row: str) -> str:
    return row if len(row) <= LONGEST_LINE else f"{row[:LONGEST_LINE]}…"
