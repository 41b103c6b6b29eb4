"""Files that are either the old one or the new one, whole."""

from __future__ import annotations

import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from lrfind.errors import OutputError, Problem


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


def claim_folder(folder: Path, names: tuple[str, ...]) -> None:
    """Make a folder and prove that files can be written into it, before any work is done.

    Args:
        folder: made with its parents where it is missing.
        names: the files that will be written; none of them may be a folder.

    Raises:
        OutputError: the folder cannot be made or written to, or a name in it is taken.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
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
