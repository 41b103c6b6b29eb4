"""What a path that a user named holds, in bounded time and memory."""

from __future__ import annotations

import codecs
import os
import select
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from lrfind.errors import InputError, Problem

BLOCK_BYTES = 1 << 23
"""Size of what is read of a long file at a time: less than a tenth of a million points."""

SILENCE_S = 10.0
"""Longest wait for the next bytes of a pipe."""

_PART_BYTES = 1 << 20

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


def read_bytes(path: Path, most: int, remedy: str, error: type[InputError] = InputError) -> bytes:
    """Read the bytes of a regular file or a pipe; see `read_text`."""
    return b"".join(_parts(path, most, remedy, error))


def read_blocks(path: Path, most: int, remedy: str, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Read a regular file or a pipe in blocks of about `size` bytes, each of whole lines.

    Only the last block may end without a line break, as the file does.

    Raises:
        InputError: it is missing, no file, too large or a silent pipe.
    """
    begun, length = [b""], 0
    for part in _parts(path, most, remedy, InputError):
        begun.append(part)
        length += len(part)
        end = part.rfind(b"\n") + 1
        # What a pipe brings at once may be little.
        if length >= size and end:
            begun[-1] = part[:end]
            yield b"".join(begun)
            begun, length = [part[end:]], len(part) - end
    if rest := b"".join(begun):
        yield rest


def as_text(
    data: bytes, path: Path, error: type[InputError] = InputError, *, first_line: int = 1
) -> str:
    """Decode what `read_bytes` gave, or a block that begins at a line; see `read_text`."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = data.count(b"\n", 0, failure.start) + first_line
        what = "is UTF-16 text, not UTF-8" if data[:2] in _UTF16 else "is not UTF-8 text"
        raise error(Problem(f"{path}:{line}", what, "save the file as UTF-8")) from None


def _parts(path: Path, most: int, remedy: str, error: type[InputError]) -> Iterator[bytes]:
    """Read a file from its beginning to its end, or until it has brought more than `most`."""

    def refusal(what: str) -> InputError:
        return error(Problem(str(path), what, remedy))

    try:
        # A pipe that nobody writes to must not hold the open.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            kind = os.fstat(descriptor).st_mode
            if stat.S_ISFIFO(kind):
                parts = _drained(descriptor)
            elif stat.S_ISCHR(kind) or stat.S_ISBLK(kind):
                raise refusal("is a device, not a file")
            else:
                parts = iter(partial(os.read, descriptor, _PART_BYTES), b"")
            read = 0
            for part in parts:
                read += len(part)
                if read > most:
                    unit, power = ("MiB", 20) if most >= 1 << 20 else ("KiB", 10)
                    raise refusal(
                        f"is larger than {most >> power} {unit}, more than is ever needed"
                    )
                yield part
        finally:
            os.close(descriptor)
    except TimeoutError:
        raise refusal(f"is a pipe that brought nothing for {SILENCE_S:g} s") from None
    except OSError as failure:
        raise refusal(f"cannot be read: {failure.strerror}") from None


def _drained(descriptor: int) -> Iterator[bytes]:
    """Read a pipe to its end, as it comes."""
    while select.select([descriptor], [], [], SILENCE_S)[0]:
        part = os.read(descriptor, _PART_BYTES)
        if not part:
            return
        yield part
    raise TimeoutError
