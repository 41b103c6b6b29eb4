"""The project that a config belongs to, and the digests of its files."""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lrfind.errors import InputError, Problem
from lrfind.registry import is_file

MARKS = (".git", "pyproject.toml")
"""What stands at the root of a project."""

_PIECE = 1 << 20
"""Bytes of a file that are held at once: a table may be large."""

_INSTALLED = {"site-packages", "dist-packages"}
_PACKAGE = Path(__file__).resolve().parents[1]


def project_root(config: Path) -> Path:
    """Find the project of a config: the nearest folder above it with a mark, else its own."""
    folder = config.resolve().parent
    marked = (
        parent for parent in (folder, *folder.parents) if any((parent / m).exists() for m in MARKS)
    )
    return next(marked, folder)


def source_files(config: Path) -> list[Path]:
    """List the user's own source files that this process has imported, in order.

    Those inside the config's project: not what is installed, not lrfind, not the standard library.
    """
    root = project_root(config)
    standard = Path(sysconfig.get_path("stdlib")).resolve()
    found = set()
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if not isinstance(path, str) or not path.endswith(".py"):
            continue
        source = Path(path).resolve()
        if not source.is_relative_to(root) or not source.is_file():
            continue
        if _INSTALLED & set(source.parts) or source.is_relative_to(_PACKAGE):
            continue
        if not source.is_relative_to(standard):
            found.add(source)
    return sorted(found)


def digests(files: Iterable[Path], config: Path) -> dict[str, str]:
    """Hash files, by their paths relative to the lock, with forward slashes."""
    folder = config.resolve().parent
    return {
        Path(os.path.relpath(file.resolve(), folder)).as_posix(): _digest(file) for file in files
    }


def changed_files(pinned: Mapping[str, str], config: Path) -> dict[str, str]:
    """Compare files with the digests in a lock.

    Returns:
        Path as the lock has it, to what happened: `changed` or `is gone`.

    Raises:
        InputError: a path leads out of the project.
    """
    folder, root = config.resolve().parent, project_root(config)
    changes = {}
    for name, digest in pinned.items():
        path = (folder / name).resolve()
        if not path.is_relative_to(root):
            what = f"names {name}, which lies outside of the project {root}"
            remedy = f"mark the project's root with .git or pyproject.toml, or: lrfind pin {config}"
            raise InputError(Problem(f"lock of {config}", what, remedy))
        if not is_file(path):
            changes[name] = "is gone"
        elif _digest(path) != digest:
            changes[name] = "changed"
    return changes


def _digest(path: Path) -> str:
    try:
        found = hashlib.sha256()
        with path.open("rb") as file:
            for part in _with_plain_line_ends(iter(lambda: file.read(_PIECE), b"")):
                found.update(part)
        return found.hexdigest()
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise InputError(Problem(str(path), what, "check its permissions")) from None


def _with_plain_line_ends(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Turn CR LF into LF: Git may check a file out with other line ends than it was pinned with."""
    kept = b""
    for part in parts:
        text = kept + part
        # The other half of a line end may come with the next part.
        kept = text[-1:] if text.endswith(b"\r") else b""
        yield text[: len(text) - len(kept)].replace(b"\r\n", b"\n")
    yield kept
