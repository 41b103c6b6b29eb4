"""Batch size and LR: the rules against what they are derived from."""

from __future__ import annotations

import math
import random
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.errors import InputError
from lrfind.scaling import (
    ADAM_CAVEAT,
    LARGE_BATCH_CAVEAT,
    RULES,
    caveats,
    fit_exponent,
    scale_lr,
    warmup_start,
    warmup_steps,
)

sizes = st.integers(1, 10**6)
lrs = st.floats(1e-8, 10.0)
rules = st.sampled_from(sorted(RULES))


@settings(deadline=None)
@given(lrs, sizes, sizes, sizes, rules)
def test_scaling_composes_and_undoes_itself(
    lr: float, first: int, second: int, third: int, rule: str
) -> None:
    """From A to B to C is from A to C, and there and back is nothing."""
    there = scale_lr(lr, from_batch=first, to_batch=second, rule=rule)
    further = scale_lr(there, from_batch=second, to_batch=third, rule=rule)

    assert further == pytest.approx(scale_lr(lr, from_batch=first, to_batch=third, rule=rule))
    assert scale_lr(there, from_batch=second, to_batch=first, rule=rule) == pytest.approx(lr)
    assert scale_lr(lr, from_batch=first, to_batch=first, rule=rule) == lr


def test_the_linear_rule_gives_each_sample_its_old_weight() -> None:
    """On constant gradients one large scaled step is k small ones."""
    gradients = np.random.default_rng(0).normal(size=64)
    small, large = 4, 64
    lr = scale_lr(0.1, from_batch=small, to_batch=large)

    moved = sum(0.1 * batch.mean() for batch in gradients.reshape(-1, small))

    assert lr * gradients.mean() == pytest.approx(moved)


def test_the_square_root_rule_keeps_the_variance_of_an_update() -> None:
    """The variance of η times a batch mean is the same before and after."""
    rng = np.random.default_rng(0)
    lr = scale_lr(0.1, from_batch=4, to_batch=64, rule="sqrt")
    small = 0.1 * rng.normal(size=(40_000, 4)).mean(1)
    large = lr * rng.normal(size=(40_000, 64)).mean(1)

    assert large.var() == pytest.approx(small.var(), rel=0.03)


def test_warmup_lasts_as_many_samples_for_any_batch() -> None:
    """Goyal's five epochs: 782 steps of 8192 on ImageNet; half the batch, twice the steps."""
    samples = 1_281_167

    assert warmup_steps(from_batch=256, to_batch=8192, samples=samples) == 782
    assert warmup_steps(from_batch=256, to_batch=4096, samples=samples) == 1564
    assert warmup_steps(from_batch=256, to_batch=256, samples=samples) == 0
    assert warmup_steps(from_batch=256, to_batch=64, samples=samples) == 0
    assert warmup_steps(from_batch=1, to_batch=2, samples=10, epochs=0.5) == 3


@given(sizes, sizes, rules)
@settings(deadline=None)
def test_a_warmup_begins_at_the_old_lr(first: int, second: int, rule: str) -> None:
    """The start factor times the scaled LR is the old LR, and never above the new one."""
    start = warmup_start(from_batch=first, to_batch=second, rule=rule)
    scaled = scale_lr(0.1, from_batch=first, to_batch=second, rule=rule)

    assert start * scaled == pytest.approx(min(0.1, scaled))


@settings(deadline=None)
@given(st.floats(-1.0, 2.0), st.floats(1e-6, 1.0), st.lists(sizes, min_size=2, unique=True))
def test_an_exact_power_law_is_found(exponent: float, factor: float, batches: list[int]) -> None:
    """Points on η = c B^p give p, with no error but rounding."""
    fit = fit_exponent(batches, [factor * batch**exponent for batch in batches])

    assert fit.value == pytest.approx(exponent, abs=1e-6)
    assert fit.low <= fit.value <= fit.high
    assert (fit.standard_error == math.inf) == (len(batches) == 2)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Of 2000 noisy fits to eight points about 95 % hold the true exponent."""
    rng = random.Random(0)
    batches = [2**i for i in range(4, 12)]
    hits = 0
    for _ in range(2000):
        fit = fit_exponent(batches, [batch**0.5 * math.exp(rng.gauss(0, 0.3)) for batch in batches])
        hits += fit.low <= 0.5 <= fit.high

    assert 0.94 < hits / 2000 < 0.96


def test_the_slope_is_the_least_squares_one() -> None:
    """The exponent and its error equal the textbook regression of the logarithms."""
    batches, measured = [32, 64, 64, 128, 512] * 8, [0.01, 0.013, 0.016, 0.02, 0.05] * 8
    x, y = [math.log(b) for b in batches], [math.log(lr) for lr in measured]
    line = statistics.linear_regression(x, y)
    residuals = [yi - line.intercept - line.slope * xi for xi, yi in zip(x, y, strict=True)]
    s_xx = sum((xi - statistics.fmean(x)) ** 2 for xi in x)
    error = math.sqrt(sum(r * r for r in residuals) / (len(x) - 2) / s_xx)
    fit = fit_exponent(batches, measured)

    assert fit.value == pytest.approx(line.slope)
    assert fit.standard_error == pytest.approx(error)
    assert (fit.high - fit.value) / error == pytest.approx(2.024, abs=2e-3)  # t at ν = 38


def test_caveats_grow_with_the_batch() -> None:
    """The one about Adam always; the one about large batches beyond 8192."""
    assert caveats(to_batch=8192) == (ADAM_CAVEAT,)
    assert caveats(to_batch=8193) == (ADAM_CAVEAT, LARGE_BATCH_CAVEAT)
    assert "2405.14578" in ADAM_CAVEAT


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: scale_lr(0.1, from_batch=0, to_batch=1), "from_batch: 0 must be a finite number"),
        (lambda: scale_lr(math.nan, from_batch=1, to_batch=1), "lr: nan"),
        (lambda: scale_lr(0.1, from_batch=1, to_batch=1, rule="liner"), "did you mean 'linear'?"),
        (lambda: warmup_steps(from_batch=1, to_batch=2, samples=0), "samples: 0"),
        (lambda: fit_exponent([1, 2], [0.1]), "2 batch sizes and 1 LRs"),
        (lambda: fit_exponent([8, 8], [0.1, 0.2]), "1 batch size gives no slope"),
        (lambda: fit_exponent([1, 2], [0.1, -1.0]), "lr: -1.0"),
    ],
)
def test_senseless_numbers_are_refused(call: object, text: str) -> None:
    """Each is an InputError that says what, rule and remedy."""
    assert callable(call)
    with pytest.raises(InputError) as caught:
        call()

    assert text in str(caught.value)
