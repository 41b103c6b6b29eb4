"""Where locks stand, and how they are read and written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from lrfind.errors import InputError, Problem
from lrfind.intake import read_bytes
from lrfind.lock.lock import Lock, from_json, to_json

SUFFIX = ".lrlock.json"

CONFIG_SUFFIXES = (".yaml", ".yml", ".json")
"""How a config may end whose lock is found in a folder, tried in this order."""

MAX_BYTES = 2**20
"""Size above which a file is not read as a lock."""


def lock_path(config: Path) -> Path:
    """Name the lock of a config: `configs/digits.lrlock.json` for `configs/digits.yaml`."""
    return config.with_name(config.stem + SUFFIX)


def read_lock(config: Path) -> Lock:
    """Read the lock of a config.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = lock_path(config)
    renew = f"pin anew: lrfind pin {config}"
    if not path.exists():
        remedy = f"pin it: lrfind pin {config}"
        raise InputError(Problem(str(path), f"there is no lock of {config}", remedy))
    data = read_bytes(path, MAX_BYTES, renew)
    try:
        return from_json(data.decode())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = "is no lock: it is not UTF-8 text"
        raise InputError(Problem(f"{path}:{line}", what, renew)) from None
    except ValueError as error:
        raise InputError(Problem(str(path), f"is no lock: {error}", renew)) from None


def old_lock(config: Path) -> Lock | None:
    """Read the lock that a new one will replace; None where there is none, or a damaged one."""
    try:
        return read_lock(config)
    except InputError:
        return None


def claim_lock(config: Path) -> None:
    """Prove that a lock can be written beside a config, before any work is done.

    Raises:
        OutputError: it cannot.
    """
    from lrfind.atomic import claim_folder

    claim_folder(config.parent, (lock_path(config).name,))


def write_lock(lock: Lock, config: Path) -> Path:
    """Write the lock of a config, atomically, and name it.

    Raises:
        OutputError: the folder cannot be written to; the old lock still stands.
    """
    from lrfind.atomic import write_atomically

    path = lock_path(config)
    write_atomically(path, to_json(lock).encode())
    return path


def pinned_configs(folder: Path) -> Iterator[Path]:
    """Find the configs below a folder that have a lock, in order of path.

    Hidden folders are not looked into. A lock whose config is gone gives the path where it would
    stand.
    """
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(SUFFIX):
                yield _config_of(Path(parent, name))


def _config_of(path: Path) -> Path:
    stem = path.name.removesuffix(SUFFIX)
    candidates = [path.with_name(stem + suffix) for suffix in CONFIG_SUFFIXES]
    return next((config for config in candidates if config.is_file()), candidates[0])
