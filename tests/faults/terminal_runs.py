"""Runs of the command line on a real pseudo-terminal, and an emulator that shows what it shows."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte
from fault_runs import Run

BEFORE = """
import os
os.environ.update({environment!r})
for name in {unset!r}:
    os.environ.pop(name, None)
terminal = os.open({path!r}, os.O_RDWR | os.O_NOCTTY)
for descriptor in (0, 1, 2):
    os.dup2(terminal, descriptor)
"""
"""Puts the process on the terminal, with an environment of its own."""

UNSET = ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "LC_ALL", "LC_CTYPE", "LANG")


class TerminalRun:
    """`lrfind run c.yaml` on a terminal; use it as a context manager.

    Args:
        folder: where it runs.
        arguments: further ones.
        size: columns and lines.
        environment: what differs from a plain colour terminal.

    Attributes:
        sent: every byte that the terminal got.
        run: the process.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        size: tuple[int, int] = (80, 24),
        environment: dict[str, str] | None = None,
    ) -> None:
        self.sent = b""
        self._ours, self._theirs = pty.openpty()
        self._screen = pyte.HistoryScreen(*size, history=1000, ratio=0.5)
        self._stream = pyte.ByteStream(self._screen)
        self._set_size(*size)
        before = BEFORE.format(
            environment={"TERM": "xterm-256color", **(environment or {})},
            unset=[name for name in UNSET if name not in (environment or {})],
            path=os.ttyname(self._theirs),
        )
        self.run = Run(folder, "run", "c.yaml", *arguments, before=before)

    def __enter__(self) -> TerminalRun:
        return self

    def __exit__(self, *of_an_error: object) -> None:
        os.close(self._ours)
        os.close(self._theirs)

    @property
    def lines(self) -> list[str]:
        """All that stands on the terminal, what has left it through the top included."""
        above = [
            "".join(row[x].data for x in range(self._screen.columns))
            for row in self._screen.history.top
        ]
        return [line.rstrip() for line in [*above, *self._screen.display]]

    def resize(self, columns: int, lines: int) -> None:
        """Change the terminal's size under the run."""
        self._set_size(columns, lines)
        self._screen.resize(lines, columns)

    def read_until(self, condition: Callable[[], bool], limit_s: float = 60) -> None:
        """Show what is sent until something is so, or the run has ended."""
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, "\n".join(self.lines)
            is_over = not self.run.is_alive
            got = self._read()
            if is_over and not got:
                return

    def finish(self) -> int:
        """Show the rest, and tell the exit code."""
        self.read_until(lambda: False)
        return self.run.end().code

    def _read(self) -> bytes:
        if not select.select([self._ours], [], [], 0.05)[0]:
            return b""
        got = os.read(self._ours, 65536)
        self.sent += got
        self._stream.feed(got)
        return got

    def _set_size(self, columns: int, lines: int) -> None:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, size)
