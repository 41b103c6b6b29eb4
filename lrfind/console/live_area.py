"""Rows at the end of a terminal that are drawn over and over, and what is printed meanwhile.

Between two drawings the cursor rests at the left of the first row, which is blank. So whatever
reaches the terminal past these streams (a signal's `^C`, a library in C, a worker process) stands
there and is kept, and a terminal that was resized, and has wrapped the rows anew, is wiped from the
right place. Knows nothing of sweeps.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Sequence
from typing import TextIO

_CURSOR_OFF, _CURSOR_ON = "\x1b[?25l", "\x1b[?25h"
_CUT_OFF, _WRAP = "\x1b[?7l", "\x1b[?7h"
_WIPE_LINE, _WIPE_BELOW = "\x1b[K", "\x1b[J"


class LiveArea:
    """Rows that are drawn in place until they are hidden; from any thread.

    Args:
        stream: a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._rows: list[str] = []
        self._said: list[tuple[TextIO, str]] = []
        self._open: dict[TextIO, str] = {}
        self._is_mid_line = False
        if hasattr(os, "register_at_fork"):
            # A worker process must not start with half a drawing in the stream, or a held lock.
            os.register_at_fork(
                before=self._lock.acquire,
                after_in_parent=self._lock.release,
                after_in_child=self._lock.release,
            )

    def show(self, rows: Sequence[str]) -> None:
        """Draw rows over those that are there, below what was said; nothing where all is as it was.

        Args:
            rows: without line ends; what is wider than the terminal is cut off by it.
        """
        with self._lock:
            rows = ["", *rows]
            if rows == self._rows and not self._said:
                return
            self._tell_above()
            if self._is_mid_line:
                self.stream.write("\r\n")
                self._is_mid_line = False
            self._rows = rows
            drawn = "\r\n".join(row + _WIPE_LINE for row in rows)
            home = f"\x1b[{len(rows) - 1}A\r"
            self.stream.write(
                f"{_CURSOR_OFF}{_CUT_OFF}\r{drawn}{_WIPE_BELOW}{_WRAP}{home}{_CURSOR_ON}"
            )
            self.stream.flush()

    def hide(self) -> None:
        """Wipe the rows, and write what waited for its line end; the next line is a fresh one."""
        with self._lock:
            self._said += [(stream, text) for stream, text in self._open.items() if text]
            self._open.clear()
            self._wipe()
            self._write_said()

    def begin_line(self) -> None:
        """End a line that was printed without its end."""
        with self._lock:
            if self._is_mid_line:
                self.stream.write("\r\n")
                self._is_mid_line = False

    def tell(self, text: str, stream: TextIO) -> None:
        """Write what somebody prints: above the rows with the next drawing; at once without rows.

        Above rows only whole lines are written. Of a line that is begun again and again (`\\r`, the
        bars of others) the latest state waits for its end.
        """
        if os.getpid() != self._process:
            stream.write(text)
            return
        with self._lock:
            if not self._rows:
                stream.write(text)
                self._is_mid_line = not text.endswith("\n") if text else self._is_mid_line
                return
            lines, end, rest = (self._open.pop(stream, "") + text).rpartition("\n")
            if end:
                self._said.append((stream, lines + end))
            self._open[stream] = rest[max(rest.rfind("\r"), 0) :]

    def flush(self, stream: TextIO) -> None:
        """Have a line shown that is not at its end, as a prompt is; not one that is begun again."""
        if os.getpid() == self._process:
            with self._lock:
                begun = self._open.get(stream, "")
                if begun and not begun.startswith("\r"):
                    self._said.append((stream, self._open.pop(stream)))
        stream.flush()

    def _tell_above(self) -> None:
        if self._said:
            self._wipe()
            self._write_said()

    def _wipe(self) -> None:
        if self._rows:
            self.stream.write(f"\r{_WIPE_BELOW}")
            self.stream.flush()
            self._rows = []

    def _write_said(self) -> None:
        while self._said:
            stream, text = self._said.pop(0)
            stream.write(text)
            stream.flush()
            self._is_mid_line = not text.endswith("\n")


class Above(io.TextIOBase):
    """A stream whose text stands above an area's rows.

    Args:
        area: where the rows are.
        stream: where the text would have gone without them.
    """

    def __init__(self, area: LiveArea, stream: TextIO) -> None:
        super().__init__()
        self._area = area
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream."""
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """What the stream does with characters that it cannot write."""
        return self._stream.errors

    @property
    def buffer(self) -> io.BufferedIOBase:
        """Bytes go past the area, onto its first row."""
        return self._stream.buffer  # type: ignore[return-value]

    def writable(self) -> bool:
        """Tell that this is for writing."""
        return True

    def isatty(self) -> bool:
        """Tell what the stream is."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Name the stream's descriptor."""
        return self._stream.fileno()

    def write(self, text: str, /) -> int:
        """Write above the rows."""
        self._area.tell(text, self._stream)
        return len(text)

    def flush(self) -> None:
        """Have everything shown."""
        self._area.flush(self._stream)

    def close(self) -> None:
        """Leave the stream to its owner."""
