"""From a sweep to a tried answer: the budget, what trials change, and what they leave alone."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lrfind.curve import Curve, StopReason, Track
from lrfind.refine.answer import conclude, start_lr
from lrfind.refine.climb import Climb, Gate, Purse
from lrfind.refine.refinement import Refinement, refine
from lrfind.refine.schedule import TrialSchedule
from lrfind.refine.trial import Trial
from lrfind.schedulers.course import Course
from lrfind.seed_sweeps import sweep_seeds
from lrfind.spec import RefineSection
from lrfind.suggest import Suggestion, Verdict, suggest
from lrfind.suggest.purpose import PEAK_RATIO
from lrfind.workload.workload import Workload

sys.path.insert(0, str(Path(__file__).parents[1] / "workload"))
from workload_models import Net, plain, workload

COSINE = TrialSchedule()
SWEEP = {"start_lr": 1e-5, "end_lr": 10.0, "steps": 100}
STATED = Suggestion(1e-2, 2e-2, 5e-3, 2e-2, "auto", Verdict.OK, "loss fell", (1e-2,))


def swept(work: Workload) -> tuple[list[Curve], Suggestion]:
    """Sweep a workload and read its curves."""
    curves = sweep_seeds(work, work.sweep, 0, [])
    return curves, suggest(curves)


def refined(
    work: Workload, *, schedule: TrialSchedule = COSINE, observers: Any = (), **section: Any
) -> tuple[Suggestion, list[Curve], Refinement]:
    """Sweep and refine."""
    curves, suggestion = swept(work)
    section_of = RefineSection(**section)
    return suggestion, curves, refine(work, curves, suggestion, section_of, schedule, observers)


def concluded(
    losses: dict[int, float], *, suggestion: Suggestion = STATED, schedule: TrialSchedule = COSINE
) -> tuple[Suggestion, list[str]]:
    """Conclude from losses on rungs around a start."""
    climb = Climb(start_lr(suggestion, schedule), Purse(1000, 100))
    for rung, loss in losses.items():
        climb.tried[rung] = Trial(climb.lr(rung), loss, 100, math.isinf(loss))
    outcome = conclude(suggestion, climb, Gate(2.0, 0.1), schedule)
    return outcome.suggestion, [note.code for note in outcome.notes]


@pytest.mark.parametrize("budget", [60, 130, 170, 200, 350, 600])
@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.AdamW])
def test_sweep_and_trials_stay_within_the_budget(budget: int, optimizer: type) -> None:
    """Whatever is left after the sweep, updates and evaluations together do not exceed it."""
    before, curves, found = refined(workload(Net, optimizer=optimizer, **SWEEP), budget=budget)
    judging = math.ceil(16 / 3)  # 16 batches of 8, a forward pass a third of an update
    spent = sum(map(len, curves))
    spent += sum(trial.steps + judging for trial in found.trials) + judging * bool(found.trials)

    assert spent <= budget or not found.trials
    if not found.trials:
        assert found.suggestion == before
        assert [note.code for note in found.notes] == ["refine-no-budget"]
    else:
        assert len(found.trials) >= 3


@pytest.mark.parametrize(
    "sweep",
    [
        {"seeds": 3, "steps": 40},
        {"accumulate": 2},
        {"clip_grad_norm": 1.0},
        {"precision": "bf16"},
    ],
    ids=lambda sweep: next(iter(sweep)),
)
def test_trials_go_with_every_way_to_train(sweep: dict[str, Any]) -> None:
    """Several seeds, accumulation, clipping and autocast: trials train as the sweep did."""
    _, _, found = refined(workload(Net, **{**SWEEP, **sweep}), budget=700)

    assert len(found.trials) >= 3
    assert found.suggestion.method == "auto+trials"
    assert f"{len(found.trials)} trials of " in found.suggestion.reason


def test_the_tried_answer_trains_at_least_as_well() -> None:
    """A sweep's answer that is far too low is put right."""
    work = workload(Net, optimizer=torch.optim.AdamW, **SWEEP)
    curves, suggestion = swept(work)
    off = replace(suggestion, lr=1e-2, peak_lr=2e-2, low=5e-3, high=2e-2)
    found = refine(work, curves, off, RefineSection(budget=800), COSINE)

    assert found.suggestion.peak_lr > 3 * off.peak_lr
    best = min(found.trials, key=lambda trial: trial.loss)
    assert best.loss < found.trials[0].loss


class Watch:
    """An observer that keeps what it is told."""

    def __init__(self, interrupt_at: int = -1) -> None:
        self.begun: list[tuple[int, int]] = []
        self.ended: list[Trial | None] = []
        self.interrupt_at = interrupt_at

    def begin_trial(self, index: int, lr: float, steps: int) -> None:
        """Keep it, or break off."""
        self.begun.append((index, steps))
        if index == self.interrupt_at:
            raise KeyboardInterrupt

    def end_trial(self, trial: Trial | None) -> None:
        """Keep it."""
        self.ended.append(trial)


def test_observers_see_every_trial() -> None:
    """They are told of each beginning and end, in order."""
    watch = Watch()
    _, _, found = refined(workload(**SWEEP), observers=[watch])

    assert [index for index, _ in watch.begun] == list(range(len(found.trials)))
    assert tuple(watch.ended) == found.trials


def test_an_interrupt_keeps_the_sweeps_answer_and_what_was_tried() -> None:
    """Ctrl-C in the third trial leaves two trials and the suggestion as it was."""
    before, _, found = refined(workload(**SWEEP), observers=[Watch(interrupt_at=2)])

    assert found.is_interrupted
    assert found.suggestion == before
    assert len(found.trials) == 2
    assert [note.code for note in found.notes] == ["refine-interrupted"]


def test_an_interrupt_before_the_first_trial_keeps_the_answer() -> None:
    """Also while the model is built or the initial loss measured."""
    calls: Sequence[None] = []

    def model() -> nn.Module:
        calls.append(None)  # type: ignore[attr-defined]
        if len(calls) == 2:
            raise KeyboardInterrupt
        return plain()

    before, _, found = refined(workload(model, **SWEEP))

    assert found == Refinement(before, (), found.notes, is_interrupted=True)


def test_data_that_are_used_up_leave_the_answer_alone() -> None:
    """A one-shot iterator that the sweep emptied is told, and no error."""
    x, y = torch.randn(8, 4), torch.randn(8, 1)
    for batches, stop in ((40, StopReason.EXHAUSTED), (101, StopReason.COMPLETED)):
        data = iter([(x, y)] * batches)
        curves, _ = [Track().curve(seed=0, stop=stop, initial_loss=None)], None
        work = workload(plain, data=data, batch_size=None, **{**SWEEP, "end_lr": 0.3})
        curves = sweep_seeds(work, work.sweep, 0, [])
        found = refine(work, curves, STATED, RefineSection(), COSINE)

        assert curves[0].stop is stop
        assert found == Refinement(STATED, (), found.notes)
        assert [note.code for note in found.notes] == ["refine-no-data"]


def test_under_a_decaying_schedule_the_trials_find_the_peak() -> None:
    """The LR of a constant schedule follows at the ratio that sweeps use; the range moves along."""
    found, codes = concluded({0: 1.0, 2: 0.5, 4: 1.0, 1: 0.8})

    assert codes == []
    assert found.method == "auto+trials"
    assert found.lr == pytest.approx(found.peak_lr / PEAK_RATIO)
    assert found.low / found.lr == pytest.approx(STATED.low / STATED.lr)
    assert found.low <= found.lr <= found.high
    assert "loss 0.5 (1 at the sweep's 2.0e-02)" in found.reason


@pytest.mark.parametrize("name", ["cosine", "step", "onecycle", "cyclic", "plateau"])
def test_under_a_named_schedule_the_trials_find_its_lr(name: str) -> None:
    """They start from its own lr, and all other LRs move along with it."""
    schedule = TrialSchedule(Course(name, 1000))
    before = replace(STATED, schedule=name, base_lr=2e-3 if name == "cyclic" else None)
    found, _ = concluded({0: 1.0, 2: 0.5, 4: 1.0, 1: 0.8}, suggestion=before, schedule=schedule)
    moved = found.lr / before.lr

    assert start_lr(before, schedule) == before.lr
    assert 2 < moved < 4
    assert found.schedule == name
    for now, was in (
        (found.peak_lr, before.peak_lr),
        (found.low, before.low),
        (found.high, before.high),
        *([(found.base_lr, before.base_lr)] if name == "cyclic" else []),
    ):
        assert now == pytest.approx(moved * was)
    assert found.max_lr == (found.lr if name == "cyclic" else None)
    assert f"under {name} end lowest at lr " in found.reason


def test_under_a_constant_schedule_the_trials_find_the_lr() -> None:
    """They start from the sweep's constant LR and answer with one."""
    level = TrialSchedule(Course("constant", 1000))
    found, _ = concluded({0: 1.0, 2: 2.0, -2: 2.0, -1: 1.5}, schedule=level)

    assert found.lr == pytest.approx(STATED.lr, rel=0.15)
    assert found.peak_lr / found.lr == pytest.approx(STATED.peak_lr / STATED.lr)


@pytest.mark.parametrize(
    ("losses", "verdict", "expected", "codes"),
    [
        ({0: 1.0, 2: 1.2, -2: 1.3, 1: 1.1}, Verdict.OK, Verdict.OK, []),
        ({0: 1.0, 2: 1.2, -2: 1.3}, Verdict.LOW_CONFIDENCE, Verdict.LOW_CONFIDENCE, []),
        ({0: 1.0, 2: 1.2, -2: 1.3}, Verdict.NEVER_DIVERGED, Verdict.OK, []),
        ({0: 1.0, 2: 0.8, 4: 0.6}, Verdict.NEVER_DIVERGED, Verdict.NEVER_DIVERGED, ["refine-open"]),
        (
            {0: 1.0, 2: 0.8, 4: 0.6, 6: 0.4, 8: 0.6, 7: 0.5},
            Verdict.OK,
            Verdict.LOW_CONFIDENCE,
            ["refine-far"],
        ),
        (
            {0: math.inf, -2: math.inf, -4: math.inf},
            Verdict.OK,
            Verdict.LOW_CONFIDENCE,
            ["refine-diverged"],
        ),
        ({0: 1.95, 2: 1.97, -2: 1.96, -1: 1.99}, Verdict.OK, Verdict.OK, ["refine-no-fall"]),
    ],
)
def test_the_verdict_changes_only_where_trials_contradict_the_sweep(
    losses: dict[int, float], verdict: Verdict, expected: Verdict, codes: list[str]
) -> None:
    """Agreement leaves it; a bracket overrules never-diverged; distance and failure lower it."""
    stated = replace(STATED, verdict=verdict)
    found, told = concluded(losses, suggestion=stated)

    assert found.verdict is expected
    assert told == codes
    assert found.low <= found.lr <= found.peak_lr
    assert found.lr <= found.high
    if codes == ["refine-no-fall"]:
        assert found == stated


def test_the_usable_range_ends_below_a_divergence() -> None:
    """An LR at which a trial diverged is not called usable."""
    wide = replace(STATED, high=1.0)
    found, _ = concluded({0: 1.0, 2: math.inf, -2: 1.2, -1: 1.1}, suggestion=wide)

    assert found.high == pytest.approx(STATED.peak_lr * 10**0.5)


def test_a_step_of_the_users_own_is_tried_as_well() -> None:
    """Any step that the sweep can drive, the trials can."""

    def step(model: nn.Module, batch: Any, index: int) -> Tensor:
        x, y = batch
        return ((model(x) - y) ** 2).mean() + 0.0 * index

    _, _, found = refined(workload(step=step, **SWEEP))

    assert len(found.trials) >= 3
