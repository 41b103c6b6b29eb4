"""Commands whose sweeps two ranks do together: what one process finds, told by the first rank."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from rank_runs import CONFIG, Ranks, finished, project
from test_ddp import has_curve_of

from lrfind.errors import ExitCode


def test_batch_sizes_of_each_rank(tmp_path: Path) -> None:
    """Every size is swept by both ranks, as one process sweeps twice that; the title says so."""
    one, two = project(tmp_path / "one"), project(tmp_path / "two")

    finished(one, "run", "c.yaml", "--batch-sizes", "32,64", size=1)
    ranks = finished(two, "run", "c.yaml", "--batch-sizes", "16,32")

    for size in (16, 32):
        (two / f"out/batch-{size}").rename(two / "out/out")
        (one / f"out/batch-{2 * size}").rename(one / "out/out")
        has_curve_of(one / "out", two / "out")
        (two / "out/out").rename(two / f"out/batch-{size}")
        (one / "out/out").rename(one / f"out/batch-{2 * size}")
    law = json.loads((two / "out/batch-sizes.json").read_text())
    assert law["title"].endswith("lr against batch size of each of 2 ranks")
    assert law["sizes"] == [16, 32]
    assert ranks.said(1) == ranks.said(1, "stdout") == ""


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_a_pin_by_both_ranks_is_good_for_both_ranks(strategy: str, tmp_path: Path) -> None:
    """Its LR is that of one process with twice the batch, and a check by the same ranks is good."""
    one, two = project(tmp_path / "one"), project(tmp_path / "two")
    (one / "c.yaml").write_text(CONFIG.replace("batch_size: 32", "batch_size: 64"))
    (two / "c.yaml").write_text(CONFIG + f"distributed: {strategy}\n")

    finished(one, "pin", "c.yaml", "--seeds", "2", size=1)
    ranks = finished(two, "pin", "c.yaml", "--seeds", "2")
    locks = [json.loads((folder / "c.lrlock.json").read_text()) for folder in (one, two)]
    assert abs(math.log10(locks[0]["lr"] / locks[1]["lr"])) < 0.02
    assert locks[1]["device"] == "2 × cpu"
    assert ranks.said(1) == ranks.said(1, "stdout") == ""

    good = finished(two, "check", "c.yaml", "--verify", "--format", "json")
    (check,) = json.loads(good.said(0, "stdout"))["checks"]
    assert check["decades"] == 0
    assert len(check["trials"]) == 3
    assert good.said(1) == good.said(1, "stdout") == ""


def test_no_answer_is_told_once_with_the_same_exit_code(tmp_path: Path) -> None:
    """`run` and `pin` of a loss that never falls end with 3 on both ranks."""
    code = """
    def flat(model, batch):
        return cross_entropy(model, batch) * 0 + torch.randn(())
    """
    folder = project(tmp_path, code, CONFIG.replace("cross_entropy", "flat"))

    ran = Ranks(folder, "run", "c.yaml")
    assert ran.end() == [ExitCode.NO_SUGGESTION] * 2, ran.said(0)
    assert ran.said(1) == ran.said(1, "stdout") == ""
    pinned = Ranks(folder, "pin", "c.yaml", "--seeds", "2")
    assert pinned.end() == [ExitCode.NO_SUGGESTION] * 2
    assert "no suggestion" in pinned.said(0)
    assert pinned.said(1) == pinned.said(1, "stdout") == ""
    assert not (folder / "c.lrlock.json").exists()


def test_files_that_cannot_be_written_are_the_exit_code_of_all(tmp_path: Path) -> None:
    """What only the first rank meets after the sweep becomes the others' exit code too."""
    code = """
    def step(model, batch, index):
        if RANK == 0 and index == 30:
            os.rename("out", "moved")
            open("out", "w").close()
        return cross_entropy(model, batch)
    """
    folder = project(tmp_path, code, CONFIG.replace("cross_entropy", "step"))
    ranks = Ranks(folder, "run", "c.yaml")

    assert ranks.end() == [ExitCode.NOT_WRITTEN] * 2, ranks.said(0)
    assert "was saved in" in ranks.said(0)


@pytest.mark.parametrize("strategy", ["ddp", "fsdp", "replicas"])
def test_validate_loads_everything_on_all_ranks(strategy: str, tmp_path: Path) -> None:
    """One forward and backward pass together; the first rank tells what was found."""
    folder = project(tmp_path, config=CONFIG + f"distributed: {strategy}\n")

    ranks = finished(folder, "validate", "c.yaml")

    assert f"ranks      2, {strategy}" in ranks.said(0, "stdout")
    assert ranks.said(1, "stdout") == ""


@pytest.mark.parametrize("command", ["validate", "pin", "check"])
def test_what_only_one_rank_meets_is_told_by_the_first(command: str, tmp_path: Path) -> None:
    """An error of rank 1 ends both, with its number and its words, and nothing is pinned."""
    code = """
    def step(model, batch):
        if RANK == 1:
            raise ValueError("no more of this")
        return cross_entropy(model, batch)
    """
    folder = project(tmp_path, code, CONFIG.replace("cross_entropy", "step"))
    if command == "check":
        finished(folder, "pin", "c.yaml", "--seeds", "2", size=1)
    ranks = Ranks(folder, command, "c.yaml")

    assert ranks.end() == [ExitCode.BAD_INPUT] * 2
    said = " ".join((ranks.said(0) + ranks.said(0, "stdout")).split())
    assert "rank 1: " in said
    assert "no more of this" in said
    assert "internal error" not in said
    assert (folder / "c.lrlock.json").exists() == (command == "check")


@pytest.mark.parametrize("command", ["run", "check"])
def test_several_configs_are_not_trained_together(command: str, tmp_path: Path) -> None:
    """Both ranks refuse, the first one says what to write instead."""
    folder = project(tmp_path)
    (folder / "d.yaml").write_text(CONFIG)
    ranks = Ranks(folder, command, "c.yaml", "d.yaml")

    assert ranks.end() == [ExitCode.BAD_INPUT] * 2
    assert f"lrfind {command}: was given several configs and started 2 times" in ranks.said(0)
    assert "distributed: replicas" in ranks.said(0)
    assert ranks.said(1) == ""


def test_a_check_that_sweeps_nothing_is_told_once(tmp_path: Path) -> None:
    """`check --no-run` ends both ranks with the same code at once."""
    folder = project(tmp_path)
    finished(folder, "pin", "c.yaml", "--seeds", "2", size=1)
    with (folder / "train.py").open("a") as file:
        file.write("\n# changed\n")
    ranks = Ranks(folder, "check", "c.yaml", "--no-run")

    assert ranks.end() == [ExitCode.DRIFT] * 2
    assert "train.py changed" in ranks.said(0, "stdout")
    assert ranks.said(1) == ranks.said(1, "stdout") == ""


@pytest.mark.parametrize("ears", ["open", "shut"])
def test_a_check_that_takes_too_long_is_given_up_by_both(ears: str, tmp_path: Path) -> None:
    """`--timeout` ends both ranks, and the config counts as timed out, whoever has to tell it."""
    code = """
    def step(model, batch, index):
        ears = os.environ.get("EARS")
        while ears:
            try:
                time.sleep(0.2)
            except KeyboardInterrupt:
                if ears == "open":
                    raise
            if ears == "open":
                break
        return cross_entropy(model, batch)
    """
    folder = project(tmp_path, code, CONFIG.replace("cross_entropy", "step"))
    finished(folder, "pin", "c.yaml", "--seeds", "2", size=1)
    with (folder / "train.py").open("a") as file:
        file.write(f'\nos.environ["EARS"] = "{ears}"\n')
    ranks = Ranks(folder, "check", "c.yaml", "--run", "--timeout", "3")

    codes = ranks.end()

    assert codes[0] == ExitCode.TIMED_OUT, ranks.said(0)
    assert codes[1] != 0
    assert "timed out" in ranks.said(0, "stdout")
