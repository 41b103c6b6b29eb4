"""The closed forms: exact, without drift, and the same for numbers, arrays and tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.schedulers import (
    ArgumentError,
    cosine_annealing,
    cyclic_lr,
    exponential_sweep,
    linear_sweep,
    multistep_decay,
    one_cycle,
    step_decay,
    warmup_factor,
)
from lrfind.schedulers.forms.plateau import PlateauRule, PlateauState, advance, reduced

FORMS: dict[str, Callable[[Any], Any]] = {
    "step": lambda t: step_decay(t, 7, 0.5),
    "multistep": lambda t: multistep_decay(t, [30, 5, 5, 17], 0.5),
    "multistep without milestones": lambda t: multistep_decay(t, []),
    "cosine": lambda t: cosine_annealing(t, 0.1, 13, 0.01),
    "triangular": lambda t: cyclic_lr(t, 0.01, 0.1, 5, 3),
    "triangular2": lambda t: cyclic_lr(t, 0.01, 0.1, 5, 3, "triangular2"),
    "exp_range": lambda t: cyclic_lr(t, 0.01, 0.1, 5, None, "exp_range", 0.9),
    "saw-tooth": lambda t: cyclic_lr(t, 0.01, 0.1, 5, 0),
    "own height": lambda t: cyclic_lr(t, 0.01, 0.1, 5, scale_fn=lambda x: 1 / x),
    "one cycle": lambda t: one_cycle(t, 0.1, 40),
    "one cycle, three phases": lambda t: one_cycle(t, 0.1, 40, 0.4, "linear", three_phase=True),
    "one cycle, no rise": lambda t: one_cycle(t, 0.1, 40, 1 / 40),
    "linear warmup": lambda t: warmup_factor(t, 9, 0.1),
    "constant warmup": lambda t: warmup_factor(t, 9, 0.1, "constant"),
    "exponential warmup": lambda t: warmup_factor(t, 9, 0.1, "exponential"),
    "no warmup": lambda t: warmup_factor(t, 0),
    "exponential sweep": lambda t: exponential_sweep(t, 1e-7, 10.0, 40),
    "linear sweep": lambda t: linear_sweep(t, 1e-7, 10.0, 40),
}


@pytest.mark.parametrize("name", FORMS)
def test_arrays_and_tensors_give_what_numbers_give(name: str) -> None:
    """A form over an array, a tensor or a vmapped tensor equals itself step by step."""
    form = FORMS[name]
    one_by_one = [form(t) for t in range(40)]
    steps = torch.arange(40, dtype=torch.float64)

    assert all(isinstance(value, float) for value in one_by_one)
    np.testing.assert_allclose(form(np.arange(40)), one_by_one, rtol=1e-12)
    np.testing.assert_allclose(form(steps).numpy(), one_by_one, rtol=1e-12)
    np.testing.assert_allclose(torch.func.vmap(form)(steps).numpy(), one_by_one, rtol=1e-12)


sweeps = st.sampled_from([exponential_sweep, linear_sweep])


@settings(max_examples=200, deadline=None)
@given(sweeps, st.floats(-9, 0), st.floats(0.1, 9), st.integers(2, 2000))
def test_a_sweep_rises_from_one_end_to_the_other(
    sweep: Callable[..., float], start: float, decades: float, steps: int
) -> None:
    """The first and last LR are the arguments to the bit, and every LR is above the one before."""
    start_lr, end_lr = 10**start, 10 ** (start + decades)

    lrs = [sweep(t, start_lr, end_lr, steps) for t in range(steps)]

    assert lrs[0] == start_lr
    assert lrs[-1] == end_lr
    assert all(a < b for a, b in pairwise(lrs))
    assert sweep(-1, start_lr, end_lr, steps) == start_lr
    assert sweep(steps, start_lr, end_lr, steps) == end_lr


def test_an_exponential_sweep_multiplies_by_one_factor() -> None:
    """Neighbouring LRs of an exponential sweep have one ratio, of a linear one a difference."""
    exponential = np.array([exponential_sweep(t, 1e-7, 10.0, 200) for t in range(200)])
    linear = np.array([linear_sweep(t, 1e-7, 10.0, 200) for t in range(200)])

    np.testing.assert_allclose(exponential[1:] / exponential[:-1], 1e8 ** (1 / 199), rtol=1e-12)
    np.testing.assert_allclose(np.diff(linear), (10.0 - 1e-7) / 199, rtol=1e-11)


def test_a_million_steps_do_not_drift() -> None:
    """After 10⁶ steps periodic schedules return to the bit, and the others to rounding."""
    far = 1_000_000

    assert cosine_annealing(far, 0.1, 500) == 0.1
    assert cosine_annealing(far + 500, 0.1, 500, 0.01) == 0.01
    assert cosine_annealing(far + 123, 0.1, 500) == cosine_annealing(123, 0.1, 500)
    assert cyclic_lr(far + 3, 0.01, 0.1, 5) == cyclic_lr(3, 0.01, 0.1, 5)
    exact = float(Fraction(0.999) ** (far // 1000))
    assert step_decay(far, 1000, 0.999) == pytest.approx(exact, rel=1e-13)
    assert step_decay(far, 1, 1.1) == math.inf


REJECTED: dict[str, tuple[Callable[[], Any], str]] = {
    "step size": (lambda: step_decay(0, 0), "step_size = 0 must be ≥ 1"),
    "gamma": (lambda: step_decay(0, 1, -0.1), "gamma = -0.1 must be ≥ 0"),
    "milestone gamma": (lambda: multistep_decay(0, [1], -1), "MultiStepLR: gamma = -1"),
    "T_max": (lambda: cosine_annealing(0, 0.1, 0), "T_max = 0 must be > 0"),
    "no rise": (lambda: cyclic_lr(0, 0.1, 1, 0), "step_size_up = 0 must be > 0"),
    "fall": (lambda: cyclic_lr(0, 0.1, 1, 1, -1), "step_size_down = -1 must be ≥ 0"),
    "mode": (lambda: cyclic_lr(0, 0.1, 1, 1, mode="cats"), "mode = 'cats' must be one of"),
    "no steps": (lambda: one_cycle(0, 0.1, 0), "total_steps = 0 must be ≥ 1"),
    "share": (lambda: one_cycle(0, 0.1, 9, 1.1), "pct_start = 1.1 must be in"),
    "strategy": (lambda: one_cycle(0, 0.1, 9, 0.3, "cats"), "anneal_strategy = 'cats'"),
    "warmup": (lambda: warmup_factor(0, -1), "steps = -1 must be ≥ 0"),
    "zero start": (lambda: warmup_factor(0, 5, 0.0), "start_factor = 0.0 must be in"),
    "kind": (lambda: warmup_factor(0, 5, 0.1, "cats"), "kind = 'cats' must be one of"),
    "metric": (lambda: PlateauRule(mode="up"), "mode = 'up' must be 'min' or 'max'"),
    "threshold": (lambda: PlateauRule(threshold_mode="x"), "threshold_mode = 'x'"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_senseless_arguments_are_refused_with_rule_and_remedy(name: str) -> None:
    """An argument without sense is a ValueError that says where, what, rule and remedy."""
    call, text = REJECTED[name]
    with pytest.raises(ArgumentError) as caught:
        call()

    assert isinstance(caught.value, ValueError)
    assert text in str(caught.value)
    assert caught.value.problems[0].remedy


def test_the_plateau_machine_waits_reduces_and_cools_down() -> None:
    """Patience bad evaluations are borne, the next reduces, and cooldown forgives as many."""
    rule = PlateauRule(patience=2, cooldown=3)
    state = PlateauState(rule.worst)
    decisions = []
    for _ in range(14):
        state, reduces = advance(rule, state, 1.0)
        decisions.append(reduces)

    assert [t for t, reduces in enumerate(decisions) if reduces] == [3, 9]
    assert state.best == 1.0


def test_a_reduction_stops_at_the_floor_and_spares_tiny_changes() -> None:
    """An LR falls by the factor, not below min_lr, and not at all by less than eps."""
    assert reduced(0.5, 0.1) == pytest.approx(0.05)
    assert reduced(0.5, 0.1, min_lr=0.2) == 0.2
    assert reduced(1e-8, 0.1) == 1e-8
