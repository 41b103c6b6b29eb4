"""What a path that a user named holds, in bounded time and memory."""

from __future__ import annotations

import codecs
import os
import select
import stat
from collections.abc import Iterator
from pathlib import Path

from lrfind.errors import InputError, Problem

SILENCE_S = 10.0
"""Longest wait for the next bytes of a pipe."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path, most: int, remedy: str, error: type[InputError] = InputError) -> str:
    """Read UTF-8 text from a regular file or a pipe; a byte order mark is dropped.

    Args:
        path: what the user named.
        most: bytes above which it is refused.
        remedy: what to do where it cannot be read.
        error: the kind of error to raise.

    Raises:
        InputError: it is missing, no file, too large, a silent pipe, or no UTF-8, with the line.
    """
    return as_text(read_bytes(path, most, remedy, error), path, error)


def as_text(data: bytes, path: Path, error: type[InputError] = InputError) -> str:
    """Decode what `read_bytes` gave; see `read_text`."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = data.count(b"\n", 0, failure.start) + 1
        what = "is UTF-16 text, not UTF-8" if data[:2] in _UTF16 else "is not UTF-8 text"
        raise error(Problem(f"{path}:{line}", what, "save the file as UTF-8")) from None


def read_bytes(path: Path, most: int, remedy: str, error: type[InputError] = InputError) -> bytes:
    """Read the bytes of a regular file or a pipe; see `read_text`."""

    def refusal(what: str) -> InputError:
        return error(Problem(str(path), what, remedy))

    try:
        # A pipe that nobody writes to must not hold the open.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            kind = os.fstat(descriptor).st_mode
            if stat.S_ISFIFO(kind):
                data = b"".join(_drained(descriptor, most))
            elif stat.S_ISCHR(kind) or stat.S_ISBLK(kind):
                raise refusal("is a device, not a file")
            else:
                with open(descriptor, "rb", closefd=False) as file:
                    data = file.read(most + 1)
        finally:
            os.close(descriptor)
    except TimeoutError:
        raise refusal(f"is a pipe that brought nothing for {SILENCE_S:g} s") from None
    except OSError as failure:
        raise refusal(f"cannot be read: {failure.strerror}") from None
    if len(data) > most:
        size = f"{most >> 20} MiB" if most >= 1 << 20 else f"{most >> 10} KiB"
        raise refusal(f"is larger than {size}, more than is ever needed")
    return data


def _drained(descriptor: int, most: int) -> Iterator[bytes]:
    """Read a pipe to its end, or until it has brought more than `most` bytes."""
    size = 0
    while size <= most:
        if not select.select([descriptor], [], [], SILENCE_S)[0]:
            raise TimeoutError
        part = os.read(descriptor, 1 << 16)
        if not part:
            return
        size += len(part)
        yield part
