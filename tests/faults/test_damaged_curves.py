"""Damaged curves and reports: told with their place and exit 2, or read as what they still say."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfind.curve import Curve, StopReason
from lrfind.curve_csv import from_csv, to_csv
from lrfind.errors import InputError
from lrfind.export import read_curves
from lrfind.report import make_report, to_dict, to_json
from lrfind.report_form import from_json
from lrfind.saved import reread

HEADER = "seed,step,lr,loss,smooth,update_ratio,stop\n"


def valley(seed: int = 0, points: int = 25) -> Curve:
    """Fall and rise over six decades."""
    lr = np.logspace(-5, 1, points)
    loss = 2 - 1.5 / (1 + 0.01 / lr) + lr**2 + 0.01 * seed
    return Curve(lr, loss, seed=seed, stop=StopReason.DIVERGED, update_ratio=lr / 7)


WHOLE = to_csv([valley(0), valley(1)])
REPORT = make_report([valley(0), valley(1)], "auto", title="digits", spec={"suggest": {}})
PATH = Path("curve.csv")


def test_a_csv_cut_anywhere_gives_whole_rows_or_an_error() -> None:
    """Of every prefix of the file, no point is read that the whole file does not hold."""
    whole = from_csv(WHOLE, PATH)
    read = 0
    for end in range(len(WHOLE)):
        try:
            curves = from_csv(WHOLE[:end], PATH)
        except InputError:
            continue
        read += 1
        for part, full in zip(curves, whole, strict=False):
            size = len(part)
            assert part.lr.tolist() == full.lr[:size].tolist()
            assert part.loss.tolist() == full.loss[:size].tolist()
            assert part.stop is (full.stop if size == len(full) else StopReason.INTERRUPTED)

    # A file may end after any whole row but the last, whose line end alone can be missing.
    assert read == WHOLE.count("\n") - 2


@pytest.mark.parametrize("digits", ["0.01", "0.0", "1e-0", "12"])
def test_a_number_cut_in_the_middle_is_no_point(digits: str) -> None:
    """A last line without its end is refused, even where what is left of it is a number."""
    with pytest.raises(InputError, match=r"curve\.csv:3: the last line has no end, so it may be"):
        from_csv(f"lr,loss\n0.001,2\n0.002,{digits}", PATH)


def test_a_cut_curve_is_told_as_partial(tmp_path: Path, lrfind: Callable[..., Any]) -> None:
    """A file that ends between two rows is read, with a note that it is no whole sweep."""
    path = tmp_path / "curve.csv"
    path.write_text("".join(to_csv([valley(points=61)]).splitlines(keepends=True)[:45]))

    outcome = lrfind("suggest", path)

    assert outcome.code == 0
    assert "the sweep ended after 44 points" in " ".join(outcome.out.split())


def test_a_partial_curve_without_an_answer_exits_with_3(
    tmp_path: Path, lrfind: Callable[..., Any]
) -> None:
    """A partial curve that says nothing is no success."""
    path = tmp_path / "curve.csv"
    path.write_text("".join(to_csv([valley()]).splitlines(keepends=True)[:4]))

    assert lrfind("suggest", path).code == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lr;loss\n0,001;2,3\n", r"separate columns by commas instead of ';'"),
        ("lr\tloss\n0.001\t2.3\n", r"separate columns by commas instead of '\\t'"),
        ('lr,loss\n"0,001","2,3"\n', r"csv:2: lr = '0,001' is no number; write it with a decimal"),
        ("lr,loss\n0,001,2,3\n", "csv:2: has 4 values, but the header names 2 columns"),
        ('lr,loss\n0.001,"1.234,5"\n', r"csv:2: loss = '1\.234,5' is no number"),
        ("lr,loss\n0.001,1_000\n", "csv:2: loss = '1_000' is no number"),
        ("lr,loss\n1e400,1\n", "csv:2: lr = inf is not a positive finite number"),
        ("lr,loss\n1e-400,1\n", "csv:2: lr = 0.0 is not a positive finite number"),
        ("lr,loss,lr\n1,2,3\n", "csv:1: names the column lr more than once"),
        ("lr,loss,step\n1,2,0\n1,2,0\n", "csv:3: step = 0 does not follow step 0 of seed 0"),
        ("lr,loss,step\n1,2,1\n1,2,0\n", "csv:3: step = 0 does not follow step 1"),
        ("lr,loss,step\n1,2,nan\n", "csv:2: step = nan does not follow"),
        (HEADER + "0,0,1,1,1,,tired\n", "csv:2: stop = 'tired' is none of completed, diverged"),
        (HEADER + "0,0,1,1,1,,failed\n0,1,2,1,1,,\n", "csv:3: a row of seed 0 follows the end"),
        (HEADER + "9" * 5000 + ",0,1,1,1,,\n", "no whole number"),
        ("lr,loss\n1,2\x00\n", "csv:2: loss = '2\\\\x00' is no number"),
    ],
)
def test_damage_is_told_with_its_line(text: str, says: str) -> None:
    """Other separators and decimal marks, impossible numbers, rows twice, out of order or late."""
    with pytest.raises(InputError, match=says):
        from_csv(text, PATH)


def test_whole_files_come_through_as_they_are(tmp_path: Path) -> None:
    """CRLF, BOM, alternating seeds, foreign columns and seeds as floats change no point."""
    rows = WHOLE.splitlines()
    mixed = [rows[0], *(row for pair in zip(rows[1:26], rows[26:], strict=True) for row in pair)]
    foreign = ["note," + rows[0], *(f'"a, b",{row}' for row in rows[1:])]
    floats = [rows[0], *(row.replace(",", ".0,", 1) for row in rows[1:])]
    path = tmp_path / "curve.csv"
    for lines, end, mark in (
        (rows, "\r\n", b""),
        (rows, "\n", b"\xef\xbb\xbf"),
        (mixed, "\n", b""),
        (foreign, "\n", b""),
        (floats, "\n", b""),
    ):
        path.write_bytes(mark + (end.join(lines) + end).encode())
        assert read_curves(path) == from_csv(WHOLE, PATH)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (WHOLE.encode("utf-16"), "curve.csv:1: is UTF-16 text, not UTF-8; save the file as UTF-8"),
        (WHOLE.encode() + b"\xff\n", "curve.csv:52: is not UTF-8 text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "curve.csv:1: is not UTF-8 text"),
        (b"", "curve.csv: has no column lr and loss"),
    ],
    ids=["utf-16", "latin-1", "png", "empty"],
)
@pytest.mark.parametrize("command", ["suggest", "plot"])
def test_bytes_of_another_kind_exit_with_2(
    command: str,
    data: bytes,
    says: str,
    tmp_path: Path,
    lrfind: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file that is no text is told as such by every command that reads curves."""
    monkeypatch.chdir(tmp_path)
    Path("curve.csv").write_bytes(data)

    outcome = lrfind(command, "curve.csv")

    assert outcome.code == 2
    assert f"error: {says}" in outcome.err


def test_a_report_cut_anywhere_is_refused() -> None:
    """No prefix of a report is a report, its last line break apart."""
    text = to_json(replace(REPORT, curves=(valley(points=8),)))
    for end in range(len(text) - 1):
        with pytest.raises(ValueError, match=r"\w"):
            from_json(text[:end])

    assert from_json(text[:-1]) == from_json(text)


def changed(place: str, value: Any) -> str:
    """Write the report with one value replaced, as JSON that may hold NaN."""
    data: Any = to_dict(REPORT)
    part = data
    *parents, last = (int(key) if key.isdecimal() else key for key in place.split("."))
    for key in parents:
        part = part[key]
    part[last] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        *(("suggestion.lr", value) for value in (math.nan, math.inf, -1, 0, True, "1e-3", None)),
        ("suggestion.peak_lr", 10**400),
        ("suggestion.per_seed", [1.0, None]),
        ("suggestion.reason", 5),
        ("suggestion.reason", "x" * 100_000),
        ("title", ["a"]),
        ("title", "x" * 100_000),
        ("notes", [{"code": 1, "message": "a", "advice": "b"}]),
        ("notes", [{"code": "a", "message": "a", "advice": "b"}] * 5000),
        ("environment.versions", {"torch": 2.6}),
        ("curves.0.seed", 1.5),
        ("curves.0.seed", "0"),
        ("curves.0.lr.3", math.nan),
        ("curves.0.lr.3", 10**400),
        ("curves.0.lr.3", "1"),
        ("curves.0.lr", [[1.0]]),
        ("curves.0.lr.3", 1e9),
        ("curves.0.loss.3", "many"),
        ("curves.0.loss.3", None),
        ("curves.0.loss.3", "infinity"),
        ("curves.0.elapsed_s", "3"),
        ("curves.0.initial_loss", {}),
        ("group_scales", ["a"]),
        ("trials", [{"lr": 0, "loss": 1.0, "steps": 3, "diverged": False}]),
        ("trials", [{"lr": 1.0, "loss": 1.0, "steps": 3, "diverged": "no"}]),
        ("spec", []),
        ("spec.suggest", {"method": 5}),
        ("spec.suggest", {"method": "vally"}),
        ("spec.suggest", {"args": [1]}),
        ("spec.suggest", {"method": "before_rise", "args": {"decades": "x"}}),
        ("spec.suggest", {"method": "before_rise", "args": {"deckades": 1}}),
        ("schema", "1"),
    ],
)
def test_a_value_of_another_kind_is_refused(
    place: str, value: Any, tmp_path: Path, lrfind: Callable[..., Any]
) -> None:
    """NaN, numbers beyond a float, texts for numbers and the like end in exit 2 and one line."""
    path = tmp_path / "report.json"
    path.write_text(changed(place, value))

    outcome = lrfind("suggest", path)

    assert outcome.code == 2
    assert outcome.err.startswith("error: ")
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a":' * 100_000, "1" * 10_000, '{"schema": 1', "null", "\ufeff", "NaN"],
)
def test_deep_or_foreign_json_is_refused(
    text: str, tmp_path: Path, lrfind: Callable[..., Any]
) -> None:
    """JSON that is no report, however deep or long, is told in one line."""
    path = tmp_path / "report.json"
    path.write_text(text)

    outcome = lrfind("suggest", path)

    assert outcome.code == 2
    assert "is no lrfind report" in outcome.err


def test_a_report_with_a_bom_and_crlf_is_read(tmp_path: Path) -> None:
    """What an editor on Windows adds changes nothing."""
    path = tmp_path / "report.json"
    path.write_bytes(b"\xef\xbb\xbf" + to_json(REPORT).replace("\n", "\r\n").encode())

    assert reread(path).suggestion == REPORT.suggestion


def test_half_a_surrogate_pair_does_not_spoil_a_report() -> None:
    """A config may hold text that strict JSON cannot; the report of it can still be read."""
    report = make_report([valley()], "auto", title="a\udcff", spec={"x": ["\ud800"]})

    assert from_json(to_json(report)).title == report.title
