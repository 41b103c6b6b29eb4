"""Independent work dealt out to two ranks: batch sizes, configs, seeds of a pin and of a check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rank_runs import CONFIG, Ranks, finished, project

from lrfind.errors import ExitCode

REPLICAS = CONFIG + "distributed: replicas\n"


def has_files_of(folder: Path, other: Path) -> None:
    """Check that two runs left the same files, byte by byte but for times and random pictures."""
    names = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(other) for p in other.rglob("*") if p.is_file())
    for name in names:
        if name.suffix == ".json":
            assert timeless(folder / name) == timeless(other / name)
        elif name.suffix == ".csv":
            assert (folder / name).read_bytes() == (other / name).read_bytes()


def timeless(path: Path) -> Any:
    """Read JSON without the keys that tell when and how long."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            times = ("elapsed_s", "created", "pinned_at", "time")
            return {key: bare(inner) for key, inner in value.items() if key not in times}
        return [bare(inner) for inner in value] if isinstance(value, list) else value

    return bare(json.loads(path.read_text()))


def test_batch_sizes_leave_the_files_of_one_process(tmp_path: Path) -> None:
    """Each rank sweeps some sizes alone; the first one fits the law to all of them."""
    one, two = (project(tmp_path / name, config=REPLICAS) for name in ("one", "two"))
    sizes = ("--batch-sizes", "16,32,64")

    finished(one, "run", "c.yaml", *sizes, "--format", "json", size=1)
    ranks = finished(two, "run", "c.yaml", *sizes, "--format", "json")

    has_files_of(one / "out", two / "out")
    assert ranks.said(0, "stdout") == (one / "stdout.0").read_text()
    assert ranks.said(1) == ranks.said(1, "stdout") == ""


def test_configs_leave_the_files_of_one_process_and_fail_alone(tmp_path: Path) -> None:
    """A config that crashes, and one that is wrong, take nothing from the others; both ranks end
    with the worst exit code, and the first one tells of all."""
    code = """
    def crash(model, batch):
        os._exit(7)
    """
    folders = [project(tmp_path / name, code, REPLICAS) for name in ("one", "two")]
    names = ["c.yaml", "crash.yaml", "wrong.yaml", "other.yaml"]
    for folder in folders:
        folder.joinpath("crash.yaml").write_text(
            REPLICAS.replace("cross_entropy", "crash").replace("output: out", "output: out/crash")
        )
        folder.joinpath("wrong.yaml").write_text("model: 3\n")
        other = REPLICAS.replace("adamw", "sgd").replace("output: out", "output: out/other")
        folder.joinpath("other.yaml").write_text(other)
    one, two = folders

    alone = Ranks(one, "run", *names, "--format", "json", size=1)
    assert alone.end() == [ExitCode.BAD_INPUT], alone.said(0)
    ranks = Ranks(two, "run", *names, "--format", "json")
    assert ranks.end() == [ExitCode.BAD_INPUT] * 2, ranks.said(0)

    has_files_of(one / "out", two / "out")
    assert ranks.said(0, "stdout") == alone.said(0, "stdout")
    assert ranks.said(1, "stdout") == ""
    told = json.loads(alone.said(0, "stdout"))
    assert [run["exit_code"] for run in told["runs"]] == [0, 2, 2, 0]
    assert "its process ended itself with exit code 7" in told["runs"][1]["why"]
    assert (one / "out/other/curve.png").exists()


def test_a_pin_and_its_check_are_those_of_one_process(tmp_path: Path) -> None:
    """Seeds are dealt out; lock and verdict are the same, and both ranks end with the same code."""
    config = REPLICAS.replace("auto_range", "side_by_side: false, auto_range")
    one, two = (project(tmp_path / name, config=config) for name in ("one", "two"))

    finished(one, "pin", "c.yaml", size=1)
    ranks = finished(two, "pin", "c.yaml")
    assert timeless(one / "c.lrlock.json") == timeless(two / "c.lrlock.json")
    assert ranks.said(1) == ranks.said(1, "stdout") == ""

    options = ("check", "c.yaml", "--verify", "--format", "json")
    finished(one, *options, size=1)
    good = finished(two, *options)
    assert timeless(two / "stdout.0") == timeless(one / "stdout.0")
    assert json.loads(good.said(0, "stdout"))["checks"][0]["decades"] == 0

    lock = json.loads((two / "c.lrlock.json").read_text())
    (two / "c.lrlock.json").write_text(json.dumps(lock | {"lr": lock["lr"] * 10}))
    drifted = Ranks(two, "check", "c.yaml")
    assert drifted.end() == [ExitCode.DRIFT] * 2
    assert drifted.said(0, "stdout").splitlines()[1].startswith("drifted")


def test_several_checks_are_dealt_out(tmp_path: Path) -> None:
    """Each config is swept by one rank; both know all answers, and the first one tells them."""
    folder = project(tmp_path, config=REPLICAS)
    for name in ("a.yaml", "b.yaml"):
        folder.joinpath(name).write_text(REPLICAS)
        finished(folder, "pin", name, size=1)
    ranks = Ranks(folder, "check", "a.yaml", "b.yaml", "c.yaml")

    assert ranks.end() == [ExitCode.BAD_INPUT] * 2, ranks.said(0)
    assert "2 good" in ranks.said(0, "stdout")
    assert "there is no lock of c.yaml" in ranks.said(0, "stdout")
    assert ranks.said(1, "stdout") == ""


FAILING = {
    "raises": ('raise ValueError("no more of this")', "no more of this"),
    "dies": ("os.kill(os.getpid(), signal.SIGKILL)", "rank 1: died without a word"),
}


@pytest.mark.parametrize("way", FAILING)
def test_a_rank_that_fails_at_its_batch_size_ends_the_others(way: str, tmp_path: Path) -> None:
    """Nobody waits for what will never come; sizes that are done are there."""
    act, said = FAILING[way]
    code = f"""
    def step(model, batch, index):
        if RANK == 1 and index == 20:
            {act}
        time.sleep(0.002)
        return cross_entropy(model, batch)
    """
    folder = project(tmp_path, code, REPLICAS.replace("cross_entropy", "step"))
    ranks = Ranks(folder, "run", "c.yaml", "--batch-sizes", "16,32,64")

    codes = ranks.end()

    assert codes[0] == ExitCode.BAD_INPUT, ranks.said(0)
    assert said in ranks.said(0)
    assert "internal error" not in ranks.said(0)
    assert list((folder / "out").glob("batch-*/report.json"))
    assert not (folder / "out/batch-sizes.json").exists()


SLOW = """
def step(model, batch, index):
    if index == 20:
        open(f"reached.{batch[0].shape[0]}", "w").close()
    time.sleep(0.02)
    return cross_entropy(model, batch)
"""


def test_a_killed_rank_leaves_what_came_of_the_other_configs(tmp_path: Path) -> None:
    """The first rank tells of its own configs, names the one that is gone, and does not wait."""
    folder = project(tmp_path, SLOW)
    for size in (16, 32):
        text = REPLICAS.replace("batch_size: 32", f"batch_size: {size}")
        text = text.replace("cross_entropy", "step").replace("output: out", f"output: out/{size}")
        folder.joinpath(f"{size}.yaml").write_text(text)
    ranks = Ranks(folder, "run", "16.yaml", "32.yaml", "--set=sweep.steps=60")
    ranks.wait_for(lambda: (folder / "reached.16").exists() and (folder / "reached.32").exists())
    ranks.kill(1)

    codes = ranks.end()

    assert codes[0] == ExitCode.BAD_INPUT
    assert "rank 1: died without a word" in ranks.said(0)
    assert "ended with 1 of 2 configs run" in ranks.said(0)
    assert len(ranks.said(0, "stdout").splitlines()) > 1


def test_ctrl_c_saves_every_config_that_was_running(tmp_path: Path) -> None:
    """Both ranks save what their configs measured, and the first one ends with a table."""
    folder = project(tmp_path, SLOW)
    for size in (16, 32):
        text = REPLICAS.replace("batch_size: 32", f"batch_size: {size}")
        text = text.replace("cross_entropy", "step").replace("output: out", f"output: out/{size}")
        folder.joinpath(f"{size}.yaml").write_text(text)
    ranks = Ranks(folder, "run", "16.yaml", "32.yaml", "--set=sweep.steps=2000")
    ranks.wait_for(lambda: (folder / "reached.16").exists() and (folder / "reached.32").exists())
    for rank in (0, 1):
        ranks.kill(rank, "SIGINT")

    assert ranks.end() == [ExitCode.INTERRUPTED] * 2, ranks.said(0)
    for size in (16, 32):
        report = json.loads((folder / f"out/{size}/report.json").read_text())
        assert report["curves"][0]["stop"] == "interrupted"
    assert "interrupted" in ranks.said(0, "stdout")
