"""The relative size of updates: levels found where they were put, and what they change."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suggest_shapes import ANSWERED, REFUSED, SWEEP, classic, fall, noise, rise

from lrfind.curve import Curve
from lrfind.errors import NoSuggestionError
from lrfind.smoothing import Floats
from lrfind.suggest import CATALOG, Verdict, diagnose, read_curve, suggest
from lrfind.suggest.points import decades
from lrfind.suggest.updates import LARGE, SMALL, read_updates

WIDTH = 5.0


def ratio(large_from: float, seed: int = 0, sigma: float = 0.1, lr: Floats = SWEEP) -> Floats:
    """Updates in proportion to the LR, with a little noise, `LARGE` at `large_from`."""
    wobble = np.random.default_rng(seed).standard_normal(len(lr))
    return LARGE * lr / large_from * np.exp(sigma * wobble)


def with_updates(curve: Curve, large_from: float) -> Curve:
    """Give a curve updates that are large from a given LR on."""
    return replace(curve, update_ratio=ratio(large_from, lr=curve.lr))


@pytest.mark.parametrize("every", [1, 5])
def test_levels_are_found_where_they_were_put(every: int) -> None:
    """Both levels lie within a tenth of a decade of the truth, of one update in five too."""
    measured = np.where(np.arange(200) % every == 0, ratio(0.5), np.nan)
    updates = read_updates(SWEEP, measured, WIDTH)

    assert updates is not None
    assert abs(decades(updates.large_from, 0.5)) < 0.1
    assert abs(decades(updates.small_until, 0.5 * SMALL / LARGE)) < 0.1


def test_beyond_the_range_updates_grow_with_the_lr() -> None:
    """A level that is not reached is told by proportion."""
    updates = read_updates(SWEEP, ratio(400.0, sigma=0.0), WIDTH)

    assert updates is not None
    assert updates.large_from == pytest.approx(400.0)


@pytest.mark.parametrize(
    "found",
    [
        None,
        np.full(200, np.nan),
        np.zeros(200),
        np.where(np.arange(200) < 5, 0.1, np.nan),
        np.append(np.nan, 1.0 / np.arange(1, 200)),
        np.maximum(1.0 / np.arange(1, 201), 0.088),
    ],
    ids=["none", "nan", "zero", "five", "from-zero-weights", "from-tiny-weights"],
)
def test_updates_that_tell_nothing_are_none(found: Floats | None) -> None:
    """Too few, unmeasured and zero updates are not read, and none of weights near zero."""
    assert read_updates(SWEEP, found, WIDTH) is None


def test_weights_that_grew_from_zero_hold_no_answer_back() -> None:
    """Updates that stay at the growth of the LR, 9 % at 25 steps a decade, are not large."""
    tiny = replace(classic(), update_ratio=np.full(200, 0.088))

    assert suggest([tiny]).lr == suggest([classic()]).lr


def test_large_updates_hold_the_answer_back_half_way() -> None:
    """The answer is the geometric mean of the loss's own and the LR of large updates."""
    alone = suggest([classic()]).lr
    held = suggest([with_updates(classic(), alone / 100)])

    assert abs(decades(held.lr, alone / 10)) < 0.05
    assert "held back: updates pass 30% at" in held.reason


def test_updates_that_are_small_at_the_answer_change_nothing() -> None:
    """Where updates become large only above the answer, the loss alone decides."""
    assert suggest([with_updates(classic(), 1.0)]).lr == suggest([classic()]).lr


def test_a_rise_while_updates_are_tiny_is_told_and_doubted() -> None:
    """A loss that rises before updates reach 1 % of the weights gives low confidence, and a note.

    The answer itself stays: an ill-conditioned problem may diverge like that.
    """
    early = with_updates(classic(), 1e3)
    answer = suggest([early])

    assert answer.verdict is Verdict.LOW_CONFIDENCE
    assert "with updates still below 1% of the weights" in answer.reason
    assert answer.lr == suggest([classic()]).lr
    note = next(note for note in diagnose([early], answer) if note.code == "rose-early")
    assert "sweep.stop.factor=.inf" in note.advice


@pytest.mark.parametrize("method", CATALOG)
@pytest.mark.parametrize("shape", ["constant", "pure noise"])
def test_a_flat_curve_is_refused_however_large_its_updates(shape: str, method: str) -> None:
    """The size of updates alone is no answer: weight decay moves weights of any loss."""
    with pytest.raises(NoSuggestionError, match="passed 30% of the weights at 3") as caught:
        suggest([with_updates(REFUSED[shape][0](), 3.0)], method)

    assert caught.value.verdict == "no-signal"
    assert caught.value.remedy == "check that the loss depends on the parameters"


def test_a_flat_curve_whose_updates_stay_small_may_need_more_range() -> None:
    """Where updates stay small up to the end of the range, the end comes first in the advice."""
    with pytest.raises(NoSuggestionError, match="did not rise up to") as caught:
        suggest([with_updates(REFUSED["pure noise"][0](), 1e3)])

    assert caught.value.verdict == "no-signal"
    assert caught.value.remedy.startswith("raise sweep.end_lr")


def test_a_nan_after_updates_that_moved_nothing_is_no_rise() -> None:
    """A loss that held while updates replaced the weights does not depend on them: no answer.

    Weights that decay at a huge LR overflow under any loss. Where the NaN comes at once with large
    updates it may be a divergence too sudden to be seen, and is answered in doubt.
    """
    broken = ANSWERED["noise, then nan"][0]()
    nan_lr = float(broken.lr[-1])

    sudden = suggest([with_updates(broken, nan_lr / 2)])
    assert sudden.verdict is Verdict.LOW_CONFIDENCE
    for method in ("auto", "before_rise"):
        with pytest.raises(NoSuggestionError, match="without having risen, though") as caught:
            suggest([with_updates(broken, nan_lr / 10)], method)
        assert caught.value.verdict == "no-signal"


def test_points_keep_their_update_when_reordered() -> None:
    """A shuffled curve with updates gives the answer of the ordered one."""
    curve = with_updates(classic(), 1e-3)
    order = np.random.default_rng(0).permutation(200)
    assert curve.update_ratio is not None
    shuffled = Curve(curve.lr[order], curve.loss[order], update_ratio=curve.update_ratio[order])

    assert suggest([shuffled]) == suggest([curve])


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), place=st.floats(-4, 2), log_factor=st.floats(-6, 6))
def test_updates_move_with_the_lr(seed: int, place: float, log_factor: float) -> None:
    """LR · c multiplies an answer that is held back by c too; a·L + b leaves it alone."""
    curve = replace(classic(seed), update_ratio=ratio(10.0**place, seed))
    factor = 10.0**log_factor
    before = suggest([curve])
    moved = suggest([replace(curve, lr=curve.lr * factor)])
    shifted = suggest([replace(curve, loss=3.0 * curve.loss - 7.0)])

    assert moved.lr == pytest.approx(factor * before.lr, rel=1e-6)
    assert shifted.lr == pytest.approx(before.lr, rel=1e-6)
    assert before.verdict == moved.verdict == shifted.verdict


@settings(deadline=None, max_examples=80)
@given(found=st.lists(st.floats(), min_size=1, max_size=60), log_start=st.floats(-300, 200))
def test_any_updates_survive(found: list[float], log_start: float) -> None:
    """Whatever was recorded, also negative, infinite and subnormal: levels or None, no warning."""
    lr = 10.0 ** (log_start + 0.1 * np.arange(len(found)))
    updates = read_updates(lr, np.array(found), WIDTH)

    if updates is not None:
        assert math.isfinite(updates.large_from)
        assert lr[0] < updates.large_from
        assert 0.0 < updates.small_until <= updates.large_from


# What else decides whether a fall is believed, and which.


def test_a_second_valley_behind_a_lost_fall_is_not_read() -> None:
    """Once a deep fall is lost again, what falls later is a damaged model repairing itself."""
    lr = SWEEP
    first = fall(lr, 1e-5) + 2.0 / (1 + (2e-4 / lr) ** 3)
    loss = first - 1.9 / (1 + (1e-2 / lr) ** 3) + rise(lr, 3.0) + noise(0.05)
    reading = read_curve(Curve(lr, loss))

    assert 1e-5 < reading.min_lr < 3e-4
    assert reading.rise_lr is not None
    assert reading.rise_lr < 1e-3


def test_noise_that_grows_with_the_lr_is_no_fall() -> None:
    """A fall that is clear beside the quiet start, but not beside the noise around it, is none."""
    believed = 0
    for seed in range(100):
        loss = 2.3 + noise(1.0, seed) * np.where(SWEEP < 1e-4, 1e-6, 1e-2)
        believed += read_curve(Curve(SWEEP, loss)).fell

    assert believed <= 5
