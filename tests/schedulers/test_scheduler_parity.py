"""Each scheduler against torch's own, step for step."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scheduler_runs import adam, sgd, trace
from torch.optim import lr_scheduler as theirs

import lrfind.schedulers as ours

CASES_EACH = settings(max_examples=80, deadline=None)

factors = st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0, 1.3])
small = st.integers(1, 12)


def fixed(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw keyword arguments."""
    return st.fixed_dictionaries(strategies)


CYCLE = fixed(
    base_lr=st.sampled_from([0.0, 0.01, [0.01, 0.02]]),
    max_lr=st.sampled_from([0.3, [0.2, 0.4]]),
    step_size_up=small,
    step_size_down=st.none() | st.integers(0, 9),
    mode=st.sampled_from(["triangular", "triangular2", "exp_range"]),
    gamma=st.sampled_from([0.9, 0.99, 1.0]),
    cycle_momentum=st.booleans(),
    base_momentum=st.sampled_from([0.7, [0.6, 0.7]]),
    max_momentum=st.sampled_from([0.9, [0.95, 0.9]]),
)
SCALED = fixed(
    base_lr=st.just(0.01),
    max_lr=st.just(0.3),
    step_size_up=small,
    scale_fn=st.just(lambda x: 1 / (1 + x)),
    scale_mode=st.sampled_from(["cycle", "iterations"]),
)
ONE_CYCLE = fixed(
    max_lr=st.sampled_from([0.3, [0.2, 0.4]]),
    total_steps=st.integers(40, 60),
    pct_start=st.floats(0.06, 0.9),
    anneal_strategy=st.sampled_from(["cos", "linear"]),
    cycle_momentum=st.booleans(),
    base_momentum=st.sampled_from([0.85, [0.8, 0.85]]),
    div_factor=st.sampled_from([25.0, 3.0]),
    final_div_factor=st.sampled_from([1e4, 10.0]),
    three_phase=st.booleans(),
)
CHAINABLE = {
    "StepLR": fixed(step_size=small, gamma=factors),
    "MultiStepLR": fixed(milestones=st.lists(st.integers(0, 40), max_size=6), gamma=factors),
    "CosineAnnealingLR": fixed(T_max=st.integers(1, 30), eta_min=st.sampled_from([0.0, 0.01, 0.2])),
}
CASES = CHAINABLE | {"CyclicLR": CYCLE | SCALED, "OneCycleLR": ONE_CYCLE}

configured = st.sampled_from(sorted(CASES)).flatmap(
    lambda name: st.tuples(st.just(name), CASES[name])
)
chainable = st.sampled_from(sorted(CHAINABLE)).flatmap(
    lambda name: st.tuples(st.just(name), CHAINABLE[name])
)
lr_lists = st.sampled_from([(0.1, 0.5), ("0.1", 0.5), ("0.3", "0.02")])


def same(mine: list[list[float]], torchs: list[list[float]]) -> None:
    """Compare two traces to rounding."""
    for step, (row, expected) in enumerate(zip(mine, torchs, strict=True)):
        assert row == pytest.approx(expected, rel=1e-9, abs=1e-13), f"step {step}"


@CASES_EACH
@given(configured, lr_lists)
def test_every_schedule_equals_torchs_step_for_step(case: Any, lrs: Any) -> None:
    """LR and momentum of each group follow torch's for any arguments, floats or tensors."""
    name, args = case
    a, b = sgd(lrs), sgd(lrs)

    mine = trace(a, [getattr(ours, name)(a, **args)], 40)
    torchs = trace(b, [getattr(theirs, name)(b, **args)], 40)

    same(mine, torchs)


@CASES_EACH
@given(configured, st.integers(0, 39))
def test_a_schedule_goes_on_after_saving_and_loading(case: Any, cut: int) -> None:
    """Saved, loaded into new objects and stepped on, a schedule equals torch's uninterrupted."""
    name, args = case
    a, b = sgd(), sgd()
    first = getattr(ours, name)(a, **args)
    mine = trace(a, [first], cut)
    again = sgd()
    second = getattr(ours, name)(again, **args)
    second.load_state_dict(through_a_file(first.state_dict()))
    again.load_state_dict(through_a_file(a.state_dict()))
    mine += trace(again, [second], 40 - cut)[1:]

    same(mine, trace(b, [getattr(theirs, name)(b, **args)], 40))


@CASES_EACH
@given(configured, st.integers(1, 39), st.booleans())
def test_a_checkpoint_passes_between_torch_and_lrfind(case: Any, cut: int, outward: bool) -> None:
    """A state written by torch's class loads into ours and the other way round."""
    name, args = case
    writer, reader = (ours, theirs) if outward else (theirs, ours)
    a, b, whole = sgd(), sgd(), sgd()
    first, second = getattr(writer, name)(a, **args), getattr(reader, name)(b, **args)
    rows = trace(a, [first], cut)
    assert set(first.state_dict()) == set(second.state_dict())
    second.load_state_dict(through_a_file(first.state_dict()))
    b.load_state_dict(through_a_file(a.state_dict()))
    rows += trace(b, [second], 40 - cut)[1:]

    same(rows, trace(whole, [getattr(theirs, name)(whole, **args)], 40))


def through_a_file(state: dict[str, Any]) -> dict[str, Any]:
    """Save and load with torch's safe loader."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    loaded: dict[str, Any] = torch.load(file, weights_only=True)
    return loaded


@CASES_EACH
@given(chainable, chainable, lr_lists)
def test_two_schedulers_on_one_optimizer_multiply(one: Any, other: Any, lrs: Any) -> None:
    """Chained schedulers compose as torch's do."""
    a, b = sgd(lrs), sgd(lrs)

    mine = trace(a, [getattr(ours, name)(a, **args) for name, args in (one, other)], 40)
    torchs = trace(b, [getattr(theirs, name)(b, **args) for name, args in (one, other)], 40)

    same_or_both_lost(mine, torchs)


@CASES_EACH
@given(chainable, st.dictionaries(st.integers(0, 35), st.sampled_from([0.5, 2.0, 0.1]), max_size=3))
def test_an_lr_changed_by_hand_is_carried_on(case: Any, edits: dict[int, float]) -> None:
    """A factor applied to group['lr'] between two steps lasts, as with torch."""
    name, args = case
    a, b = sgd(), sgd()

    mine = trace(a, [getattr(ours, name)(a, **args)], 40, edits)
    torchs = trace(b, [getattr(theirs, name)(b, **args)], 40, edits)

    same_or_both_lost(mine, torchs)


def same_or_both_lost(mine: list[list[float]], torchs: list[list[float]]) -> None:
    """Compare where the recursion is well conditioned: near the bottom of a cosine it divides
    by (almost) nothing, and torch's rounding error there is as large as the LR itself.
    """
    for row, expected in zip(mine, torchs, strict=True):
        assert row == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.skipif(
    not hasattr(theirs.LRScheduler, "_is_initial"),
    reason="this torch resumes a cosine elsewhere; bundled ones follow the newer",
)
@CASES_EACH
@given(chainable, st.integers(0, 30))
def test_last_epoch_resumes_as_in_torch(case: Any, last_epoch: int) -> None:
    """Constructed with last_epoch, a schedule starts and goes on where torch's does."""
    name, args = case
    made = []
    for package in (ours, theirs):
        optimizer = sgd()
        before = getattr(package, name)(optimizer, **args)
        trace(optimizer, [before], last_epoch)
        resumed = getattr(package, name)(optimizer, **args, last_epoch=last_epoch)
        rows = trace(optimizer, [resumed], 10)
        made.append((rows, resumed.last_epoch, resumed.get_last_lr()))

    same_or_both_lost(made[0][0], made[1][0])
    assert made[0][1] == made[1][1]
    assert made[0][2] == pytest.approx(made[1][2], rel=1e-6, abs=1e-9)


@CASES_EACH
@given(chainable, st.lists(st.integers(0, 40), min_size=1, max_size=6))
def test_step_with_an_epoch_warns_and_jumps(case: Any, epochs: list[int]) -> None:
    """step(epoch) gives torch's deprecation warning and its closed form."""
    name, args = case
    a, b = sgd(), sgd()
    mine, torchs = getattr(ours, name)(a, **args), getattr(theirs, name)(b, **args)
    for epoch in epochs:
        a.step()
        b.step()
        with pytest.warns(UserWarning, match="epoch parameter"):
            mine.step(epoch)
        with pytest.warns(UserWarning, match="epoch parameter"):
            torchs.step(epoch)

        assert mine.get_last_lr() == pytest.approx(torchs.get_last_lr(), rel=1e-9, abs=1e-13)


@CASES_EACH
@given(
    fixed(
        mode=st.sampled_from(["min", "max"]),
        factor=st.sampled_from([0.1, 0.5, 0.9]),
        patience=st.integers(0, 4),
        threshold=st.sampled_from([1e-4, 0.0, 0.3]),
        threshold_mode=st.sampled_from(["rel", "abs"]),
        cooldown=st.integers(0, 3),
        min_lr=st.sampled_from([0, 0.01, [0.0, 0.2]]),
        eps=st.sampled_from([1e-8, 0.01]),
    ),
    st.lists(
        st.sampled_from([0.0, -1.0, 0.5, 0.9, 1.0, 1.1, 2.0, float("nan"), float("inf")]),
        min_size=30,
        max_size=30,
    ),
    st.integers(0, 30),
    lr_lists,
)
def test_plateau_equals_torchs(args: Any, metrics: list[float], cut: int, lrs: Any) -> None:
    """For any metrics, also NaN, and through a save and load, LRs and state equal torch's."""
    a, b = sgd(lrs), sgd(lrs)
    mine = ours.ReduceLROnPlateau(a, **args)
    torchs = theirs.ReduceLROnPlateau(b, **args)
    rows = trace(a, [mine], cut, metrics=metrics)
    state = through_a_file(mine.state_dict())
    mine = ours.ReduceLROnPlateau(a, mode="max" if args["mode"] == "min" else "min")
    mine.load_state_dict(state)
    rows += trace(a, [mine], 30 - cut, metrics=metrics[cut:])[1:]

    same(rows, trace(b, [torchs], 30, metrics=metrics))
    assert mine.get_last_lr() == torchs.get_last_lr()
    left, right = mine.state_dict(), torchs.state_dict()
    assert set(left) == set(right) - {"verbose"}  # of torch before 2.7
    assert all(left[key] == right[key] for key in left if key != "_last_lr")


@CASES_EACH
@given(CYCLE | ONE_CYCLE)
def test_beta1_cycles_where_that_is_the_momentum(args: dict[str, Any]) -> None:
    """With Adam the first of the betas cycles, as in torch."""
    name = "OneCycleLR" if "total_steps" in args else "CyclicLR"
    a, b = adam(), adam()

    mine = trace(a, [getattr(ours, name)(a, **args)], 30)
    torchs = trace(b, [getattr(theirs, name)(b, **args)], 30)

    same(mine, torchs)


WARMED: dict[str, Callable[[Any, Any], Any]] = {
    "linear": lambda optimizer, n: theirs.LinearLR(optimizer, 0.2, total_iters=n),
    "constant": lambda optimizer, n: theirs.ConstantLR(optimizer, 0.2, total_iters=n),
    "exponential": lambda optimizer, n: theirs.LambdaLR(optimizer, lambda t: 0.2 ** (1 - t / n)),
}


@CASES_EACH
@given(chainable, st.sampled_from(sorted(WARMED)), st.integers(1, 12), st.booleans())
def test_warmup_equals_torchs_sequence(case: Any, kind: str, steps: int, bundled: bool) -> None:
    """Around torch's schedulers and ours, a warmup is torch's SequentialLR of the same parts."""
    name, args = case
    a, b = sgd(), sgd()
    inner = getattr(ours if bundled else theirs, name)(a, **args)
    mine = ours.Warmup(inner, steps, 0.2, kind)
    parts = [WARMED[kind](b, steps), getattr(theirs, name)(b, **args)]
    torchs = theirs.SequentialLR(b, parts, [steps])
    rows = trace(a, [mine], 30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's SequentialLR may step a part by epoch
        expected = trace(b, [torchs], 30)

    if args.get("milestones") and 0 in args["milestones"]:
        return  # torch's sequence multiplies the first LR of such a part once more
    same_or_both_lost(rows, expected)


@pytest.mark.parametrize("name", ["SequentialLR", "ChainedScheduler"])
def test_torchs_combinations_take_bundled_schedulers(name: str) -> None:
    """Bundled schedulers work inside torch's SequentialLR and ChainedScheduler."""
    rows = []
    for package in (ours, theirs):
        optimizer = sgd()
        parts = [package.StepLR(optimizer, 2, 0.5), package.CosineAnnealingLR(optimizer, 9)]
        both = (
            theirs.SequentialLR(optimizer, parts, [4])
            if name == "SequentialLR"
            else theirs.ChainedScheduler(parts)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's SequentialLR may step a part by epoch
            rows.append(trace(optimizer, [both], 8))

    same(*rows)
