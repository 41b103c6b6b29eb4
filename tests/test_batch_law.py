"""LR against batch size: the law's value, its words and its picture."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from sample_reports import suggestion
from test_console import check_snapshot

from lrfind.batch_law import BatchLaw, BatchPoint, divides_by_gradient, fit_law, to_data, to_json
from lrfind.console.batch_table import batch_markdown, batch_table
from lrfind.errors import OutputError
from lrfind.plot.batch_sizes import draw_batch_law, save_batch_law
from lrfind.scaling import ADAM_CAVEAT, LARGE_BATCH_CAVEAT
from lrfind.suggest.answer import Verdict

SIZES = (32, 64, 128, 256, 512)
NO_SIGNAL = "no-signal: the loss moved by 0.4 σ; raise sweep.steps"
FILES = [Path("runs/digits") / name for name in ("batch-sizes.json", "batch-sizes.png")]


def point(size: int, lr: float, verdict: Verdict = Verdict.OK) -> BatchPoint:
    """An answer at one batch size."""
    answer = suggestion(lr=lr, peak_lr=2 * lr, low=lr / 5, high=4 * lr, verdict=verdict)
    return BatchPoint(size, answer)


def power_law(
    power: float, *, sizes: Sequence[int] = SIZES, jitter: float = 0.0
) -> list[BatchPoint]:
    """LRs on a power law, each second one off it by a factor."""
    signs = [(-1) ** i for i in range(len(sizes))]
    return [
        point(size, 1e-3 * (size / 32) ** power * math.exp(jitter * sign))
        for size, sign in zip(sizes, signs, strict=True)
    ]


def mixed() -> BatchLaw:
    """A law with answers of every kind."""
    points = power_law(0.5, jitter=0.1)
    points[3] = point(256, 2.6e-3, Verdict.LOW_CONFIDENCE)
    points[4] = BatchPoint(512, None, NO_SIGNAL)
    return fit_law(points, is_adam_style=True, title="digits: AdamW, lr against batch size")


@pytest.mark.parametrize(
    ("power", "jitter", "supported"),
    [
        (1.0, 0.1, ("linear",)),
        (0.5, 0.1, ("sqrt",)),
        (0.0, 0.1, ()),
        (0.75, 0.1, ()),
        (0.75, 1.0, ("linear", "sqrt")),
        (1.0, 0.0, ("linear",)),
        (0.5, 0.0, ("sqrt",)),
    ],
)
def test_a_rule_is_supported_where_the_interval_holds_it(
    power: float, jitter: float, supported: tuple[str, ...]
) -> None:
    """Points on a rule support it alone; between two, none or, where they scatter, both."""
    assert fit_law(power_law(power, jitter=jitter)).supported == supported


def test_conclusions_differ() -> None:
    """Each of the six outcomes has a sentence of its own."""
    laws = [
        fit_law(power_law(1.0)),
        fit_law(power_law(0.5)),
        fit_law(power_law(0.0)),
        fit_law(power_law(0.75, jitter=1.0)),
        fit_law(power_law(1.0, sizes=(32, 64))),
        fit_law(power_law(1.0, sizes=(32,))),
    ]

    assert [law.conclusion.split(":")[0] for law in laws] == [
        "linear", "square root", "neither", "both", "undecided", "none",
    ]  # fmt: skip


def test_two_points_decide_nothing() -> None:
    """Two points lie on a line whatever they are: an exponent, no interval, no rule singled out."""
    law = fit_law(power_law(1.0, sizes=(32, 128)))
    data = to_data(law)

    assert data["exponent"] == pytest.approx(1)
    assert data["interval"] is None
    assert data["supported"] == ["linear", "sqrt"]
    assert "add a third" in data["conclusion"]


def test_silent_sizes_are_shown_but_not_fitted() -> None:
    """A size without an answer changes no number; one that is not sure counts like any other."""
    points = power_law(0.5, sizes=(32, 64, 128))
    silent = fit_law([*points, BatchPoint(512, None, NO_SIGNAL)])
    unsure = fit_law([*points, point(512, 1e-3, Verdict.LOW_CONFIDENCE)])

    assert silent.exponent == fit_law(points).exponent
    assert len(silent.points) == 4
    assert unsure.exponent is not None
    assert unsure.exponent.value < 0.4
    assert unsure.notes[0].startswith("* ")


def test_without_two_answers_there_is_no_line() -> None:
    """One answer has no exponent, and asking for its line is a mistake of the caller."""
    law = fit_law([point(32, 1e-3), BatchPoint(64, None, NO_SIGNAL)])

    assert law.exponent is None
    assert law.supported == ()
    with pytest.raises(ValueError, match="no line"):
        law.lr_at(32)


@given(
    power=st.floats(-2, 2),
    jitter=st.floats(0, 1),
    sizes=st.lists(st.integers(1, 10**5), min_size=2, max_size=8, unique=True),
    factor=st.floats(1e-3, 1e3),
)
@settings(deadline=None, max_examples=60)
def test_the_unit_of_the_lr_changes_no_exponent(
    power: float, jitter: float, sizes: list[int], factor: float
) -> None:
    """All LRs times c move the line by c and leave its slope; the points' order is nothing."""
    points = power_law(power, sizes=sizes, jitter=jitter)
    scaled = [point(p.batch_size, p.suggestion.lr * factor) for p in points if p.suggestion]
    one, other = fit_law(points), fit_law(scaled[::-1])

    assert one.exponent is not None
    assert other.exponent is not None
    assert other.exponent.value == pytest.approx(one.exponent.value, rel=1e-6, abs=1e-6)
    assert other.lr_at(100) == pytest.approx(factor * one.lr_at(100), rel=1e-6)


@pytest.mark.parametrize(
    ("names", "divides"),
    [
        (["AdamW", "Adam", "Optimizer", "object"], True),
        (["MyOwn", "NAdam", "Optimizer", "object"], True),
        (["RMSprop", "Optimizer", "object"], True),
        (["SGD", "Optimizer", "object"], False),
        (["LBFGS", "Optimizer", "object"], False),
    ],
)
def test_adam_style_is_told_by_the_classes(names: list[str], divides: bool) -> None:
    """A subclass of Adam is one too, whatever it is called."""
    assert divides_by_gradient(names) is divides


def test_caveats_go_where_they_belong() -> None:
    """Adam's with Adam-style optimizers alone, the one on large batches with large ones alone."""
    small, large = power_law(1.0), power_law(1.0, sizes=(1024, 16384))

    assert fit_law(small).notes == ()
    assert fit_law(small, is_adam_style=True).notes == (ADAM_CAVEAT,)
    assert fit_law(large).notes == (LARGE_BATCH_CAVEAT,)


def test_the_json_is_strict_and_complete() -> None:
    """Columns of one length, None for a size without an answer, and no infinite number."""
    data = json.loads(to_json(mixed()), parse_constant=pytest.fail)

    assert data["schema"] == 1
    assert data["sizes"] == list(SIZES)
    assert data["lrs"][4] is None
    assert data["no_answers"] == [None] * 4 + [NO_SIGNAL]
    assert data["suggestions"][3]["verdict"] == "low-confidence"
    assert data["interval"][0] < data["exponent"] < data["interval"][1]


def test_the_table_reads_as_stored() -> None:
    """A row a size, the law, the rule, the caveats and the files, in 80 columns."""
    text = batch_table(mixed(), files=FILES)

    assert max(map(len, text.splitlines())) <= 80
    check_snapshot("batch-table-80.txt", text)


def test_the_markdown_reads_as_stored() -> None:
    """The same as a GitHub table."""
    check_snapshot("batch-markdown.md", batch_markdown(mixed(), FILES))


def test_the_picture_shows_every_size() -> None:
    """A filled point for a sure answer, a hollow one, a cross, the line, and the exponent."""
    law = mixed()
    figure = draw_batch_law(law)
    axes = figure.axes[0]
    marks = {
        (line.get_marker(), to_hex(line.get_color()), float(line.get_xdata()[0])): line
        for line in axes.lines
    }
    words = " ".join(text.get_text() for text in [*axes.texts, *figure.texts])
    dashed = next(line for line in axes.lines if line.get_linestyle() == "--")

    assert [tick.get_text() for tick in axes.get_xticklabels()] == [str(size) for size in SIZES]
    assert ("o", "#ffffff", 256.0) in marks
    assert ("x", "#6b6b6b", 512.0) in marks
    assert list(dashed.get_xdata()) == [32, 256]
    assert list(dashed.get_ydata()) == [law.lr_at(32), law.lr_at(256)]
    assert law.exponent is not None
    assert f"{law.exponent.value:.2f}" in words
    assert "hollow: not sure · cross: no answer" in words


@pytest.mark.parametrize(
    "points",
    [
        [BatchPoint(32, None, NO_SIGNAL), BatchPoint(64, None, NO_SIGNAL)],
        [point(32, 1e-3)],
        power_law(-3.0, sizes=range(1, 60)),
        power_law(0.0, sizes=(7, 8)),
    ],
    ids=["silent", "single", "many", "close"],
)
def test_any_law_can_be_drawn(points: list[BatchPoint], tmp_path: Path) -> None:
    """Nothing found, one point, many and close sizes: a picture all the same."""
    save_batch_law(fit_law(points, title="a $ title"), tmp_path / "law.png", dpi=40)

    assert (tmp_path / "law.png").read_bytes().startswith(b"\x89PNG")
    assert batch_table(fit_law(points))


def test_a_picture_of_no_format_is_refused(tmp_path: Path) -> None:
    """The suffix is judged before anything is drawn."""
    with pytest.raises(OutputError, match="names no picture format"):
        save_batch_law(mixed(), tmp_path / "law.txt")
