"""The LR for a schedule: how it follows from the one for a constant LR."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lrfind.curve import Curve
from lrfind.schedulers import CATALOG
from lrfind.schedulers.course import Course
from lrfind.suggest import suggest
from lrfind.suggest.judgement import REACH
from lrfind.suggest.purpose import PEAK_RATIO, peak_ratio
from lrfind.suggest.reading import read_curve

sys.path.insert(0, str(Path(__file__).parent))
from suggest_shapes import classic

SHARES = st.floats(0.02, 1.0)


@dataclass(frozen=True)
class Decay:
    """A schedule that is nothing but its decay."""

    share: float
    base_share: float | None = None
    title: str = "decay"

    def rms_share(self, lr: float) -> float:
        """Tell it."""
        return self.share


def test_the_law_passes_through_both_known_answers() -> None:
    """A constant schedule has ratio 1; half a cosine nearly that of `peak_lr`."""
    assert peak_ratio(1.0) == 1.0
    assert peak_ratio(math.sqrt(3 / 8)) == pytest.approx(PEAK_RATIO, rel=0.1)


@given(first=SHARES, second=SHARES)
def test_more_decay_never_asks_for_a_lower_lr(first: float, second: float) -> None:
    """The ratio falls as the schedule becomes level."""
    assume(first < second)

    assert peak_ratio(first) > peak_ratio(second) >= 1.0


@given(first=SHARES, second=SHARES, seed=st.integers(0, 20))
@settings(deadline=None, max_examples=40)
def test_the_answer_follows_the_decay(first: float, second: float, seed: int) -> None:
    """Between the constant answer and the rise, in the order of the decay."""
    curve = classic(seed)
    constant, rise = suggest([curve]).lr, read_curve(curve).rise_lr
    low, high = sorted([first, second])
    answers = [suggest([curve], purpose=Decay(share)).lr for share in (high, low)]

    assert rise is not None
    assert constant <= answers[0] <= answers[1] <= max(rise, constant)


@pytest.mark.parametrize("name", ["constant", "warmup", "plateau"])
@pytest.mark.parametrize("seeds", [1, 3])
def test_a_level_schedule_leaves_every_number_as_it_was(name: str, seeds: int) -> None:
    """Only the words change."""
    curves = [classic(seed) for seed in range(seeds)]
    before, after = suggest(curves), suggest(curves, purpose=Course(name, 500))

    for field in ("lr", "peak_lr", "low", "high", "verdict", "per_seed", "method"):
        assert getattr(after, field) == getattr(before, field)
    assert after.schedule == Course(name, 500).title
    assert after.reason == f"{before.reason}; for {after.schedule}"


@pytest.mark.parametrize("name", CATALOG)
@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_every_bundled_schedule_has_an_answer(name: str, seeds: int) -> None:
    """Its LR is the law's, its range surrounds it, and `peak_lr` answers what it always did."""
    curves = [classic(seed) for seed in range(seeds)]
    course = Course(name, 400, 10)
    constant, answer = suggest(curves), suggest(curves, purpose=course)
    ratio = peak_ratio(course.rms_share(constant.lr))

    assert answer.lr == pytest.approx(ratio * constant.lr)
    assert answer.low == pytest.approx(answer.lr / REACH)
    assert answer.lr < answer.high <= answer.lr * REACH * (1 + 1e-9)
    assert answer.peak_lr == constant.peak_lr
    assert answer.per_seed == pytest.approx([ratio * lr for lr in constant.per_seed])
    assert answer.reason.endswith(f"for {course.title}")
    if name == "cyclic":
        assert answer.base_lr == pytest.approx(0.4 * answer.lr)
        assert answer.max_lr == answer.lr
    else:
        assert answer.base_lr is None
        assert answer.max_lr is None


def test_the_reason_says_how_far_it_lies_from_the_constant_lr() -> None:
    """Its numbers are the ratio and the LR that it multiplies."""
    constant = suggest([classic()]).lr
    reason = suggest([classic()], purpose=Course("cosine", 315, 15)).reason

    expected = f"; 1.63 × the constant {constant:.1e}, for cosine over 300 steps after 15 of warmup"
    assert reason.endswith(expected)


@given(factor=st.floats(1e-3, 1e3), name=st.sampled_from(["cosine", "step", "cyclic", "onecycle"]))
@settings(deadline=None, max_examples=40)
def test_an_answer_for_a_schedule_moves_with_the_lr(factor: float, name: str) -> None:
    """A sweep at c times the LRs has c times every answer."""
    curve, course = classic(), Course(name, 300)
    before = suggest([curve], purpose=course)
    after = suggest([Curve(curve.lr * factor, curve.loss)], purpose=course)

    assert (after.base_lr is None) == (name != "cyclic")
    for was, now in (
        (before.lr, after.lr),
        (before.low, after.low),
        (before.high, after.high),
        (before.base_lr or 0.0, after.base_lr or 0.0),
    ):
        assert now == pytest.approx(factor * was, rel=1e-6)


def test_no_schedule_is_answered_beyond_the_rise() -> None:
    """However fast it decays, its peak does not start where training has exploded."""
    curve = classic()
    answer = suggest([curve], purpose=Decay(1e-4))

    assert answer.lr == answer.high == read_curve(curve).rise_lr
