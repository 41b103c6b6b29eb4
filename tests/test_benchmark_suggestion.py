"""The benchmark of suggestions must measure what it says, or every figure it prints is wrong."""

from __future__ import annotations

import math
from hashlib import sha256

import numpy as np
import pytest
import torch

from benchmarks.suggestion.access import load_pairs, load_truth
from benchmarks.suggestion.answers import Answer
from benchmarks.suggestion.oracle import NEAR, wanted_indices
from benchmarks.suggestion.schedules import SCHEDULES, STEPS
from benchmarks.suggestion.score import score
from benchmarks.suggestion.seeds import FINDER_SEEDS, ORACLE_SEEDS
from benchmarks.suggestion.stacked import train_stack
from benchmarks.suggestion.tasks import FAMILIES, PAIRS, TASKS, Batch, Pair, Part
from benchmarks.suggestion.truth import Truth
from benchmarks.suggestion.yardstick import bootstrap, diverges, regret_of
from lrfind.optim import CATALOG
from lrfind.registry import load_entry

UPDATES = 25


def truth(losses: list[float], start: float = 2.0, first: int = 0) -> Truth:
    """Make a truth of one seed with these final losses on neighbouring grid points."""
    table = np.array(losses)[:, None]
    indices = tuple(range(first, first + len(losses)))
    return Truth("made-up", indices, np.array([start]), dict.fromkeys(SCHEDULES, table))


def train_alone(pair: Pair, seed: int, lr: float, factors: list[float]) -> float:
    """Train one model with lrfind's own optimizer; the loss of the evaluation batch."""
    task = pair.task
    model = task.build_model(seed).train()
    entry = CATALOG[pair.optimizer]
    optimizer = load_entry(entry)(model.parameters(), lr=lr, **entry.args)
    for factor, batch in zip(factors, task.batches(seed), strict=False):
        optimizer.param_groups[0]["lr"] = lr * factor
        optimizer.zero_grad()
        torch.autograd.backward(task.loss(model, batch))
        optimizer.step()
    with torch.no_grad():
        return float(task.loss(model.eval(), task.evaluation()))


@pytest.mark.parametrize("name", ["digits_mlp-adam", "digits_residual_bn-momentum"])
def test_stacked_training_equals_training_alone(name: str) -> None:
    """A member of a stack ends where its model ends when trained alone, batch norm included."""
    pair, lrs = PAIRS[name], [1e-3, 1e-2, 3e-2]
    factors = [schedule(UPDATES) for schedule in SCHEDULES.values()]
    task = pair.task

    stacked = train_stack(
        task.build_model(7), task.loss, pair.optimizer, task.batches(7), task.evaluation(), lrs,
        factors,
    )  # fmt: skip
    alone = [[train_alone(pair, 7, lr, each) for lr in lrs] for each in factors]

    np.testing.assert_allclose(stacked.numpy(), alone, rtol=1e-4)


@pytest.mark.parametrize("optimizer", sorted({pair.optimizer for pair in PAIRS.values()}))
def test_every_stacked_update_is_the_bundled_one(optimizer: str) -> None:
    """Each update written for stacks follows `lrfind.optim` on a logistic regression."""
    pair = Pair(TASKS["cancer_logistic"], optimizer, Part.FIT)
    task, factors = pair.task, SCHEDULES["warmup_cosine"](UPDATES)

    stacked = train_stack(
        task.build_model(3), task.loss, optimizer, task.batches(3), task.evaluation(), [0.05],
        [factors],
    )  # fmt: skip

    assert float(stacked) == pytest.approx(train_alone(pair, 3, 0.05, factors), rel=1e-4)


def test_explosion_of_one_member_leaves_the_others_alone() -> None:
    """A member that reaches infinity is told as infinite; its neighbours train on."""
    task = TASKS["deep_linear"]

    def final(lrs: list[float]) -> list[float]:
        start, ones = task.build_model(0), [[1.0] * 20]
        found = train_stack(start, task.loss, "sgd", task.batches(0), task.evaluation(), lrs, ones)
        return [float(loss) for loss in found[0]]

    small, huge = final([0.05, 1e4])

    assert huge == math.inf
    assert small == pytest.approx(final([0.05])[0], rel=1e-5)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_task_is_deterministic_and_its_loss_has_gradients(name: str) -> None:
    """A seed gives the same weights and batches again, another seed others."""
    task = TASKS[name]
    first, again, other = (next(task.batches(seed)) for seed in (5, 5, 6))
    model = task.build_model(5)
    twin = task.build_model(5)

    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(first, other, strict=True))
    assert len(first[0]) == task.batch_size
    for a, b in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(a, b)
    torch.autograd.backward(task.loss(model, first))
    norms = [float(p.grad.norm()) for p in model.parameters() if p.grad is not None]
    assert norms
    assert math.isfinite(sum(norms))
    assert sum(norms) > 0


def test_one_task_of_every_family_is_held_out_by_the_hash_of_its_name() -> None:
    """The held-out third follows from the names alone, so nobody can choose it by results."""
    held_out = {pair.task.name for pair in load_pairs(Part.HELD_OUT)}

    fresh = {pair.task.name for pair in load_pairs(Part.FRESH)}
    assert len(FAMILIES) * 3 == len(TASKS.keys() - fresh)
    for family in FAMILIES:
        names = sorted((task.name for task in family), key=lambda n: sha256(n.encode()).digest())
        assert held_out & set(names) == {names[0]}


def test_finders_and_oracle_have_different_seeds() -> None:
    """No answer is judged on the run that it was read from."""
    assert not set(FINDER_SEEDS) & set(ORACLE_SEEDS)


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_oracle_brackets_every_optimum(name: str) -> None:
    """Each pair has a finished truth: all grid points it asks for, and an LR that helps."""
    found = load_truth(name)

    assert wanted_indices(found) <= set(found.indices)
    for schedule in SCHEDULES:
        assert found.losses[schedule].shape == (len(found.indices), len(ORACLE_SEEDS))
        assert regret_of(found, schedule, float(found.lrs[found.best(schedule)])) == 0.0
        assert 0 < found.best(schedule) < len(found.indices) - 1


def test_oracle_goes_on_where_the_optimum_is_at_an_end() -> None:
    """An optimum near an end, or an end that still trains, widens the grid there."""
    rising = truth([0.1 * k for k in range(1, 20)], first=-40)
    wanted = wanted_indices(rising)

    assert min(wanted) < -40
    assert set(range(-40, -40 + NEAR + 1)) <= wanted


def test_regret_is_zero_at_the_best_and_one_without_an_answer() -> None:
    """Regret runs from 0 at the optimum to 1 for silence, explosion, and no progress."""
    found = truth([2.0, 1.5, 1.0, math.inf])
    lrs = found.lrs

    assert regret_of(found, "constant", lrs[2]) == 0.0
    assert regret_of(found, "constant", lrs[1]) == pytest.approx(0.5)
    assert regret_of(found, "constant", math.sqrt(lrs[1] * lrs[2])) == pytest.approx(0.25)
    assert regret_of(found, "constant", math.sqrt(lrs[2] * lrs[3])) == pytest.approx(0.5)
    for lr in (None, 0.0, math.nan, lrs[0], lrs[3], 1e9):
        assert regret_of(found, "constant", lr) == 1.0
    assert diverges(found, float(lrs[3]))
    assert not diverges(found, float(lrs[0]))
    assert not diverges(found, None)


def test_regret_ignores_shift_and_scale_of_the_loss() -> None:
    """Losses that start negative are judged as any others."""
    plain, moved = truth([2.0, 1.7, 1.0, 1.9]), truth([-6.0, -6.9, -9.0, -6.3], start=-6.0)

    for lr in np.geomspace(0.5, 4.0, 9):
        assert regret_of(moved, "constant", lr) == pytest.approx(regret_of(plain, "constant", lr))


def test_regret_has_no_unit_where_nothing_helps() -> None:
    """A task that no LR improves is refused instead of divided by zero."""
    with pytest.raises(ValueError, match="no LR improves"):
        regret_of(truth([2.0, 2.5, 3.0]), "constant", 1.0)


def test_bootstrap_draws_tasks_not_answers() -> None:
    """Copies of an answer do not narrow the interval; more tasks do."""
    rng = np.random.default_rng(0)
    few = rng.random(8)
    copied = np.repeat(few, 50)
    low, high = bootstrap(few.tolist(), range(8))

    assert low < few.mean() < high
    repeated = bootstrap(copied.tolist(), np.repeat(np.arange(8), 50).tolist())
    assert repeated == pytest.approx((low, high))
    many = bootstrap(copied.tolist(), range(400))
    assert many[1] - many[0] < (high - low) / 4
    by_statistic = bootstrap(few.tolist(), range(8), lambda drawn: float(drawn.mean()))
    assert by_statistic == pytest.approx((low, high))


def test_schedules_meet_their_description() -> None:
    """Warmup takes 5 % of the steps to the peak of 1, and the cosine ends near 0."""
    cosine = SCHEDULES["warmup_cosine"](STEPS)

    assert SCHEDULES["constant"](STEPS) == [1.0] * STEPS
    assert len(cosine) == STEPS
    assert cosine[0] == pytest.approx(1 / 15)
    assert cosine[14] == cosine[15] == 1.0
    assert 0.0 < cosine[-1] < 1e-4
    assert np.all(np.diff(cosine[15:]) < 0)


def test_score_counts_what_the_table_shows() -> None:
    """Silence is a regret of 1 under both schedules; the optimum under each is none."""
    pair = load_pairs()[0].name
    found = load_truth(pair)
    best = [float(found.lrs[found.best(schedule)]) for schedule in SCHEDULES]
    made = score(
        "made-up",
        [Answer(pair, 100, best[0], best[1], 100), Answer(pair, 101, None, None, 300)],
    )

    assert made.regrets.tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert (made.mean, made.within(0.05), made.silent, made.divergent) == (0.5, 0.5, 0.5, 0.0)
    assert made.steps == 200
    assert made.by_pair() == {pair: 0.5}


def test_batch_of_a_task_is_a_tuple_of_equally_long_rows() -> None:
    """Peers get batches as tuples; an evaluation batch has the same parts."""
    for task in TASKS.values():
        batch: Batch = next(task.batches(0))
        kept = task.evaluation()

        assert isinstance(batch, tuple)
        assert [part.shape[1:] for part in batch] == [part.shape[1:] for part in kept]
        assert len({len(part) for part in batch}) == 1
