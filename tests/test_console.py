"""Words on stdout and stderr: answers, errors, progress, and the plot in the terminal."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_reports import clean_curve, report, suggestion, unsmoothed, variants

from lrfind.console import SweepProgress, render, show_error, terminal_plot
from lrfind.curve import Curve, Step, StopReason
from lrfind.errors import (
    ConfigError,
    InputError,
    NoSuggestionError,
    Problem,
    UserCodeError,
)
from lrfind.registry import import_file
from lrfind.report import Report
from lrfind.report_form import from_json
from lrfind.suggest.answer import Note, Verdict

VARIANTS = variants()
SNAPSHOTS = Path(__file__).parent / "snapshots"
FILES = [Path("runs/digits") / name for name in ("curve.csv", "curve.png", "report.json")]
NEXT = "lrfind pin configs/digits.yaml"


def check_snapshot(name: str, text: str) -> None:
    """Compare with a stored text; LRFIND_UPDATE_SNAPSHOTS=1 stores it anew."""
    path = SNAPSHOTS / name
    if os.environ.get("LRFIND_UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")

    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", ["clean", "seeds", "flat"])
def test_the_table_reads_as_stored(name: str, width: int) -> None:
    """Answer first, then range, verdict, reason, notes, files, next command."""
    text = render(VARIANTS[name], "table", width=width, files=FILES, next_command=NEXT)

    assert max(map(len, text.splitlines())) <= width
    check_snapshot(f"table-{name}-{width}.txt", text)


def still(name: str) -> Report:
    """A variant without noise and smoothing, so that a stored drawing depends on neither."""
    shown = VARIANTS[name]
    if name == "flat":
        lr = shown.curves[0].lr
        return replace(shown, curves=(unsmoothed(Curve(lr, 2.3 + 0.01 * np.sin(np.log(lr)))),))
    curves = (clean_curve(curve.seed, noise=0.0) for curve in shown.curves)
    return replace(shown, curves=tuple(map(unsmoothed, curves)))


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", ["clean", "seeds", "flat"])
def test_the_terminal_plot_reads_as_stored(name: str, width: int) -> None:
    """Curve, answer, range and end; on a wide terminal no wider than reads well."""
    check_snapshot(f"plot-{name}-{width}.txt", terminal_plot(still(name), width=width))


def test_the_ascii_plot_reads_as_stored() -> None:
    """The same drawing for a terminal without Unicode."""
    check_snapshot("plot-clean-ascii.txt", terminal_plot(still("clean"), unicode=False))


def test_the_markdown_reads_as_stored() -> None:
    """A heading, a table, the verdict, and where the files are."""
    shown = replace(VARIANTS["seeds"], notes=VARIANTS["flat"].notes)
    text = render(shown, "markdown", files=FILES, next_command=NEXT)

    check_snapshot("markdown-seeds.md", text)
    check_snapshot(
        "markdown-flat.md",
        render(VARIANTS["flat"], "markdown", files=FILES, next_command=NEXT),
    )


@given(st.floats(1e-12, 1e6))
@settings(deadline=None, max_examples=50)
def test_the_bare_number_is_the_one_in_the_report(lr: float) -> None:
    """`--format lr` is one number and a newline, equal in all its digits to report.json's."""
    shown = report(clean_curve(), answer=suggestion(lr=lr))
    text = render(shown, "lr")

    assert text == f"{lr!r}\n"
    assert float(text) == json.loads(render(shown, "json"))["suggestion"]["lr"] == lr


def test_no_suggestion_is_no_number() -> None:
    """A script that reads the LR gets nothing, not a word it might take for one."""
    assert render(VARIANTS["flat"], "lr") == ""


def test_json_is_the_report() -> None:
    """What JSON says reads back as the same suggestion."""
    read = from_json(render(VARIANTS["seeds"], "json"))

    assert read.suggestion == VARIANTS["seeds"].suggestion


def test_an_unknown_format_is_refused() -> None:
    """Formats are a closed set."""
    with pytest.raises(ValueError, match="xml"):
        render(VARIANTS["clean"], "xml")


def test_colour_is_there_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours change no word, and FORCE_COLOR does not bring them into plain text."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    plain = render(VARIANTS["clean"], "table", width=80)
    colored = render(VARIANTS["clean"], "table", width=80, color=True)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", colored)

    assert "\x1b" not in plain
    assert "\x1b[1;32m3.2e-03" in colored
    assert [line.rstrip() for line in bare.splitlines()] == plain.splitlines()


def test_text_of_a_user_stays_text() -> None:
    """Markup in a title or a note is shown, in the table and in Markdown."""
    note = Note("x", "see [red]this[/red] :smile: | <b>", "use `a|b` & *c*")
    shown = replace(VARIANTS["clean"], notes=(note,), title="a|b <script> `x`\n# y")
    table, markdown = render(shown, "table", width=120), render(shown, "markdown")

    assert "see [red]this[/red] :smile: | <b>" in table
    assert r"### lrfind: a\|b &lt;script&gt; \`x\` \# y" in markdown.splitlines()
    assert r"use \`a\|b\` &amp; \*c\*" in markdown


def test_files_are_listed_a_folder_a_line() -> None:
    """Two folders take two lines, the name of the row stands once."""
    text = render(VARIANTS["clean"], "table", width=80, files=[*FILES, Path("other/a.png")])

    assert "files    runs/digits: curve.csv, curve.png, report.json\n         other: a.png" in text


# Errors


def test_each_problem_has_its_line_and_many_are_counted() -> None:
    """Every problem is shown as it was told; the count comes last."""
    one = Problem("c.yaml:3", "sweep.steps = 0 must be at least 2", "raise it")
    two = Problem("c.yaml:7", "unknown key 'lrr'", "did you mean 'lr'?")

    assert show_error(InputError(one)) == (
        "error: c.yaml:3: sweep.steps = 0 must be at least 2; raise it\n"
    )
    assert show_error(ConfigError(one, two)).splitlines() == [
        "error: c.yaml:3: sweep.steps = 0 must be at least 2; raise it",
        "error: c.yaml:7: unknown key 'lrr'; did you mean 'lr'?",
        "2 problems",
    ]


def test_outcomes_are_not_called_errors() -> None:
    """A refusal to suggest is told in its own words."""
    refusal = NoSuggestionError(Verdict.NO_SIGNAL, "loss fell 0.1", "take more steps")

    assert show_error(refusal) == "no suggestion (no-signal): loss fell 0.1; take more steps\n"


def user_error(path: Path) -> UserCodeError:
    """An error as a sweep raises it for a module of the user's."""
    try:
        import_file(path)
    except Exception as cause:
        error = UserCodeError(Problem("c.yaml:1: model.target", "importing it raised", "mend it"))
        error.__cause__ = cause
        return error
    raise AssertionError


def test_the_users_own_frames_are_shown(tmp_path: Path) -> None:
    """Their files and lines are there; lrfind's and the import machinery's are not."""
    path = tmp_path / "train.py"
    path.write_text("def build():\n    return 1 / 0\n\nbuild()\n")
    text = show_error(user_error(path))

    assert text.startswith("error: c.yaml:1: model.target: importing")
    assert f'File "{path}", line 4' in text
    assert f'File "{path}", line 2, in build' in text
    assert text.endswith("ZeroDivisionError: division by zero\n")
    assert "registry.py" not in text
    assert "importlib" not in text


def test_frames_inside_torch_are_folded(tmp_path: Path) -> None:
    """Torch's internals below the user's call become a line."""
    folder = tmp_path / "site-packages" / "torch"
    folder.mkdir(parents=True)
    (folder / "inner.py").write_text(
        "def a():\n    b()\ndef b():\n    raise RuntimeError('shapes')\n"
    )
    path = tmp_path / "train.py"
    path.write_text(
        f"import sys; sys.path.insert(0, {str(folder)!r})\n"
        "import inner\nsys.path.pop(0)\ninner.a()\n"
    )
    text = show_error(user_error(path))

    assert f'File "{path}", line 4' in text
    assert "  … 2 frames inside torch\nRuntimeError: shapes\n" in text
    assert "inner.py" not in text


def test_a_syntax_error_shows_its_line(tmp_path: Path) -> None:
    """There is no frame of the user's yet; the file, the line and the caret are what counts."""
    path = tmp_path / "train.py"
    path.write_text("def build(:\n")
    text = show_error(user_error(path))

    assert f'File "{path}", line 1' in text
    assert "SyntaxError" in text


def test_debug_shows_everything(tmp_path: Path) -> None:
    """With debug the whole chain is there, ours included."""
    path = tmp_path / "train.py"
    path.write_text("1 / 0\n")
    text = show_error(user_error(path), debug=True)

    assert "registry.py" in text
    assert "The above exception was the direct cause" in text


# Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """True."""
        return True


def run(progress: SweepProgress, steps: int, *, step_s: float, count: int = 1) -> None:
    """Drive a progress as the sweep engine does."""
    for index in range(count):
        progress.begin(10 + index, index, count, 200)
        for i in range(steps):
            progress.step(Step(i, 1e-7 * 1.1**i, 2.3 - 0.01 * i, step_s * i))
        progress.end(StopReason.DIVERGED)


def test_a_log_gets_one_plain_line_a_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Away from a terminal there is no bar and no colour, even if FORCE_COLOR is set."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    stream = io.StringIO()
    with SweepProgress(stream=stream) as progress:
        run(progress, 143, step_s=0.02, count=2)

    assert stream.getvalue().splitlines() == [
        "seed 1/2 (10): 143 of 200 steps in 2.8 s; stopped early because the loss diverged",
        "seed 2/2 (11): 143 of 200 steps in 2.8 s; stopped early because the loss diverged",
    ]


def test_quiet_says_nothing() -> None:
    """Neither a bar nor a line."""
    stream = Terminal()
    with SweepProgress(stream=stream, quiet=True) as progress:
        run(progress, 5, step_s=1.0)

    assert stream.getvalue() == ""


def test_a_long_sweep_is_timed_in_minutes() -> None:
    """Seconds up to two minutes, then a clock."""
    stream = io.StringIO()
    progress = SweepProgress(stream=stream)
    progress.begin(0, 0, 1, 2)
    progress.step(Step(0, 1e-3, 2.0, 3725.0))
    progress.end(StopReason.INTERRUPTED)

    assert (
        stream.getvalue() == "seed 0: 1 of 2 steps in 1:02:05; interrupted; the curve is partial\n"
    )


# The plot in the terminal


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("width", [40, 80, 100])
def test_the_plot_keeps_to_its_size(name: str, width: int) -> None:
    """As many lines as asked for, none too wide; the ASCII form is ASCII."""
    for unicode in (True, False):
        text = terminal_plot(VARIANTS[name], width=width, height=14, unicode=unicode)

        assert len(text.splitlines()) == 14
        assert max(map(len, text.splitlines())) <= width
        assert unicode or text.isascii()


def test_the_answer_stands_under_its_number() -> None:
    """The label of lr ends at the column of its mark, that of peak_lr begins at its own."""
    lines = terminal_plot(VARIANTS["clean"], width=100).splitlines()
    dot = next(line.index("●") for line in lines if "●" in line)
    diamond = next(line.index("◇") for line in lines if "◇" in line)

    assert lines[0].index("3.2e-03") + len("3.2e-03") - 1 == dot
    assert lines[0].index("peak_lr") == diamond


def test_the_range_is_heavy_on_the_axis() -> None:
    """The heavy part of the axis spans low to high, in proportion to the decades."""
    axis = terminal_plot(VARIANTS["clean"], width=100).splitlines()[-3]
    heavy = [i for i, char in enumerate(axis) if char in "━┯"]
    curve = VARIANTS["clean"].curves[0]
    a_decade = (100 - axis.index("└") - 1) / np.log10(curve.lr[-1] / curve.lr[0])

    assert len(heavy) == pytest.approx(np.log10(5e-2 / 6e-4) * a_decade, abs=2)
    assert heavy == list(range(heavy[0], heavy[-1] + 1))


def test_an_explosion_leaves_through_the_top() -> None:
    """A loss of 1e30 gives the same valley as one that diverged mildly."""
    mild, wild = (
        terminal_plot(replace(VARIANTS[name], curves=(unsmoothed(VARIANTS[name].curves[0]),)))
        for name in ("clean", "exploding")
    )

    assert "▲" in wild
    assert wild.splitlines()[4:] == mild.splitlines()[4:]


def line_column(text: str, rows: slice) -> Callable[[int], str]:
    """Read a column of a drawing from top to bottom."""
    lines = [line.ljust(200) for line in text.splitlines()[rows]]
    return lambda x: "".join(line[x] for line in lines)


def test_the_ascii_line_is_connected() -> None:
    """Neighbouring columns of the line share a row or touch diagonally."""
    shown = replace(VARIANTS["clean"], suggestion=None, no_answer=VARIANTS["flat"].no_answer)
    text = terminal_plot(shown, unicode=False)
    column = line_column(text, slice(1, -3))
    left = text.splitlines()[-3].index("+") + 1
    rows = [[y for y, char in enumerate(column(x)) if char in "*^"] for x in range(left, 80)]
    drawn = [row for row in rows if row]

    assert len(drawn) > 60
    for before, after in itertools.pairwise(drawn):
        assert min(abs(a - b) for a in before for b in after) <= 1


def test_nothing_measured_draws_nothing() -> None:
    """No finite loss, no plot."""
    empty = report(Curve(np.array([1e-3]), np.array([np.nan])))

    assert terminal_plot(empty) == ""


@given(
    losses=st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=40),
    tail=st.sampled_from([None, np.nan, np.inf]),
    end=st.sampled_from([1.5e-7, 1e-3, 1e3]),
    width=st.integers(30, 120),
    unicode=st.booleans(),
)
@settings(deadline=None, max_examples=100)
def test_any_curve_can_be_plotted(
    losses: list[float], tail: float | None, end: float, width: int, unicode: bool
) -> None:
    """Losses of any size and any end keep the plot within its width."""
    loss = np.array(losses if tail is None else [*losses, tail])
    curve = Curve(np.geomspace(1e-7, end, len(loss)), loss)
    text = terminal_plot(report(curve), width=width, unicode=unicode)

    assert all(len(line) <= width for line in text.splitlines())


def test_the_console_needs_no_heavy_import() -> None:
    """Neither torch nor matplotlib nor pandas is loaded to print an answer."""
    code = (
        "import sys, lrfind.console\n"
        "print([m for m in ('torch', 'matplotlib', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
