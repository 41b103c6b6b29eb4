"""Sweep a config with several seeds and make a lock of what they say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lrfind.blame import Blame
from lrfind.config import Config
from lrfind.curve_csv import to_csv
from lrfind.errors import NoSuggestionError
from lrfind.lock.age import now
from lrfind.lock.choice import Choice
from lrfind.lock.lock import BY_HAND, Lock
from lrfind.lock.project import digests, source_files
from lrfind.lock.staleness import pinned_values
from lrfind.lock.tolerance import USUAL_NOISE_DECADES, tolerance_decades
from lrfind.lock.versions import versions_here
from lrfind.pinning.seeds import answers_by_seed, noise_by_seed, whole_report
from lrfind.pinning.tables import data_files
from lrfind.ramp import Observer
from lrfind.refine.refinement import TrialObserver
from lrfind.report import Report

if TYPE_CHECKING:
    from lrfind.distributed.group import Group

PIN_SEEDS = 5
"""Sweeps of a pin where neither the config nor an option asks for more."""


def pin(
    config: Config,
    *,
    seeds: int | None = None,
    choice: Choice | None = None,
    observers: Sequence[Observer] = (),
    trial_observers: Sequence[TrialObserver] = (),
    blame: Blame | None = None,
    group: Group | None = None,
) -> Lock:
    """Sweep a config with several seeds and make a lock of what they say; writes nothing.

    Args:
        config: whose LR is pinned.
        seeds: sweeps; None: as many as the config asks for, at least `PIN_SEEDS`.
        choice: pin this LR instead; the sweeps then tell what later ones must come out at.
        observers: told of every step.
        trial_observers: told of every trial, where the config refines.
        blame: kept up to date, for those who must say from outside what is being done.
        group: the processes that sweep together, and all make the same; None: this one alone.

    Raises:
        NoSuggestionError: the sweeps hold no answer, and no LR was chosen.
        KeyboardInterrupt: the sweeps were interrupted; nothing can be pinned.
        InputError: as `run_config`.
    """
    count = seeds or max(config.spec.sweep.seeds, PIN_SEEDS)
    report = whole_report(config.with_seeds(count), observers, trial_observers, blame, group)
    found = report.suggestion
    if choice is not None:
        lr, peak_lr, method, reason = choice.lr, None, BY_HAND, choice.reason
    elif found is not None:
        lr, peak_lr, method, reason = found.lr, found.peak_lr, found.method, found.reason
    else:
        raise _refusal(report)
    per_seed, noise = answers_by_seed(report, config), noise_by_seed(report)
    return Lock(
        lr=lr,
        swept_lr=found.lr if found else None,
        peak_lr=peak_lr,
        low=found.low if found else None,
        high=found.high if found else None,
        method=method,
        verdict=(found or _refusal(report)).verdict,
        reason=reason,
        per_seed=per_seed,
        tolerance_decades=tolerance_decades([lr for lr in per_seed.values() if lr is not None]),
        noise=noise,
        noise_tolerance_decades=tolerance_decades(list(noise.values()), USUAL_NOISE_DECADES),
        config=digests([config.path], config.path),
        config_digest=config.spec.digest(),
        spec=pinned_values(config.spec),
        sources=digests([*source_files(config.path), *data_files(config)], config.path),
        curve_digest=hashlib.sha256(to_csv(report.curves).encode()).hexdigest(),
        versions=versions_here(),
        device=report.environment.device,
        pinned_at=now(),
    )


def _refusal(report: Report) -> NoSuggestionError:
    none = report.no_answer
    if none is None:
        raise ValueError("a report without a suggestion says why")
    return NoSuggestionError(none.verdict, none.reason, none.remedy)
