"""Seeds dealt out to two ranks give what one process gives, curve by curve."""

from __future__ import annotations

from pathlib import Path

import pytest
from rank_runs import CONFIG, finished, project
from test_ddp import report_of

SEEDS = ("--set=sweep.seeds=3", "--set=sweep.side_by_side=false")

RISES_EARLY = """
def hot(model, batch):
    # Far too steep from the start for one seed: all from that one on are swept from lower down.
    loss = cross_entropy(model, batch)
    return loss * 3e4 if torch.initial_seed() == {seed} else loss
"""


@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_each_seed_has_the_curve_it_has_alone(seed: int | None, tmp_path: Path) -> None:
    """Curves, notes and answer are those of one process, whichever seed lowers the start."""
    options: tuple[str, ...] = (*SEEDS, "--set=sweep.steps=60")
    config, code = CONFIG, ""
    if seed is not None:
        code = RISES_EARLY.format(seed=seed)
        options += ("--set=sweep.start_lr=1e-3", "--set=step=train.py:hot", "--set=optimizer=sgd")
        config = CONFIG.replace(", auto_range: false", "")
    one, two = project(tmp_path / "one", code, config), project(tmp_path / "two", code, config)

    finished(one, "run", "c.yaml", *options, size=1)
    finished(two, "run", "c.yaml", *options, "--set=distributed=replicas")

    assert (one / "out/curve.csv").read_bytes() == (two / "out/curve.csv").read_bytes()
    alone, shared = report_of(one), report_of(two)
    assert [alone[key] for key in ("suggestion", "notes", "title")] == [
        shared[key] for key in ("suggestion", "notes", "title")
    ]
    if seed is not None:
        starts = [curve["lr"][0] for curve in shared["curves"]]
        assert [lr < 1e-4 for lr in starts] == [index >= seed for index in range(3)]


def test_trials_are_trained_by_both_and_end_where_they_end_alone(tmp_path: Path) -> None:
    """With `--refine` the ranks share the trials within the budget that one process would have."""
    code = """
    def step(model, batch):
        with open(f"steps.{RANK}", "a") as file:
            file.write("x" * torch.is_grad_enabled())
        return cross_entropy(model, batch)
    """
    config = CONFIG.replace("cross_entropy", "step") + "distributed: replicas\n"
    one, two = (project(tmp_path / name, code, config) for name in ("one", "two"))

    finished(one, "run", "c.yaml", "--refine", size=1)
    finished(two, "run", "c.yaml", "--refine")

    alone, shared = report_of(one), report_of(two)
    assert len(alone["trials"]) >= 3
    for key in ("trials", "suggestion", "notes"):
        assert alone[key] == shared[key]
    # The other rank swept nothing: there is one seed.
    steps = [path.stat().st_size for path in (one / "steps.0", two / "steps.0", two / "steps.1")]
    assert steps[1] < steps[0]
    assert steps[2] >= 75
