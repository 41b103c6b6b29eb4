"""The schedule that an LR is for, told wherever the LR is: on screen, in files, from Python."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from sample_reports import clean_curve, report, suggestion, unsmoothed

from lrfind import load_config, range_test
from lrfind.batch_law import BatchPoint, fit_law
from lrfind.console import render, terminal_plot
from lrfind.console.batch_table import batch_markdown, batch_table
from lrfind.errors import ExitCode, InputError
from lrfind.export import write_curves, write_report
from lrfind.partial import partial_report
from lrfind.plot.picture import draw
from lrfind.report import Report, make_report, to_dict, to_json
from lrfind.report_form import from_json
from lrfind.saved import reread
from lrfind.schedulers.course import Course
from lrfind.suggest.answer import Suggestion

SNAPSHOTS = Path(__file__).parent / "snapshots"
DIGITS = Path(__file__).parents[1] / "configs" / "digits.yaml"

ANSWERS = {
    "cosine": suggestion(lr=5.8e-3, schedule=Course("cosine", 315, 15).title),
    "cyclic": suggestion(lr=5.8e-3, schedule=Course("cyclic", 800).title, base_lr=1.45e-3),
}
SHOWN = {name: report(clean_curve(), answer=answer) for name, answer in ANSWERS.items()}


def check_snapshot(name: str, text: str) -> None:
    """Compare with a stored text; LRFIND_UPDATE_SNAPSHOTS=1 stores it anew."""
    path = SNAPSHOTS / name
    if os.environ.get("LRFIND_UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")

    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("form", ["table", "markdown"])
def test_what_the_lr_is_for_reads_as_stored(name: str, form: str) -> None:
    """The line of the LR names the schedule; a cycle has its lower end beside it."""
    check_snapshot(f"{form}-for-{name}.txt", render(SHOWN[name], form))


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", ANSWERS)
def test_the_terminal_plot_names_the_schedule(name: str, width: int) -> None:
    """Only LRs of this schedule are marked; a lone one is told with what it is for."""
    still = replace(SHOWN[name], curves=(unsmoothed(clean_curve(noise=0.0)),))
    check_snapshot(f"plot-for-{name}-{width}.txt", terminal_plot(still, width=width))


def test_the_picture_names_the_schedule() -> None:
    """Over the frame stand the LR and what it is for, or both ends of the cycle."""
    texts = {
        name: {text.get_text().strip() for text in draw(shown).axes[0].texts}
        for name, shown in SHOWN.items()
    }

    assert {"lr 5.8e-03", "for cosine over 300 steps after 15 of warmup"} <= texts["cosine"]
    assert {"lr 5.8e-03", "base_lr 1.4e-03"} <= texts["cyclic"]
    for found in texts.values():
        assert not any("peak_lr" in text for text in found)


def test_a_long_schedule_stays_inside_a_narrow_plot() -> None:
    """What does not fit beside the LR is left to the table."""
    answer = suggestion(schedule="a schedule with a very long name " * 3)
    text = terminal_plot(report(clean_curve(), answer=answer), width=60)

    assert max(map(len, text.splitlines())) <= 60
    assert "lr 3.2e-03" in text


def test_json_holds_the_schedule_and_both_ends_of_a_cycle() -> None:
    """`max_lr` is there for scripts; reading back gives the same value."""
    for name, shown in SHOWN.items():
        data = to_dict(shown)["suggestion"]

        assert data["schedule"] == ANSWERS[name].schedule
        assert data["base_lr"] == ANSWERS[name].base_lr
        assert data["max_lr"] == (5.8e-3 if name == "cyclic" else None)
        assert from_json(to_json(shown)) == shown


def test_a_report_from_before_is_still_read() -> None:
    """One without the new keys is one that names no schedule."""
    data = to_dict(report(clean_curve()))
    for key in ("schedule", "base_lr", "max_lr"):
        del data["suggestion"][key]

    assert from_json(json.dumps(data)).suggestion == suggestion()


def test_the_sentence_of_a_suggestion_names_the_schedule() -> None:
    """`print(suggestion)` says what its LRs are for."""
    assert str(suggestion()).startswith("lr 3.2e-03, peak_lr 8.1e-03 (usable ")
    assert str(ANSWERS["cosine"]).startswith("lr 5.8e-03 for cosine over 300 steps after 15 of ")
    assert str(ANSWERS["cyclic"]).startswith("lr 5.8e-03, base_lr 1.4e-03 for cyclic over 800 ")


@pytest.mark.parametrize("answer", [*ANSWERS.values(), suggestion()])
def test_a_law_over_batch_sizes_shows_the_lrs_of_its_schedule(answer: Suggestion) -> None:
    """The second column is the one that this schedule has, and the schedule stands below."""
    law = fit_law([BatchPoint(32, answer), BatchPoint(64, None, "flat"), BatchPoint(128, answer)])
    table, markdown = batch_table(law, width=120), batch_markdown(law).replace("\\", "")
    name = answer.second[0] if answer.second else ""

    for text in (" ".join(table.split()), markdown):
        assert ("lr for " in text) == bool(answer.schedule)
        assert not answer.schedule or f"lr for {answer.schedule}" in text
        assert [key for key in ("peak_lr", "base_lr") if key in text] == [name] * bool(name)
    rows = [line for line in markdown.splitlines() if line.startswith("| ")]
    assert len({line.count("|") for line in rows}) == 1


def saved(folder: Path, schedule: dict[str, Any] | None) -> tuple[Path, Report]:
    """Save a report as `lrfind run` would."""
    course = Course.from_section(schedule)
    made = make_report([clean_curve()], "auto", purpose=course, spec={"schedule": schedule})
    path = folder / "report.json"
    write_report(made, path)
    return path, made


def test_a_saved_report_is_read_again_for_its_own_schedule(tmp_path: Path) -> None:
    """Another rule answers for the schedule of the config; another schedule can be asked for."""
    section = {"name": "cyclic", "args": {}, "warmup": 0, "steps": 800}
    path, made = saved(tmp_path, section)
    constant = make_report([clean_curve()], "auto").suggestion
    assert constant is not None
    steepest = reread(path, "steepest").suggestion
    asked = reread(path, schedule="constant").suggestion

    assert reread(path).suggestion == made.suggestion
    assert steepest is not None
    assert steepest.schedule == Course("cyclic", 800).title
    assert steepest.base_lr == pytest.approx(0.4 * steepest.lr)
    assert asked == replace(
        constant,
        schedule="a constant schedule",
        reason=f"{constant.reason}; for a constant schedule",
    )


def test_a_damaged_schedule_is_the_reports_fault(tmp_path: Path) -> None:
    """It is told with the file, and is no traceback."""
    path, _ = saved(tmp_path, None)
    data = json.loads(path.read_text())
    for broken in (
        3,
        {"args": {}},
        {"name": "cosin"},
        {"name": "cosine", "args": {"T_max": "x"}},
        {"name": "step", "args": {"gamma": 1e300}, "steps": 10**30},
    ):
        path.write_text(json.dumps(data | {"spec": {"schedule": broken}}))
        with pytest.raises(InputError, match=r"spec\.schedule is none that could be drawn"):
            reread(path)


def test_suggest_takes_a_schedule_for_a_bare_curve(
    lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """A CSV knows no config, so that the command line may name the schedule."""
    path = tmp_path / "curve.csv"
    write_curves([clean_curve()], path)
    named = lrfind("suggest", path, "--schedule", "step")
    number = lrfind("suggest", path, "--schedule", "step", "--format", "lr")
    wrong = lrfind("suggest", path, "--schedule", "stp")

    assert "for step over 1000 steps\n" in named.out
    assert "peak_lr" not in named.out
    assert float(number.out) > make_report([clean_curve()], "auto").suggestion.lr  # type: ignore[union-attr]
    assert number.err == "lr for step over 1000 steps\n"
    assert wrong.code == ExitCode.BAD_INPUT
    assert "--schedule: 'stp' is not bundled; did you mean 'step'?" in wrong.err


def test_a_run_answers_for_the_schedule_of_its_config(
    lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """The report, and the trials that refine it, are for the named schedule."""
    schedule = "schedule={name: cyclic, args: {step_size_up: 100}}"
    options = [
        "--set",
        "device=cpu",
        "--set",
        "sweep.steps=100",
        "--set",
        schedule,
        "--budget",
        400,
        "--out",
        tmp_path,
    ]
    outcome = lrfind("run", DIGITS, *options)
    found = json.loads((tmp_path / "report.json").read_text())

    assert outcome.code == ExitCode.OK, outcome.err
    assert found["spec"]["schedule"]["steps"] == 800
    answer = found["suggestion"]
    assert answer["schedule"] == Course("cyclic", 800).title
    assert answer["max_lr"] == answer["lr"]
    assert answer["base_lr"] == pytest.approx(0.4 * answer["lr"])
    assert answer["low"] <= answer["lr"] <= answer["high"]
    assert len(found["trials"]) >= 3
    assert len({trial["loss"] for trial in found["trials"]}) == len(found["trials"])
    assert "for cyclic over 800 steps, as its max_lr" in outcome.out


def test_a_range_test_in_python_answers_for_a_schedule() -> None:
    """A name or a section; what is wrong with it is told before anything trains."""
    x = torch.linspace(-1, 1, 64).reshape(-1, 1)

    def find(schedule: Any) -> Report:
        return range_test(
            lambda: torch.nn.Linear(1, 1), (x, 3 * x), "mse_loss", optimizer="sgd", steps=100,
            device="cpu", schedule=schedule,
        )  # fmt: skip

    plain, cyclic = find(None), find("cyclic")
    cosine = find({"name": "cosine", "args": {"T_max": 90}, "warmup": 10})

    assert plain.suggestion is not None
    assert cyclic.suggestion is not None
    assert cosine.suggestion is not None
    assert plain.suggestion.schedule == ""
    assert plain.spec == {}
    assert cyclic.suggestion.max_lr == cyclic.suggestion.lr > plain.suggestion.lr
    assert cosine.suggestion.lr == pytest.approx(1.63 * plain.suggestion.lr, rel=0.02)
    assert cosine.spec["schedule"]["steps"] == 100
    for wrong, told in (
        ("cosin", "did you mean 'cosine'"),
        ({"name": "cosine", "args": {"t_max": 3}}, "cosine has no argument 't_max'"),
        ({"name": "cosine", "warmup": -1}, "warmup = -1"),
        ({"args": {}}, "name"),
    ):
        with pytest.raises(InputError, match=told):
            find(wrong)


def test_a_partial_report_answers_for_the_schedule_too() -> None:
    """A run that was ended early is read as the whole would have been."""
    found = partial_report(load_config(DIGITS, ["schedule=cosine"]), [clean_curve()]).suggestion

    assert found is not None
    assert found.schedule == "cosine over 1000 steps"
