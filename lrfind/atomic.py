"""Files that are either the old one or the new one, whole."""

from __future__ import annotations

import os
import re
import secrets
import stat
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from lrfind.errors import OutputError, Problem

ABANDONED_S = 10.0
"""Time without a write after which a half written file has nobody who will finish it."""


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there, so that no reader sees half of it.

    Raises:
        OutputError: the folder is missing or not writable, or the disk is full; what stood at
            `path` before still does.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(
            Problem(
                str(path),
                f"cannot be written: {error.strerror}",
                "name another folder, or free this one",
            )
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def replace_together(files: Mapping[Path, bytes]) -> None:
    """Replace files that exist, all of them or none, and keep the permissions of each.

    All are written beside their places before the first is moved there.

    Raises:
        OutputError: a folder is not writable or the disk is full; every file is as it was. Should
            a move itself fail, those before it are made, which the message says.
    """
    staged: dict[Path, Path] = {}
    moved: list[str] = []
    path = Path()
    try:
        for path, data in files.items():
            staged[path] = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
            with staged[path].open("xb") as file:
                file.write(data)
            staged[path].chmod(stat.S_IMODE(path.stat().st_mode))
        for path, temporary in staged.items():
            temporary.replace(path)
            moved.append(str(path))
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        done = f"; written before it: {', '.join(moved)}" if moved else ""
        raise OutputError(Problem(str(path), what + done, "free its folder")) from error
    finally:
        for temporary in staged.values():
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def claim_folder(folder: Path, names: tuple[str, ...], *, room_bytes: int = 1) -> None:
    """Make a folder and prove that files can be written into it, before any work is done.

    What a killed process left half written under one of the names is taken away.

    Args:
        folder: made with its parents where it is missing.
        names: the files that will be written; none of them may be a folder.
        room_bytes: that there must be room for.

    Raises:
        OutputError: the folder cannot be made or written to, or a name in it is taken.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            _reserve(file.fileno(), room_bytes)
    except OSError as error:
        raise OutputError(
            Problem(
                str(folder),
                f"is no folder that can be written to: {error.strerror}",
                "name another folder, or free this one",
            )
        ) from error
    for name in names:
        if (folder / name).is_dir():
            raise OutputError(
                Problem(str(folder / name), "is a folder; a file must stand here", "move it away")
            )
        _sweep_up(folder, name)


def _reserve(descriptor: int, room_bytes: int) -> None:
    """Take room on the disk, without writing all of it where the system can do that."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, room_bytes)
    else:
        os.write(descriptor, bytes(room_bytes))


def _sweep_up(folder: Path, name: str) -> None:
    """Delete what was being written when a process was killed; what is still written is young."""
    stale = re.compile(rf"\.{re.escape(name)}\.[0-9a-f]{{8}}")
    for path in folder.iterdir():
        if stale.fullmatch(path.name):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > ABANDONED_S:
                    path.unlink()
