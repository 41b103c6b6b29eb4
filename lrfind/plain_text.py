"""Text from files and from user code, made to stand for itself wherever it is shown.

A terminal obeys control characters, a job log obeys lines that begin with `::`, a reader believes
what a right-to-left mark reorders. What is not printable is written as Python's `repr` writes it.
"""

from __future__ import annotations

import re

_HARMLESS = "\n\t"
_COMMAND = re.compile(r"^(\s*)(?=::)", re.MULTILINE)
_OLD_COMMAND = re.compile(r"##(?=\[)")


def plain(text: str) -> str:
    """Make characters visible that are not printable; line breaks and tabs stay.

    Example:
        >>> print(plain("a\\x1b[31mb\\u202ec\\rd"))
        a\\x1b[31mb\\u202ec\\rd
    """
    if text.isprintable():
        return text
    return "".join(
        mark if mark.isprintable() or mark in _HARMLESS else mark.encode("unicode_escape").decode()
        for mark in text
    )


def one_line(text: str) -> str:
    """Make a text plain, and keep it on its line: line ends and tabs become blanks."""
    return plain(" ".join(text.split()))


def without_commands(text: str) -> str:
    """Take the meaning out of what a GitHub job log would obey: `::error::`, `##[group]`.

    Applies to whole lines as they are printed, since wrapping may bring `::` to the beginning.

    Example:
        >>> print(without_commands("a ::b\\n  ::error::c\\n##[group]d"))
        a ::b
          \\::error::c
        #\\#[group]d
    """
    return _OLD_COMMAND.sub(r"#\\#", _COMMAND.sub(r"\1\\", text))
