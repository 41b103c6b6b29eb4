"""Checks of pins as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lrfind.console.check_words import advice, findings
from lrfind.lock.check import Check, exit_code, worst

SCHEMA = 1


def check_json(checks: Sequence[Check]) -> str:
    """Write everything that was found: sorted keys, one value a line."""
    return json.dumps(check_data(checks), indent=2, sort_keys=True, allow_nan=False) + "\n"


def check_data(checks: Sequence[Check]) -> dict[str, Any]:
    """Turn checks into plain data that any strict JSON reader accepts."""
    return {
        "schema": SCHEMA,
        "state": worst(checks).value,
        "exit_code": int(exit_code(checks)),
        "checks": [_one(check) for check in checks],
    }


def _one(check: Check) -> dict[str, Any]:
    lock, rerun = check.lock, check.rerun
    trials = rerun.verification if rerun else None
    per_seed = rerun.per_seed if rerun else {}
    return {
        "config": check.config.as_posix(),
        "state": check.state.value,
        "lr": lock.lr if lock else None,
        "pinned_at": lock.pinned_at if lock else None,
        "tolerance_decades": lock.tolerance_decades if lock else None,
        "found_lr": rerun.lr if rerun else None,
        "decades": check.decades,
        "noise_decades": check.noise_decades,
        "device": rerun.device if rerun else None,
        "per_seed": {str(seed): lr for seed, lr in per_seed.items()},
        "trials": [trial.to_data() for trial in trials.trials] if trials else [],
        "changes": [
            {
                "kind": change.kind.value,
                "what": change.what,
                "file": change.file.as_posix() if change.file else None,
                "line": change.line,
                "is_stale": change.is_stale,
            }
            for change in check.changes
        ],
        "findings": findings(check),
        "advice": advice(check),
    }
