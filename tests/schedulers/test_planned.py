"""A schedule over a run is checked as a whole before anyone draws it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.schedulers import CATALOG, ArgumentError
from lrfind.schedulers.planned import plan
from lrfind.schedulers.preview import complete, preview


@given(
    name=st.sampled_from(sorted(CATALOG)),
    lr=st.floats(1e-6, 10),
    steps=st.integers(8, 300),
    warmup=st.integers(0, 5),
)
@settings(deadline=None, max_examples=60)
def test_a_plan_is_the_preview_with_its_peak(name: str, lr: float, steps: int, warmup: int) -> None:
    """LRs, length and highest LR are those of `preview`, and each is a finite number ≥ 0."""
    planned = plan(name, lr, steps, warmup)

    np.testing.assert_array_equal(planned.lrs, preview(name, lr, steps, warmup))
    assert planned.steps == steps
    assert planned.lrs[planned.peak] == planned.lrs.max() > 0
    assert (planned.lrs[: planned.peak] < planned.lrs[planned.peak]).all()
    assert planned.python.startswith("from lrfind.schedulers import ")


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("step", {"gamma": "abc"}, r"step: cannot be drawn with gamma = 'abc': .+StepLR"),
        ("step", {"gamma": math.nan}, r"gamma = nan leads to LR nan at step 250"),
        ("step", {"gamma": 5.0, "step_size": 1}, r"leads to LR inf at step \d+"),
        ("multistep", {"milestones": 5}, r"milestones = 5.+not iterable"),
        ("multistep", {"milestones": ["a"]}, r"multistep: cannot be drawn"),
        ("cosine", {"eta_min": -1.0}, r"eta_min = -1.0 leads to LR -\d.+; an LR is a finite"),
        ("cosine", {"eta_min": None}, r"cannot be drawn with eta_min = None"),
        ("cyclic", {"base_lr": -1}, r"base_lr = -1 leads to LR -1 at step 0"),
        ("cyclic", {"scale_fn": "x"}, r"not callable"),
        ("onecycle", {"div_factor": 0}, r"div_factor = 0: .+division"),
        ("step", {"gama": 1}, r"did you mean 'gamma'\?"),
        ("cosin", {}, r"did you mean 'cosine'\?"),
    ],
)
def test_arguments_without_sense_are_told(name: str, args: dict[str, Any], message: str) -> None:
    """Wrong kinds and values that lead nowhere are one error with the argument in it."""
    with pytest.raises(ArgumentError, match=message):
        plan(name, 0.1, 1000, args=args)


@pytest.mark.parametrize("lr", [0.0, -1.0, math.inf, math.nan])
def test_the_lr_is_a_finite_positive_number(lr: float) -> None:
    """No run starts from an LR that is none."""
    with pytest.raises(ArgumentError, match=r"must be a finite number > 0"):
        plan("cosine", lr, 100)


@pytest.mark.parametrize(
    ("name", "warmup", "text"),
    [
        ("constant", 0, "1.0e-01 at every step"),
        ("constant", 50, "1.0e-01 from step 50 on"),
        ("cosine", 50, "1.0e-01 at step 50"),
        ("linear_sweep", 0, "1.0e-01 at step 999"),
    ],
)
def test_the_peak_is_told_in_words(name: str, warmup: int, text: str) -> None:
    """Where the highest LR stands, and whether it stays there."""
    assert plan(name, 0.1, 1000, warmup).peak_text == text


def test_the_settings_hide_what_an_lr_does_not_show() -> None:
    """Momentum cycles too, but no LR shows that."""
    planned = plan("cyclic", 3e-4, 1000, args={"cycle_momentum": False})

    assert planned.settings == "base_lr = 0.00012, max_lr = 0.0003, step_size_up = 125"
    assert "cycle_momentum=False" in planned.python


def test_a_cycles_base_is_a_round_number() -> None:
    """The base LR that is filled in reads as a person would write it."""
    assert complete("cyclic", lr=3e-4, steps=100)["base_lr"] == 1.2e-04
