"""`suggest`: the right verdict for every shape, never a made-up LR, free of shift and scale."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from suggest_shapes import ANSWERED, REFUSED, SWEEP, classic, fall, noise, rise

from lrfind.curve import Curve, StopReason
from lrfind.errors import InputError, NoSuggestionError, UserCodeError
from lrfind.suggest import CATALOG, Pick, Reading, Suggestion, Verdict, diagnose, suggest


def check(suggestion: Suggestion, *curves: Curve) -> None:
    """Hold a suggestion to what every suggestion promises."""
    start = min(float(curve.lr[curve.lr > 0].min()) for curve in curves)
    end = max(float(curve.lr.max()) for curve in curves)
    assert start <= suggestion.low <= suggestion.lr <= suggestion.high <= end
    assert suggestion.lr <= suggestion.peak_lr <= end
    assert all(start <= lr <= end for lr in suggestion.per_seed)


@pytest.mark.parametrize("shape", ANSWERED)
def test_a_curve_with_an_answer_gets_its_verdict(shape: str) -> None:
    """Each shape that speaks for an LR gets one inside the range, with the right verdict."""
    make, verdict = ANSWERED[shape]
    suggestion = suggest([make()])

    check(suggestion, make())
    assert suggestion.verdict == verdict


@pytest.mark.parametrize("shape", REFUSED)
def test_a_curve_without_an_answer_is_refused(shape: str) -> None:
    """Each shape that speaks for no LR is refused with the right verdict, reason and remedy."""
    make, verdict = REFUSED[shape]
    with pytest.raises(NoSuggestionError) as caught:
        suggest([make()])

    assert caught.value.verdict == verdict
    assert caught.value.reason
    assert caught.value.remedy


@pytest.mark.parametrize("method", CATALOG)
@pytest.mark.parametrize("shape", [*ANSWERED, *REFUSED])
def test_no_rule_makes_an_lr_up(shape: str, method: str) -> None:
    """Every rule answers inside the measured range or refuses; notes are never in the way."""
    make, _ = (ANSWERED | REFUSED)[shape]
    curve = make()
    try:
        suggestion = suggest([curve], method)
    except NoSuggestionError:
        suggestion = None
    else:
        check(suggestion, curve)
        assert shape in ANSWERED
    diagnose([curve], suggestion)


def test_no_curve_is_refused() -> None:
    """Asking about no curve at all is answered with no-signal, not with a crash."""
    with pytest.raises(NoSuggestionError, match="no curve"):
        suggest([])


def test_the_answer_lies_before_the_rise_and_behind_the_start_of_the_fall() -> None:
    """On the textbook curve, falling at 1e-2 and exploding at 1, every rule answers between."""
    for method in CATALOG:
        suggestion = suggest([classic()], method)

        assert 2e-3 < suggestion.lr < 0.3, method
        assert suggestion.lr < suggestion.peak_lr < 1.0


def test_the_reason_is_one_short_sentence_with_numbers() -> None:
    """The reason tells the fall, its significance, the minimum and the rise, within two lines."""
    for method in CATALOG:
        reason = suggest([classic()], method).reason

        assert reason.startswith("loss fell 1.7")
        assert " σ) to its minimum at 1." in reason
        assert "rose past 6." in reason
        assert len(reason) <= 160


def test_the_stop_label_is_not_read() -> None:
    """The data decide: what a sweep says about its own end changes no answer."""
    answers = {
        suggest([Curve(SWEEP, classic().loss, stop=stop, initial_loss=initial)])
        for stop in StopReason
        for initial in (None, 2.3)
    }

    assert len(answers) == 1


@pytest.mark.parametrize("method", CATALOG)
@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    shift=st.floats(-1e3, 1e3),
    log_scale=st.floats(-6, 6),
    log_factor=st.floats(-6, 6),
)
def test_shift_scale_and_unit_of_lr(
    method: str, seed: int, shift: float, log_scale: float, log_factor: float
) -> None:
    """a·L + b changes no answer, and LR · c multiplies it by c."""
    curve = classic(seed, centre=10.0 ** (-3 + seed % 3), at=1.0 + seed % 5)
    before = suggest([curve], method)
    scale, factor = 10.0**log_scale, 10.0**log_factor

    shifted = suggest([Curve(SWEEP, curve.loss + shift)], method)
    scaled = suggest([Curve(SWEEP, curve.loss * scale)], method)
    moved = suggest([Curve(SWEEP * factor, curve.loss)], method)

    for after, by in ((shifted, 1.0), (scaled, 1.0), (moved, factor)):
        for name in ("lr", "peak_lr", "low", "high"):
            assert getattr(after, name) == pytest.approx(by * getattr(before, name), rel=1e-6)
        assert after.verdict == before.verdict


@pytest.mark.parametrize("shape", [*ANSWERED, *REFUSED])
@pytest.mark.parametrize("shift", [-1000.0, 1000.0])
def test_a_shift_changes_no_verdict(shape: str, shift: float) -> None:
    """Adding a constant to any shape leaves its answer, verdict or refusal what it was."""
    make, verdict = (ANSWERED | REFUSED)[shape]
    curve = make()
    if shape in ("tiny", "last digit flickers"):
        pytest.skip("a shift by 1000 rounds this curve's signal away")
    shifted = Curve(curve.lr, curve.loss + shift)
    if shape in REFUSED:
        with pytest.raises(NoSuggestionError) as caught:
            suggest([shifted])
        assert caught.value.verdict == verdict
    else:
        assert suggest([shifted]).verdict == verdict
        assert suggest([shifted]).lr == pytest.approx(suggest([curve]).lr, rel=1e-6)


@pytest.mark.parametrize("method", CATALOG)
@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    points=st.integers(0, 120),
    shift=st.floats(-1e3, 1e3),
    log_scale=st.floats(-6, 6),
    log_factor=st.floats(-6, 6),
)
def test_any_curve_keeps_its_verdict(
    method: str, seed: int, points: int, shift: float, log_scale: float, log_factor: float
) -> None:
    """Random walks too, answered or refused, do not care for shift, scale and the unit of LR."""
    rng = np.random.default_rng(seed)
    lr = np.logspace(-5, 1, points)
    loss = np.cumsum(rng.standard_normal(points)) + rng.exponential(2) * rng.standard_normal(points)
    scale, factor = 10.0**log_scale, 10.0**log_factor

    def answer(curve: Curve) -> tuple[str, float | None]:
        try:
            found = suggest([curve], method)
        except NoSuggestionError as error:
            return error.verdict, None
        return found.verdict, found.lr

    verdict, before = answer(Curve(lr, loss))
    for curve, by in (
        (Curve(lr, loss + shift), 1.0),
        (Curve(lr, scale * loss), 1.0),
        (Curve(factor * lr, loss), factor),
    ):
        expected = None if before is None else pytest.approx(by * before, rel=1e-6)
        assert answer(curve) == (verdict, expected)


ANY_FLOAT = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("method", CATALOG)
@settings(deadline=None, max_examples=80)
@given(
    loss=arrays(np.float64, st.integers(0, 60), elements=ANY_FLOAT),
    tail=st.sampled_from([None, math.nan, math.inf, -math.inf]),
    log_start=st.floats(-300, 200),
    log_step=st.floats(0, 1.5),
    is_linear=st.booleans(),
)
def test_rules_survive_any_floats(
    method: str,
    loss: np.ndarray,
    tail: float | None,
    log_start: float,
    log_step: float,
    is_linear: bool,
) -> None:
    """Any finite losses, any range: an LR inside the range or a refusal, without a warning."""
    if tail is not None:
        loss = np.append(loss, tail)
    steps = np.arange(len(loss))
    start = 10.0**log_start
    curve = Curve(start * (1 + steps) if is_linear else start * 10.0 ** (log_step * steps), loss)
    try:
        suggestion = suggest([curve], method)
    except NoSuggestionError:
        suggestion = None
    else:
        check(suggestion, curve)
    diagnose([curve], suggestion)


@pytest.mark.parametrize("method", CATALOG)
@settings(deadline=None, max_examples=40)
@given(
    lr=arrays(np.float64, 30, elements=st.floats(-10, 1e308) | st.floats(1e-290, 10)),
    loss=arrays(np.float64, 30, elements=st.floats(-10, 10)),
)
def test_any_order_and_sign_of_lr_survives(method: str, lr: np.ndarray, loss: np.ndarray) -> None:
    """LRs from a broken file (unordered, zero, negative) give an LR in range or a refusal."""
    lr = np.where(np.abs(lr) < 1e-290, 0.0, lr)
    assume((lr > 0).any())
    try:
        suggestion = suggest([Curve(lr, loss)], method)
    except NoSuggestionError:
        return
    check(suggestion, Curve(lr, loss))


def test_pure_noise_is_refused_almost_always() -> None:
    """Of 300 curves of nothing but noise, at most 3 pass for a curve with a fall or a rise."""
    answered = 0
    for seed in range(300):
        try:
            suggest([Curve(SWEEP, noise(1.0, seed))])
        except NoSuggestionError:
            continue
        answered += 1

    assert answered <= 3


def test_order_of_points_does_not_matter() -> None:
    """A shuffled CSV gives the answer of the ordered one."""
    curve = classic()
    order = np.random.default_rng(0).permutation(200)

    assert suggest([Curve(curve.lr[order], curve.loss[order])]) == suggest([curve])


# Several seeds.


def test_several_seeds_give_the_median_in_log_lr() -> None:
    """Three seeds answer with the middle one, and each seed's own answer is kept in order."""
    curves = [classic(0, at=10.0), classic(1, at=1.0), classic(2, at=3.0)]
    alone = [suggest([curve]).lr for curve in curves]
    joint = suggest(curves)

    assert joint.per_seed == tuple(alone)
    assert joint.lr == sorted(alone)[1]
    assert joint.reason.startswith(f"median of 3 seeds, {joint.spread_decades:.2f} decades apart")
    check(joint, *curves)


def test_an_even_number_of_seeds_gives_the_geometric_mean_of_the_middle() -> None:
    """Two seeds answer with the geometric mean of their answers."""
    curves = [classic(0, at=10.0), classic(1, at=1.0)]
    first, second = (suggest([curve]).lr for curve in curves)

    assert suggest(curves).lr == pytest.approx(math.sqrt(first * second))


def test_seeds_that_disagree_lower_the_confidence() -> None:
    """Seeds whose answers span more than half a decade are low-confidence, with a note."""
    curves = [classic(0, centre=1e-4, at=1e-2), classic(1), classic(2, centre=0.1, at=9.0)]
    joint = suggest(curves)

    assert joint.verdict is Verdict.LOW_CONFIDENCE
    assert "seeds-disagree" in [note.code for note in diagnose(curves, joint)]


def test_a_seed_without_an_answer_is_told() -> None:
    """One flat seed of three leaves the median of the others, a note, and an ok verdict."""
    curves = [classic(0), REFUSED["pure noise"][0](), classic(2)]
    joint = suggest(curves)
    note = next(n for n in diagnose(curves, joint) if n.code == "seeds-without-answer")

    assert len(joint.per_seed) == 2
    assert joint.reason.startswith("median of 2 of 3 seeds")
    assert joint.verdict is Verdict.OK
    assert note.message.startswith("1 of 3 seeds have no answer (seed 0: loss fell")


def test_when_most_seeds_have_no_answer_confidence_is_low() -> None:
    """One clear seed of three gives an answer, at low confidence."""
    flat = REFUSED["pure noise"][0]()

    assert suggest([flat, classic(), flat]).verdict is Verdict.LOW_CONFIDENCE


def test_no_seed_with_an_answer_is_refused() -> None:
    """All seeds flat: one refusal that says how many there were."""
    with pytest.raises(NoSuggestionError, match="none of 3 seeds") as caught:
        suggest([REFUSED["pure noise"][0]()] * 3)

    assert caught.value.verdict == "no-signal"


# Methods and options.


def test_an_unknown_method_names_the_nearest() -> None:
    """A misspelt method is an input error with a did-you-mean."""
    with pytest.raises(InputError, match=r"'steepset' is no suggestion rule; did you mean 'steep"):
        suggest([classic()], "steepset")


def test_an_option_that_the_rule_does_not_take_is_refused() -> None:
    """Each unknown option is named with the nearest known one."""
    with pytest.raises(InputError, match="takes no option 'decade'; did you mean 'decades'"):
        suggest([classic()], "before_rise", decade=0.3)


@pytest.mark.parametrize("decades", [0.0, -1.0, 21.0, math.nan, math.inf])
def test_before_rise_refuses_impossible_decades(decades: float) -> None:
    """The distance before the rise must be positive and smaller than any sweep."""
    with pytest.raises(InputError, match="decades"):
        suggest([classic()], "before_rise", decades=decades)


def test_before_rise_steps_back_by_its_decades() -> None:
    """A longer distance divides the answer by exactly as much, until the start of the range."""
    near = suggest([classic()], "before_rise", decades=0.5)
    far = suggest([classic()], "before_rise", decades=2.5)
    farthest = suggest([classic()], "before_rise", decades=20.0)

    assert near.lr == pytest.approx(far.lr * 100.0)
    assert farthest.lr == SWEEP[0]
    assert farthest.verdict is Verdict.LOW_CONFIDENCE


def write_rule(folder: Path, body: str) -> str:
    """Write a rule of the user's own and return its import path."""
    path = folder / "rules.py"
    path.write_text(
        f"from lrfind.suggest import Pick\ndef rule(reading, factor=0.5):\n    {body}\n"
    )
    return f"{path}:rule"


def test_a_rule_of_ones_own_is_an_import_path(tmp_path: Path) -> None:
    """`file.py:function` answers with a float, takes options, and is judged like any rule."""
    method = write_rule(tmp_path, "return factor * reading.min_lr")
    half = suggest([classic()], method)
    tenth = suggest([classic()], method, factor=0.1)

    assert half.lr == pytest.approx(5 * tenth.lr)
    assert tenth.lr == pytest.approx(suggest([classic()], "minimum").lr)
    assert half.method == method
    check(half, classic())


@pytest.mark.parametrize("answer", ["float('nan')", "-1.0", "0", "Pick(float('inf'), '')"])
def test_a_rule_of_ones_own_must_answer_an_lr(tmp_path: Path, answer: str) -> None:
    """A rule that returns no positive finite number is blamed by its name."""
    with pytest.raises(UserCodeError, match=r"rules\.py:rule' answered"):
        suggest([classic()], write_rule(tmp_path, f"return {answer}"))


def test_a_rule_of_ones_own_that_raises_is_blamed(tmp_path: Path) -> None:
    """The user's exception is chained, and the message names rule and exception."""
    with pytest.raises(UserCodeError, match="raised ZeroDivisionError") as caught:
        suggest([classic()], write_rule(tmp_path, "return 1 / 0"))

    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_the_catalog_is_readable_without_numpy() -> None:
    """Help texts list the rules, so the catalog must not load what curves need."""
    code = (
        "import sys; from lrfind.suggest import CATALOG; assert 'auto' in CATALOG;"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'torch', 'pandas')))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_public_names_exist() -> None:
    """Everything in `__all__` can be imported, and nothing else pretends to be there."""
    import lrfind.suggest as room

    assert all(getattr(room, name) is not None for name in room.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        room.nothing  # noqa: B018
    assert Pick(1.0, "").lr == 1.0
    assert Reading.__doc__


def test_a_sweep_of_any_length_agrees() -> None:
    """50 to 5000 points over the same curve give the same answer within a tenth of a decade."""
    answers = []
    for points in (50, 200, 1000, 5000):
        lr = np.logspace(-7, 1, points)
        answers.append(suggest([Curve(lr, fall(lr) + rise(lr) + noise(0.02, 1, points))]).lr)

    assert np.ptp(np.log10(answers)) < 0.1
