"""The LR that is known of a config: what was pinned, or what its last run suggested."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lrfind.errors import ConfigError, InputError, NoSuggestionError, Problem
from lrfind.intake import read_text
from lrfind.lock.files import lock_path, read_lock

MAX_BYTES = 1 << 30
"""Size above which a JSON file is not read as a report."""


class Source(StrEnum):
    """Who says which LR."""

    PIN = "pin"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class KnownLr:
    """An LR and where it is from.

    Attributes:
        lr: for the schedule of the config, a constant one where it names none.
        peak_lr: peak of warmup and decay; None where nobody knows it.
        source: the lock or the report.
        file: its path.
        told: when or how far it is to be trusted, `pinned 2026-01-31`.
    """

    lr: float
    peak_lr: float | None
    source: Source
    file: Path
    told: str


def known_lr(config: Path, source: Source | None = None) -> KnownLr:
    """Find the LR of a config: its pin, as `lrfind get` does, else that of its last run.

    Args:
        config: a config, or a `report.json` itself, which then decides.
        source: asks for one of the two.

    Raises:
        InputError: there is none, or its file is damaged.
        NoSuggestionError: the run gave no honest answer.
    """
    if _is_report(config):
        if source is Source.PIN:
            what, remedy = "is a report, which has no pin", "name its config, or leave out --from"
            raise InputError(Problem(str(config), what, remedy))
        return _reported(config)
    if source is Source.PIN or (source is None and lock_path(config).exists()):
        return _pinned(config)
    report = report_path(config)
    if not report.exists():
        lock = "" if source else f"is not pinned ({lock_path(config)}) and "
        what = f"{lock}has no report ({report})"
        remedy = f"lrfind run {config}, then lrfind apply; or name a report.json"
        raise InputError(Problem(str(config), what, remedy))
    return _reported(report)


def report_path(config: Path) -> Path:
    """Name the report that `lrfind run` writes for a config, `output.dir` taken into account.

    Raises:
        ConfigError: the config is wrong; one that is gone has the usual place.
    """
    from lrfind.config import load
    from lrfind.export import REPORT_FILE

    if not config.exists():
        raise ConfigError(Problem(str(config), "there is no such file", "check the path"))
    return load(config).output_folder / REPORT_FILE


def _pinned(config: Path) -> KnownLr:
    lock = read_lock(config)
    when = lock.pinned_at.partition("T")[0]
    how = " by hand" if lock.is_by_hand else ""
    return KnownLr(lock.lr, lock.peak_lr, Source.PIN, lock_path(config), f"pinned{how} {when}")


def _reported(path: Path) -> KnownLr:
    from lrfind.export import read_report

    report = read_report(path)
    found = report.suggestion
    if found is None:
        assert report.no_answer is not None
        why = report.no_answer
        raise NoSuggestionError(why.verdict, f"{path}: {why.reason}", why.remedy)
    told = f"verdict {found.verdict}"
    return KnownLr(found.lr, found.peak_lr, Source.REPORT, path, told)


def _is_report(path: Path) -> bool:
    """Tell a report from a config, which may be JSON as well."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    try:
        data = json.loads(read_text(path, MAX_BYTES, "check the path"))
    except (InputError, ValueError, RecursionError):
        return False
    return isinstance(data, dict) and {"curves", "suggestion"} <= data.keys()
