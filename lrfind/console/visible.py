"""Text from files and user code, made harmless on a terminal."""

from __future__ import annotations

import unicodedata


def visible(text: str) -> str:
    r"""Write control characters as escapes (`\x1b`), so that they neither colour, move nor hide.

    Line ends and tabs become blanks: the text stays on its line.
    """
    line = " ".join(text.split())
    return "".join(f"\\x{ord(c):02x}" if _is_control(c) else c for c in line)


def _is_control(character: str) -> bool:
    # Cf holds the marks that turn the direction of writing.
    return unicodedata.category(character) in ("Cc", "Cf")
