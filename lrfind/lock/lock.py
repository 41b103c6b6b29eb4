"""A pin as a frozen value, and its versioned JSON form."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from lrfind.strict_json import read_json

SCHEMA = 1
# History of the schema. A key that is added, and that readers can do without, does not raise it; a
# key that changes or goes does.
#   1  first version

BY_HAND = "by hand"
"""`method` of a pin whose LR a person chose."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A pinned LR, how it was found, and from what.

    Attributes:
        lr: the pinned LR.
        swept_lr: what the sweeps said when it was pinned: `lr` itself unless pinned by hand; None
            where they gave no answer.
        peak_lr: peak of a warmup + decay schedule; None where pinned by hand.
        low: lower end of the usable range; None where there was no answer.
        high: upper end of it.
        method: the rule, or `BY_HAND`.
        verdict: how far the sweeps are to be trusted, one of `lrfind.suggest.Verdict`.
        reason: one sentence: the rule's with numbers, or that of who pinned by hand.
        per_seed: seed to its own answer, None where it had none.
        tolerance_decades: distance from `lr` within which a new answer counts as the same.
        noise: seed to the loss's noise from batch to batch, as a share of its fall.
        noise_tolerance_decades: distance within which new noise counts as the same.
        config: each file the config was read from, relative to the lock, to its SHA-256.
        config_digest: `Spec.digest` of the resolved config.
        spec: the resolved config's values that are no defaults, by dotted key.
        sources: each source file of the user's, relative to the lock, to its SHA-256.
        curve_digest: SHA-256 of the curves as CSV.
        versions: lrfind, torch and python.
        device: where it was measured, `cpu`, `cuda:0 (NVIDIA …)`.
        pinned_at: UTC, ISO 8601, to the second.
    """

    lr: float
    swept_lr: float | None
    peak_lr: float | None
    low: float | None
    high: float | None
    method: str
    verdict: str
    reason: str
    per_seed: Mapping[int, float | None]
    tolerance_decades: float
    noise: Mapping[int, float]
    noise_tolerance_decades: float
    config: Mapping[str, str]
    config_digest: str
    spec: Mapping[str, Any]
    sources: Mapping[str, str]
    curve_digest: str
    versions: Mapping[str, str]
    device: str
    pinned_at: str

    @property
    def is_by_hand(self) -> bool:
        """Tell a person's choice from a sweep's answer."""
        return self.method == BY_HAND

    @property
    def reference_lr(self) -> float | None:
        """The LR that a new sweep must come out at; None where none can be expected."""
        return self.swept_lr if self.is_by_hand else self.lr


def to_json(lock: Lock) -> str:
    """Serialise a lock: sorted keys, one value a line, a final newline."""
    data = asdict(lock) | {"schema": SCHEMA}
    for name in ("per_seed", "noise"):
        # JSON's keys are texts.
        data[name] = {str(seed): value for seed, value in data[name].items()}
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str) -> Lock:
    """Read back what `to_json` wrote.

    Keys that are not known are ignored; whatever is known is checked to the last digit, since a
    wrong LR is worse than none.

    Raises:
        ValueError: no JSON (see `lrfind.strict_json`), another schema, a key missing, a value of
            the wrong type or out of its bounds.
    """
    data = read_json(text)
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        found = data.get("schema") if isinstance(data, dict) else type(data).__name__
        raise ValueError(f"schema {found!r} is not {SCHEMA}")
    values = {}
    for field in fields(Lock):
        if field.name not in data:
            raise ValueError(f"{field.name} is missing")
        try:
            values[field.name] = _READERS[field.name](data[field.name])
        except (TypeError, ValueError, OverflowError) as error:
            shown = json.dumps(data[field.name])
            shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
            raise ValueError(f"{field.name} = {shown} {error}") from None
    return Lock(**values)


def _rate(value: Any) -> float:
    # `True` is an int to Python.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("is no number")
    if not 0 < float(value) < math.inf:
        raise ValueError("is not positive and finite")
    return float(value)


def _rate_or_none(value: Any) -> float | None:
    return None if value is None else _rate(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("is no text")
    return value


def _digest(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise ValueError("is no SHA-256 in hexadecimal")
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("is no mapping")
    return value


def _texts(value: Any) -> dict[str, str]:
    return {key: _text(text) for key, text in _mapping(value).items()}


def _files(value: Any) -> dict[str, str]:
    for path in _mapping(value):
        # Written by hand, a path could point anywhere.
        if not path or path.startswith("/") or any(c in path for c in "\\:\0"):
            raise ValueError(f"names {path!r}, which is no relative path with forward slashes")
    return {path: _digest(digest) for path, digest in value.items()}


def _seeds(value: Any) -> dict[int, float | None]:
    if not _mapping(value):
        raise ValueError("names no seed")
    if not all(key.isascii() and key.isdecimal() for key in value):
        raise ValueError("has a key that is no whole number")
    return {int(key): _rate_or_none(lr) for key, lr in value.items()}


def _noise(value: Any) -> dict[int, float]:
    return {seed: _rate(share) for seed, share in _seeds(value).items()}


def _time(value: Any) -> str:
    if datetime.fromisoformat(_text(value)).tzinfo is None:
        raise ValueError("has no time zone")
    return _text(value)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "lr": _rate,
    "swept_lr": _rate_or_none,
    "peak_lr": _rate_or_none,
    "low": _rate_or_none,
    "high": _rate_or_none,
    "method": _text,
    "verdict": _text,
    "reason": _text,
    "per_seed": _seeds,
    "tolerance_decades": _rate,
    "noise": _noise,
    "noise_tolerance_decades": _rate,
    "config": _files,
    "config_digest": _digest,
    "spec": _mapping,
    "sources": _files,
    "curve_digest": _digest,
    "versions": _texts,
    "device": _text,
    "pinned_at": _time,
}
