"""Sweeps of several seeds, whole or not at all, and what each seed says by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lrfind.blame import Blame
from lrfind.config import Config
from lrfind.curve import StopReason
from lrfind.errors import NoSuggestionError
from lrfind.experiment import run_config
from lrfind.ramp import Observer
from lrfind.refine.refinement import TrialObserver
from lrfind.report import Report
from lrfind.smoothing import noise_scale, running_median, starting_loss
from lrfind.suggest.panel import find_rule, suggest_by

if TYPE_CHECKING:
    from lrfind.distributed.group import Group

LEAST_NOISE = 1e-5
"""Least share of the fall that counts as noise: with whole-data batches only rounding is left."""

TINY = 1e-300


def whole_report(
    config: Config,
    observers: Sequence[Observer] = (),
    trial_observers: Sequence[TrialObserver] = (),
    blame: Blame | None = None,
    group: Group | None = None,
) -> Report:
    """Run a config to its end.

    Raises:
        KeyboardInterrupt: it was interrupted; half of the seeds say nothing of a pin.
        InputError: as `run_config`.
    """
    report = run_config(config, observers, trial_observers, blame, group)
    cut = any(curve.stop is StopReason.INTERRUPTED for curve in report.curves)
    if cut or any(note.code == "refine-interrupted" for note in report.notes):
        raise KeyboardInterrupt
    return report


def answers_by_seed(report: Report, config: Config) -> Mapping[int, float | None]:
    """Read each seed's own answer, None where it has none."""
    section = config.spec.suggest
    rule = find_rule(section.method, section.args, config.rule_folder)
    answers: dict[int, float | None] = {}
    for curve in report.curves:
        try:
            answers[curve.seed] = suggest_by(rule, [curve], section.method, section.args).lr
        except NoSuggestionError:
            answers[curve.seed] = None
    return answers


def noise_by_seed(report: Report) -> dict[int, float]:
    """Measure each seed's noise from batch to batch, as a share of the loss's fall.

    σ / (start − floor), at most 1 and at least `LEAST_NOISE`; it goes with 1/√(batch size), where
    the suggested LR may hardly move.
    """
    shares = {}
    for curve in report.curves:
        loss = curve.loss[np.isfinite(curve.loss)]
        sigma = noise_scale(loss)
        fall = starting_loss(loss) - float(np.min(running_median(loss))) if len(loss) else 0.0
        shares[curve.seed] = max(sigma / max(fall, sigma, TINY), LEAST_NOISE)
    return shares
