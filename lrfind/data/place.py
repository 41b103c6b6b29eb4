"""Where a table was asked for: the folder its path starts from, and whom to blame for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrfind.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class Place:
    """A place from which tables are named.

    Attributes:
        folder: where a relative path starts from; a config's own folder.
        key: what to blame in an error: the config's section, or `table` from Python.
    """

    folder: Path = Path()
    key: str = "table"

    def problem(self, what: str, remedy: str, argument: str = "") -> Problem:
        """Say what is wrong with the table, or with one argument of it (`= 5 must be …`)."""
        if not argument:
            return Problem(self.key, what, remedy)
        if self.key == "table":
            return Problem(self.key, f"{argument} {what}" if what.startswith("=") else what, remedy)
        return Problem(f"{self.key}.args.{argument}", what, remedy)

    def error(self, what: str, remedy: str, argument: str = "") -> InputError:
        """Make an error of one problem."""
        return InputError(self.problem(what, remedy, argument))


def table_file(args: Mapping[str, Any], folder: Path) -> Path | None:
    """Find the file that the arguments of a `table` name; None where they name no file."""
    named = args.get("path")
    if not isinstance(named, str):
        return None
    try:
        path = folder / Path(named).expanduser()
        return path if path.is_file() else None
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, `~nobody`
        return None
