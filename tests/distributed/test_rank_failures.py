"""A rank that fails, dies or is told to end: the others end too, with its error, and none hangs."""

from __future__ import annotations

from pathlib import Path

import pytest
from rank_runs import Ranks, project

from lrfind.errors import ExitCode
from lrfind.export import read_curves

FAULTS = {
    "computing the loss": (
        """
        def step(model, batch, index):
            if RANK == {rank} and index == 20:
                raise ValueError("no more of this")
            return cross_entropy(model, batch)
        """,
        "step (train.py:step): computing the loss raised ValueError: no more of this",
    ),
    "the optimizer's step": (
        """
        step = cross_entropy
        class Falls(torch.optim.SGD):
            def step(self, closure=None):
                self.count = getattr(self, "count", 0) + 1
                if RANK == {rank} and self.count == 20:
                    raise ValueError("no more of this")
                return super().step(closure)
        """,
        "optimizer (train.py:Falls): the optimizer's step raised ValueError: no more of this",
    ),
}


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("phase", FAULTS)
def test_a_rank_that_raises_ends_the_others_with_its_error(
    phase: str, rank: int, tmp_path: Path
) -> None:
    """Its own words say which rank it was and what it was doing; what was measured is kept."""
    code, expected = FAULTS[phase]
    options = ["--set=step=train.py:step"]
    if "Falls" in code:
        options.append("--set=optimizer={target: 'train.py:Falls'}")
    folder = project(tmp_path, code.format(rank=rank))
    ranks = Ranks(folder, "run", "c.yaml", *options)

    codes = ranks.end()

    assert codes == [ExitCode.BAD_INPUT] * 2
    assert expected in ranks.said(rank)
    assert "no more of this" in ranks.said(rank).splitlines()[-1]
    if rank == 1:
        assert ranks.said(1).startswith("rank 1: error: ")
        assert "error: rank 1: " in ranks.said(0)
        assert expected in ranks.said(0)
    else:
        # Where the store lives in the rank that fails, torch itself has something to say.
        assert "error: " not in ranks.said(1)
    assert "what was measured so far is in" in ranks.said(0)
    assert 15 <= len(read_curves(folder / "out" / "curve.csv")[0]) <= 20


SLOW = """
def step(model, batch, index):
    if index == 20:
        open(f"reached.{RANK}", "w").close()
    time.sleep(0.01)
    return cross_entropy(model, batch)
"""


def test_a_rank_that_is_killed_ends_the_others(tmp_path: Path) -> None:
    """The first rank names the one that is gone, and keeps what was measured."""
    folder = project(tmp_path, SLOW)
    ranks = Ranks(folder, "run", "c.yaml", "--set=step=train.py:step")
    ranks.wait_for((folder / "reached.1").exists)
    ranks.kill(1)

    codes = ranks.end()

    assert codes[0] == ExitCode.BAD_INPUT
    assert "error: rank 1: died without a word" in ranks.said(0)
    assert "Traceback" not in ranks.said(0)
    assert len(read_curves(folder / "out" / "curve.csv")[0]) >= 15


def test_when_the_first_rank_is_killed_the_others_end(tmp_path: Path) -> None:
    """No rank goes on without the one that writes, even where the store died with it."""
    folder = project(tmp_path, SLOW)
    ranks = Ranks(folder, "run", "c.yaml", "--set=step=train.py:step")
    ranks.wait_for((folder / "reached.1").exists)
    ranks.kill(0)

    assert ranks.end()[1] == ExitCode.BAD_INPUT
