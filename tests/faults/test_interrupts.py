"""Ctrl-C, SIGTERM and SIGHUP at every stage of a run: nothing lost, nothing torn, no traceback."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest
from fault_runs import CONFIG, Ended, Run, project, rows_of, temporary_files

from lrfind.errors import ExitCode
from lrfind.export import read_curves

STEPPING = """
    def step(model, batch, index):
        reach(index, 60)
        time.sleep(0.002)
        return ((model(batch) - 1) ** 2).mean()
"""


def is_clean(done: Ended) -> None:
    """Check that a process died of itself and said nothing that looks like a crash."""
    assert done.code == ExitCode.INTERRUPTED, done.err
    for bad in ("Traceback", "internal error", "Exception", "Error"):
        assert bad not in done.err, done.err


def is_partial(folder: Path, done: Ended, least: int) -> None:
    """Check that the files of a partial run are there, whole, and say that they are partial."""
    out = folder / "out"
    report = json.loads((out / "report.json").read_text())
    assert rows_of(out / "curve.csv") >= least
    assert len(read_curves(out / "curve.csv")[0]) == len(report["curves"][0]["lr"])
    assert any("partial" in note["message"] for note in report["notes"])
    assert report["suggestion"] or report["no_answer"]
    assert temporary_files(out) == []
    assert "partial" in done.out + done.err


@pytest.mark.parametrize("output_format", ["table", "lr", "json", "markdown"])
def test_two_ctrl_cs_give_a_partial_answer_in_every_format(
    output_format: str, tmp_path: Path
) -> None:
    """The curve so far is saved and read, and each format marks the answer as partial.

    More of them, while that is done, tear nothing.
    """
    run = Run(project(tmp_path, STEPPING), "run", "c.yaml", "--format", output_format)
    run.wait_for_file()
    run.send("SIGINT", *["SIGINT"] * {"table": 1, "lr": 8}.get(output_format, 3))
    done = run.end()

    is_clean(done)
    is_partial(tmp_path, done, 55)
    assert (tmp_path / "out" / "curve.png").read_bytes().endswith(b"IEND\xaeB`\x82")
    assert "partial" in (done.err if output_format == "lr" else done.out)


@pytest.mark.parametrize("signals", [["SIGTERM"], ["SIGHUP"], ["SIGTERM", "SIGINT", "SIGTERM"]])
def test_a_terminated_run_is_done_in_two_seconds(signals: list[str], tmp_path: Path) -> None:
    """SIGTERM and SIGHUP save the curve and its reading as Ctrl-C does, and in time."""
    run = Run(project(tmp_path, STEPPING), "run", "c.yaml")
    run.wait_for_file()
    run.send(*signals)
    done = run.end()

    is_clean(done)
    is_partial(tmp_path, done, 55)
    assert f"ended by {signals[0]}" in done.err
    assert done.elapsed_s < 2


DEAF = {
    "sleeps in one step": "time.sleep(60)",
    "swallows the interrupt": """
            while True:
                try:
                    time.sleep(0.01)
                except BaseException:
                    pass
    """,
    "stands in C code": "torch.svd(torch.randn(6000, 6000))",
}


@pytest.mark.parametrize("name", DEAF)
def test_a_step_that_never_comes_back_is_left(name: str, tmp_path: Path) -> None:
    """SIGTERM during a slow or a deaf step still ends the run in two seconds, all saved."""
    code = f"""
    def step(model, batch, index):
        if reach(index, 60):
            {DEAF[name].strip()}
        return ((model(batch) - 1) ** 2).mean()
    """
    run = Run(project(tmp_path, code), "run", "c.yaml")
    run.wait_for_file()
    run.send("SIGTERM")
    done = run.end()

    is_clean(done)
    is_partial(tmp_path, done, 59)
    assert done.elapsed_s < 2


def test_ctrl_c_twice_leaves_a_deaf_step(tmp_path: Path) -> None:
    """A second Ctrl-C does not wait for code that swallowed the first."""
    code = """
    def step(model, batch, index):
        while reach(index, 60) or index == 60:
            try:
                time.sleep(0.01)
            except BaseException:
                pass
        return ((model(batch) - 1) ** 2).mean()
    """
    run = Run(project(tmp_path, code), "run", "c.yaml")
    run.wait_for_file()
    run.send("SIGINT", "SIGINT")
    done = run.end()

    is_clean(done)
    is_partial(tmp_path, done, 59)
    assert done.elapsed_s < 4


STAGES = {
    "importing": "open('reached', 'w').close(); time.sleep(5)",
    "data": "def data(): reach(0, 0); time.sleep(5); return [torch.ones(4, 3)] * 5",
    "model": "def model(): reach(0, 0); time.sleep(5); return nn.Linear(3, 1)",
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_before_the_first_step_there_is_nothing_to_lose(
    stage: str, name: str, tmp_path: Path
) -> None:
    """While targets are imported, data read or the model built, the run just ends and says so."""
    code = STAGES[stage] + "\ndef step(model, batch): return model(batch).mean()\n"
    run = Run(project(tmp_path, code), "run", "c.yaml")
    run.wait_for_file()
    run.send(name)
    done = run.end()

    is_clean(done)
    assert done.err.endswith("ended before anything was measured\n")
    assert done.out == ""
    assert done.elapsed_s < 2
    assert list((tmp_path / "out").iterdir()) == []


def test_between_seeds_the_done_ones_are_kept(tmp_path: Path) -> None:
    """Ctrl-C while the third model is built keeps two whole curves, marked as part of the run."""
    code = """
    made = []
    def model():
        made.append(0)
        if reach(len(made), 3):
            time.sleep(5)
        return nn.Linear(3, 1)
    def step(model, batch):
        return ((model(batch) - 1) ** 2).mean()
    """
    seeds = "sweep: {steps: 80, seeds: 5, auto_range: false}\n"
    run = Run(project(tmp_path, code, CONFIG + seeds), "run", "c.yaml")
    run.wait_for_file()
    run.send("SIGINT", "SIGINT")
    done = run.end()

    is_clean(done)
    is_partial(tmp_path, done, 140)
    assert "ended after 2 of 5 sweeps" in " ".join(done.out.split())


COUNTING = """
    calls = []
    def step(model, batch):
        calls.append(0)
        reach(len(calls), {at})
        time.sleep(0.001)
        return ((model(batch{part}) - 1) ** 2).mean()
"""
SHORT = CONFIG + "sweep: {steps: 100, auto_range: false}\n"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_trials_that_are_cut_short_leave_the_sweeps_answer(name: str, tmp_path: Path) -> None:
    """A signal during `--refine` keeps the sweep, its suggestion, and a note of the trials."""
    folder = project(tmp_path, COUNTING.format(at=180, part=""), SHORT)
    run = Run(folder, "run", "c.yaml", "--refine")
    run.wait_for_file()
    run.send(name, name)
    done = run.end()

    is_clean(done)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["suggestion"]
    assert "refine-interrupted" in [note["code"] for note in report["notes"]]
    assert "the trials were interrupted" in " ".join(done.out.split())


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_batch_sizes_that_are_done_are_kept(name: str, tmp_path: Path) -> None:
    """A signal in the second size keeps the first whole, the second in part, and ends the run."""
    code = (
        "def data(): return torch.utils.data.TensorDataset(torch.ones(64, 3))\n"
        + textwrap.dedent(COUNTING.format(at=170, part="[0]"))
    )
    run = Run(project(tmp_path, code, SHORT), "run", "c.yaml", "--batch-sizes", "4,8,16")
    run.wait_for_file()
    run.send(name, name)
    done = run.end()

    is_clean(done)
    out = tmp_path / "out"
    first, second = (json.loads((out / f"batch-{n}/report.json").read_text()) for n in (4, 8))
    assert first["curves"][0]["stop"] != "interrupted"
    assert second["curves"][0]["stop"] == "interrupted"
    assert not (out / "batch-16").exists()
    if name == "SIGINT":
        assert json.loads((out / "batch-sizes.json").read_text())["sizes"]
