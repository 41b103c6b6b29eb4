"""The pinned LR for a training script."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from lrfind.errors import ConfigError, Problem
from lrfind.lock.age import parse_age
from lrfind.lock.files import read_lock
from lrfind.lock.lock import Lock
from lrfind.lock.staleness import Kind, changes_since, refuse_stale


def pinned_lr(
    config: str | Path, max_age: str | timedelta | None = None, strict: bool = False
) -> float:
    """Return the LR that `lrfind pin` pinned for a config; imports no torch and runs nothing.

    Args:
        config: path of the config file; its lock stands beside it.
        max_age: `30d`, `12h` or a timedelta: refuse a pin that is older.
        strict: refuse a pin whose config, sources or versions changed since.

    Raises:
        StalePinError: the pin is too old, or, if strict, stale.
        InputError: there is no lock, or it is damaged.

    Example:
        `optimizer = AdamW(model.parameters(), lr=lrfind.pinned_lr("configs/digits.yaml"))`
    """
    return fresh_lock(Path(config), max_age, strict).lr


def fresh_lock(config: Path, max_age: str | timedelta | None, strict: bool) -> Lock:
    """Read a lock and refuse it as `pinned_lr` does."""
    lock = read_lock(config)
    if max_age is None and not strict:
        return lock
    if not config.is_file():
        what = "is missing; whether its pin is stale cannot be told"
        raise ConfigError(Problem(str(config), what, "check the path"))
    limit = parse_age(max_age) if isinstance(max_age, str) else max_age
    changes = changes_since(lock, config, max_age=limit)
    refuse_stale([c for c in changes if strict or c.kind is Kind.AGE], config)
    return lock
