"""Pages of every kind: one seed with trials, many seeds, no answer, nothing, several runs."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from sample_reports import clean_curve, report, suggestion, variants

from lrfind.html import save_comparison, save_page
from lrfind.refine import Trial
from lrfind.report import NoAnswer, Report
from lrfind.suggest.answer import Note, Verdict

EVIL = """</script><script>window.hacked=1</script><img src=x onerror="window.hacked=2">"""
"""What runs in a page that escapes nothing."""

SPEC = {
    "seed": 0,
    "model": {"target": "train.py:build_model", "args": {"hidden": 64}},
    "sweep": {"start_lr": 1e-7, "end_lr": 10.0, "steps": 200},
    "suggest": {"method": "steepest", "args": {}},
}

NOTES = (
    Note("few-steps", "the sweep has 200 steps", "take more: --set sweep.steps=400"),
    Note("odd", "a second thing was seen", "look at it"),
)

TRIALS = (
    Trial(1e-3, 0.41, 60, False),
    Trial(3.2e-3, 0.21, 60, False),
    Trial(1e-2, 0.18, 60, False),
    Trial(3e-2, 0.33, 60, False),
    Trial(1e-1, math.inf, 12, True),
)


def tried() -> Report:
    """One seed with trials, notes and a config."""
    return report(clean_curve(), trials=TRIALS, notes=NOTES, spec=SPEC)


def ten_seeds() -> Report:
    """Ten seeds of a thousand points."""
    per_seed = tuple(2e-3 * 1.1**i for i in range(10))
    curves = [clean_curve(seed, steps=1000) for seed in range(10)]
    return report(*curves, answer=suggestion(per_seed=per_seed), spec=SPEC, notes=NOTES)


def empty() -> Report:
    """A run that measured nothing."""
    return report(no_answer=NoAnswer(Verdict.NO_SIGNAL, "nothing was measured", "run it again"))


def evil() -> Report:
    """Hostile text in every place that others write."""
    return replace(
        report(clean_curve(), answer=suggestion(reason=f"because {EVIL}")),
        title=f"title {EVIL}",
        notes=(Note(EVIL, f"note {EVIL}", f"advice {EVIL}"),),
        spec={EVIL: {"key": [EVIL, "\u2028 {{ 7 * 7 }} ]]> <!--"]}},
        environment=replace(tried().environment, device=EVIL, versions={EVIL: EVIL}),
    )


NAMES = ("tried", "ten", "flat", "empty", "evil", "compared")


def write(name: str, folder: Path) -> Path:
    """Write the page of one kind."""
    path = folder / f"{name}.html"
    if name == "compared":
        kinds = variants()
        chosen = {"a run": "clean", "its seeds": "seeds", "noise": "noisy", "nothing": "flat"}
        labelled = [(label, kinds[kind]) for label, kind in chosen.items()]
        save_comparison([*labelled, (EVIL, evil()), ("empty", empty())], path)
        return path
    makers = {"tried": tried, "ten": ten_seeds, "empty": empty, "evil": evil}
    save_page(makers[name]() if name in makers else variants()[name], path)
    return path
