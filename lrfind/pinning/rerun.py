"""Run what was pinned again, and ask trials whether the pin is still good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lrfind.blame import Blame
from lrfind.config import Config
from lrfind.lock.check import Rerun
from lrfind.lock.lock import Lock
from lrfind.pinning.seeds import answers_by_seed, noise_by_seed, whole_report
from lrfind.pinning.verify import verify as tried
from lrfind.ramp import Observer
from lrfind.refine.refinement import TrialObserver

if TYPE_CHECKING:
    from lrfind.distributed.group import Group


def rerun(
    config: Config,
    lock: Lock,
    *,
    verify: bool = False,
    observers: Sequence[Observer] = (),
    trial_observers: Sequence[TrialObserver] = (),
    blame: Blame | None = None,
    group: Group | None = None,
) -> Rerun:
    """Sweep again as the pin did, with the same seeds.

    Args:
        config: as it is now.
        lock: its pin.
        verify: whether to train briefly at the pinned LR and to either side as well.
        observers: told of every step.
        trial_observers: told of every trial.
        blame: kept up to date, for those who must say from outside what is being done.
        group: the processes that sweep together, and all make the same; None: this one alone.

    Raises:
        KeyboardInterrupt: it was interrupted.
        InputError: as `run_config`.
    """
    swept = config.with_seeds(len(lock.per_seed))
    report = whole_report(swept, observers, trial_observers, blame, group)
    found, curve = report.suggestion, report.curves[0]
    return Rerun(
        lr=found.lr if found else None,
        why_none=str(report.no_answer or ""),
        per_seed=answers_by_seed(report, config),
        noise=noise_by_seed(report),
        device=report.environment.device,
        verification=tried(config, lock, curve, trial_observers, blame, group) if verify else None,
    )
