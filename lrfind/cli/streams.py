"""Standard output and error that a reader may leave, or never have opened.

`lrfind run … | head -1`, `>&-` and a full disk behind `>` must neither end a run that is under way
nor show a traceback. So the lowest layer of each stream forgets what nobody can take, and tells at
the end what was lost. Knows nothing of the commands.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_LEFT = (errno.EPIPE, errno.EIO, errno.EBADF)
"""The reader is gone: the end of a pipe, a terminal that hung up."""


class Drain(io.RawIOBase):
    """A file descriptor to write to; what it cannot take is dropped.

    Args:
        descriptor: stays open when this is closed.
        name: what Python calls the stream, `<stdout>`.

    Attributes:
        lost: why something was dropped that a reader still waits for (a full disk); None where
            nothing was, or where the reader left.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        super().__init__()
        self.name = name
        self.lost: OSError | None = None
        self._descriptor = descriptor
        self._is_dry = False

    def writable(self) -> bool:
        """Tell that this is for writing."""
        return True

    def fileno(self) -> int:
        """Name the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return os.isatty(self._descriptor)

    def write(self, data: object, /) -> int:
        """Write what can be written; claim all of it once nothing more can."""
        view = memoryview(data).cast("B")  # type: ignore[arg-type]
        if self._is_dry:
            return len(view)
        try:
            return self._write(view)
        except OSError as error:
            self._is_dry = True
            if error.errno not in _LEFT:
                self.lost = error
            return len(view)

    def _write(self, view: memoryview) -> int:
        while True:
            try:
                return os.write(self._descriptor, view)
            except BlockingIOError:
                select.select([], [self._descriptor], [])


@contextmanager
def lasting_streams() -> Iterator[Drain | None]:
    """Put streams that cannot fail in the place of standard output and error.

    Yields:
        Where standard output ends; None where it is no stream of this process.
    """
    _fill_gaps()
    before = sys.stdout, sys.stderr
    drains = [_replaced(name) for name in ("stdout", "stderr")]
    try:
        yield drains[0]
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        sys.stdout, sys.stderr = before


def _fill_gaps() -> None:
    """Open the null device where a standard stream was closed (`>&-`).

    Else the next file that is opened gets its number, and whatever prints writes into that file.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            # It stays open as long as the process.
            stream = open(descriptor, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


def _replaced(name: str) -> Drain | None:
    stream = getattr(sys, name)
    if not isinstance(stream, io.TextIOWrapper):
        return None
    try:
        stream.flush()
        drain = Drain(stream.fileno(), f"<{name}>")
    except (OSError, ValueError):
        return None
    lasting = io.TextIOWrapper(
        io.BufferedWriter(drain),
        encoding=stream.encoding,
        # Formulas hold Greek letters, which not every terminal or log can take.
        errors="replace",
        line_buffering=name == "stderr" or drain.isatty(),
        write_through=stream.write_through,
    )
    setattr(sys, name, lasting)
    return drain
