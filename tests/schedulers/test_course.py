"""What a schedule is to a suggestion: its decay, its length, its words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.schedulers import CATALOG
from lrfind.schedulers.course import BASE_SHARE, MOST_POINTS, Course
from lrfind.schedulers.preview import preview, preview_at
from lrfind.spec import ScheduleSection

RMS = {
    ("constant", 0): 1.0,
    ("constant", 300): 1.0,
    ("warmup", 0): 1.0,
    ("plateau", 0): 1.0,
    ("cosine", 0): math.sqrt(3 / 8),
    ("cosine", 50): math.sqrt(3 / 8),
    ("onecycle", 0): math.sqrt(3 / 8),
    ("step", 0): math.sqrt((1 + 1e-2 + 1e-4 + 1e-6) / 4),
    ("multistep", 0): math.sqrt((2 + 1e-2 + 1e-4) / 4),
    # A triangle from 0.4 to 1 and back: the mean of a square between two ends a, b is (a²+ab+b²)/3.
    ("cyclic", 0): math.sqrt((0.16 + 0.4 + 1) / 3),
    ("exponential_sweep", 0): 1.0,
    ("linear_sweep", 0): 1.0,
}
"""Schedule and warmup → root mean square from the peak on, by hand."""


@pytest.mark.parametrize(("name", "warmup"), RMS)
def test_the_decay_is_that_of_the_closed_form(name: str, warmup: int) -> None:
    """Every bundled schedule's root mean square is what its formula integrates to."""
    share = Course(name, 1000, warmup).rms_share(0.1)

    assert share == pytest.approx(RMS[name, warmup], rel=5e-3)


def test_every_bundled_schedule_is_covered() -> None:
    """A new scheduler gets its figure here."""
    assert {name for name, _ in RMS} == set(CATALOG)


@given(
    name=st.sampled_from(sorted(CATALOG)),
    lr=st.floats(1e-6, 10),
    steps=st.integers(8, 400),
    warmup=st.integers(0, 6),
)
@settings(deadline=None, max_examples=80)
def test_the_decay_does_not_depend_on_the_lr(name: str, lr: float, steps: int, warmup: int) -> None:
    """Without absolute LRs among the arguments a schedule is the same at any LR."""
    course = Course(name, steps, warmup)

    assert 0.0 < course.rms_share(lr) <= 1.0
    assert course.rms_share(lr) == pytest.approx(course.rms_share(1.0), rel=1e-9)
    np.testing.assert_allclose(course.lrs(lr), lr * course.lrs(1.0), rtol=1e-9, atol=1e-300)


@given(share=st.floats(0.05, 0.95), later=st.floats(0.0, 1.0), gamma=st.floats(0.0, 1.0))
@settings(deadline=None, max_examples=60)
def test_who_decays_later_has_the_larger_share(share: float, later: float, gamma: float) -> None:
    """A staircase that holds its peak for longer lies nearer to a constant schedule."""
    first, second = (round(1000 * part) for part in (share, share + later * (1 - share)))
    shares = [
        Course("multistep", 1000, 0, {"milestones": [at], "gamma": gamma}).rms_share(1.0)
        for at in (first, second)
    ]

    assert shares[0] <= shares[1] + 1e-12


def test_a_long_run_is_read_at_few_steps() -> None:
    """A run of a thousand million updates costs no more than one of ten thousand."""
    course = Course("cosine", 10**9, 10**7)

    assert course.lrs(0.1).shape == (MOST_POINTS,)
    assert course.rms_share(0.1) == pytest.approx(math.sqrt(3 / 8), rel=1e-3)


@pytest.mark.parametrize("name", sorted(set(CATALOG) - {"plateau"}))
def test_some_steps_are_drawn_as_they_are_among_all(name: str) -> None:
    """Drawing a few steps of a run gives what the whole drawing has there."""
    at = np.array([0, 3, 9, 10, 57, 99])
    whole = preview(name, 0.1, 100, 10)

    np.testing.assert_array_equal(preview_at(at, name, 0.1, 100, 10), whole[at])


@pytest.mark.parametrize(
    ("args", "share"),
    [
        ({}, BASE_SHARE),
        ({"base_lr": 1e-3, "max_lr": 5e-3}, 0.2),
        ({"max_lr": 5e-3}, BASE_SHARE),
        ({"base_lr": 1e-3}, BASE_SHARE),
        ({"base_lr": 0.0, "max_lr": 5e-3}, BASE_SHARE),
        ({"base_lr": 1.0, "max_lr": 5e-3}, BASE_SHARE),
        ({"base_lr": [1e-3, 1e-4], "max_lr": [1e-2, 1e-3]}, BASE_SHARE),
    ],
)
def test_the_bounds_of_a_cycle_count_by_their_ratio(args: dict[str, Any], share: float) -> None:
    """Both bounds of a config give the ratio; where one is missing, or senseless, the usual one."""
    course = Course("cyclic", 800, 0, args)

    assert course.base_share == pytest.approx(share)
    lrs = course.lrs(0.1)
    assert lrs.max() == pytest.approx(0.1)
    assert lrs.min() == pytest.approx(0.1 * share, rel=0.02)
    assert Course("cosine", 800).base_share is None


def test_a_floor_makes_a_schedule_more_level() -> None:
    """`eta_min` is an LR of its own: the nearer it lies, the less the schedule decays."""
    floor = Course("cosine", 1000, 0, {"eta_min": 1e-3})

    assert floor.rms_share(1.0) < floor.rms_share(2e-3) < floor.rms_share(1.01e-3) <= 1.0
    assert floor.rms_share(1e-4) == pytest.approx(1.0)  # it rises


@pytest.mark.parametrize(
    ("course", "title"),
    [
        (Course("constant", 1000), "a constant schedule"),
        (Course("constant", 1000, 50), "a constant schedule after 50 steps of warmup"),
        (Course("warmup", 1000), "a constant schedule after its warmup"),
        (Course("plateau", 1000), "plateau, whose lr is constant until its metric stalls"),
        (Course("cosine", 315, 15), "cosine over 300 steps after 15 of warmup"),
        (Course("step", 1), "step over 1 step"),
        (Course("onecycle", 100), "onecycle over 100 steps, as its max_lr"),
        (Course("cyclic", 100), "cyclic over 100 steps, as its max_lr"),
    ],
)
def test_a_title_reads_after_for(course: Course, title: str) -> None:
    """It says which schedule, how long, and what the LR is there."""
    assert course.title == title


@pytest.mark.parametrize(
    ("section", "steps"),
    [
        ("cosine", 1000),
        ({"name": "cosine", "args": {"T_max": 300}, "warmup": 15}, 315),
        ({"name": "onecycle", "args": {"total_steps": 500}}, 500),
        ({"name": "step", "args": {"step_size": 30}}, 120),
        ({"name": "multistep", "args": {"milestones": [60, 30]}}, 80),
        ({"name": "cyclic", "args": {"step_size_up": 200}}, 1600),
        ({"name": "cyclic", "args": {"step_size_up": 200, "step_size_down": 50}}, 1000),
        ({"name": "warmup", "args": {"steps": 20}}, 200),
        ({"name": "linear_sweep", "args": {"steps": 90}}, 90),
        ({"name": "cosine", "args": {"T_max": 300}, "steps": 700}, 700),
        ({"name": "cosine", "args": {"eta_min": 1e-5}}, 1000),
        ({"name": "plateau", "args": {"patience": 3}}, 1000),
        ({"name": "cosine", "args": {"T_max": "x"}}, 1000),
        ({"name": "multistep", "args": {"milestones": "x"}}, 1000),
    ],
)
def test_a_run_is_as_long_as_its_arguments_ask_for(section: Any, steps: int) -> None:
    """A config that says when a schedule ends need not say it twice; its own `steps` wins."""
    assert ScheduleSection.model_validate(section).steps == steps
