"""What changed since an LR was pinned, found without training and without torch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from lrfind.errors import Problem, StalePinError
from lrfind.lock.age import age_of
from lrfind.lock.lock import Lock
from lrfind.lock.project import changed_files
from lrfind.lock.versions import changed_versions, is_decisive, versions_here

MOST_KEYS = 6
"""Changed keys of a config that are named one by one."""


_DEFAULT = "its default"


class Kind(StrEnum):
    """What a change is a change of."""

    CONFIG = "config"
    SOURCE = "source"
    VERSION = "version"
    DEVICE = "device"
    AGE = "age"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was when the LR was pinned.

    Attributes:
        kind: what it is a change of.
        what: in words, with the values (`examples/digits.py changed`).
        file: the file that changed, as a path from the working directory; None for no file.
        line: its line, where one is known.
        is_stale: whether the pin can no longer be relied on; else it is only told.
    """

    kind: Kind
    what: str
    file: Path | None = None
    line: int | None = None
    is_stale: bool = True

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


def changes_since(
    lock: Lock,
    config: Path,
    *,
    max_age: timedelta | None = None,
    ignore_versions: bool = False,
) -> tuple[Change, ...]:
    """Compare a lock with the files, versions and time of now; what makes it stale comes first.

    A config is parsed only where its bytes differ, so that a changed comment changes nothing.

    Args:
        lock: of `config`.
        config: path of the config file.
        max_age: age above which a pin is stale; None for any.
        ignore_versions: whether versions are told only.

    Raises:
        InputError: a path in the lock leads out of the project.
        ConfigError: the config changed and cannot be read any more.
    """
    found = [
        *_config_changes(lock, config),
        *_source_changes(lock, config),
        *_version_changes(lock, ignore_versions),
        *_age_changes(lock, max_age),
    ]
    return tuple(sorted(found, key=lambda change: not change.is_stale))


def refuse_stale(changes: Iterable[Change], config: Path) -> None:
    """Let a pin pass that nothing makes stale.

    Raises:
        StalePinError: naming everything that changed.
    """
    told = [str(change) for change in changes if change.is_stale]
    if told:
        remedy = f"look at what changed, then: lrfind pin {config}"
        raise StalePinError(Problem(str(config), f"its pin is stale: {'; '.join(told)}", remedy))


def flat_spec(data: Mapping[str, Any], key: str = "") -> dict[str, Any]:
    """Lay nested mappings out by dotted key; lists stay whole."""
    flat: dict[str, Any] = {}
    for name, value in data.items():
        inner = f"{key}.{name}" if key else str(name)
        if isinstance(value, Mapping) and value:
            flat |= flat_spec(value, inner)
        else:
            flat[inner] = value
    return flat


def pinned_values(spec: Any) -> dict[str, Any]:
    """Lay a `Spec` out as a lock holds it: what is no default, and decides the result."""
    others = {"distributed", "output"}
    return flat_spec(spec.model_dump(mode="json", exclude_defaults=True, exclude=others))


def _config_changes(lock: Lock, config: Path) -> Iterator[Change]:
    if not changed_files(lock.config, config) and config.is_file():
        return
    from lrfind.config import load

    loaded = load(config)
    if loaded.spec.digest() == lock.config_digest:
        return
    pinned, now = lock.spec, pinned_values(loaded.spec)
    keys = [
        key
        for key in sorted(pinned.keys() | now.keys())
        if pinned.get(key, _DEFAULT) != now.get(key, _DEFAULT)
    ]
    for key in keys[:MOST_KEYS]:
        what = f"{key} was {pinned.get(key, _DEFAULT)}, now {now.get(key, _DEFAULT)}"
        file, _, line = loaded.where(key).rpartition(":")
        yield Change(Kind.CONFIG, what, Path(file or config), int(line) if file else None)
    if len(keys) > MOST_KEYS:
        yield Change(Kind.CONFIG, f"{len(keys) - MOST_KEYS} more keys changed", config)
    if not keys:
        yield Change(Kind.CONFIG, "a default changed", config)


def _source_changes(lock: Lock, config: Path) -> Iterator[Change]:
    for name, happened in changed_files(lock.sources, config).items():
        file = Path(os.path.normpath(config.parent / name))
        yield Change(Kind.SOURCE, f"{file.as_posix()} {happened}", file)


def _version_changes(lock: Lock, ignore: bool) -> Iterator[Change]:
    here = versions_here()
    for package, what in changed_versions(lock.versions, here).items():
        decisive = is_decisive(package, lock.versions[package], here[package])
        yield Change(Kind.VERSION, what, is_stale=decisive and not ignore)


def _age_changes(lock: Lock, max_age: timedelta | None) -> Iterator[Change]:
    if max_age is not None and (age := age_of(lock)) > max_age:
        yield Change(Kind.AGE, f"pinned {_days(age)} ago, more than {_days(max_age)}")


def _days(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"
