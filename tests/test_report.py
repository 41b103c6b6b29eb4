"""The report as JSON: strict, and the same value when it is read back."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.curve import CSV_COLUMNS, Curve, StopReason, ratios_of
from lrfind.export import write_curves
from lrfind.refine import Trial
from lrfind.report import (
    Environment,
    NoAnswer,
    Report,
    make_report,
    to_dict,
    to_json,
)
from lrfind.report_form import from_json
from lrfind.suggest import Note, Suggestion, Verdict


def refuse(text: str) -> Any:
    """Fail on what strict JSON does not know."""
    raise AssertionError(f"{text} is no JSON")


def strict(text: str) -> Any:
    """Read JSON as a strict reader does."""
    return json.loads(text, parse_constant=refuse)


TEXT = st.text(max_size=12)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
LR = st.floats(min_value=1e-300, max_value=1e300)
RATIO = st.none() | st.floats(0)
SPEC = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    """Draw a curve of any length, whose last loss may be infinite or NaN."""
    lr = sorted(draw(st.lists(LR, max_size=8)))
    size = max(len(lr) - 1, 0)
    losses = [*draw(st.lists(st.floats(-1e30, 1e30), min_size=size, max_size=size))]
    losses += [draw(st.floats())] if lr else []
    return Curve(
        np.array(lr),
        np.array(losses),
        seed=draw(st.integers(0, 2**32)),
        stop=draw(st.sampled_from(StopReason)),
        initial_loss=draw(st.none() | st.floats()),
        elapsed_s=draw(st.none() | st.floats(0, 1e6)),
        update_ratio=ratios_of(draw(st.lists(RATIO, min_size=len(lr), max_size=len(lr)))),
    )


SUGGESTIONS = st.builds(
    Suggestion,
    lr=LR,
    peak_lr=LR,
    low=LR,
    high=LR,
    method=TEXT,
    verdict=st.sampled_from(Verdict),
    reason=TEXT,
    per_seed=st.lists(LR, max_size=3).map(tuple),
)
REPORTS = st.builds(
    Report,
    curves=st.lists(curves(), max_size=3).map(tuple),
    suggestion=st.none() | SUGGESTIONS,
    no_answer=st.none() | st.builds(NoAnswer, st.sampled_from(Verdict), TEXT, TEXT),
    notes=st.lists(st.builds(Note, TEXT, TEXT, TEXT), max_size=3).map(tuple),
    spec=st.dictionaries(TEXT, SPEC, max_size=3),
    environment=st.builds(Environment, TEXT, st.dictionaries(TEXT, TEXT), TEXT, TEXT),
    title=TEXT,
    group_scales=st.lists(LR, max_size=3).map(tuple),
    trials=st.lists(
        st.builds(Trial, LR, FINITE | st.just(math.inf), st.integers(0, 1000), st.booleans()),
        max_size=3,
    ).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(report=REPORTS)
def test_a_report_comes_back_from_strict_json_as_it_was(report: Report) -> None:
    """Report → JSON → Report is the identity, infinite and NaN losses included."""
    assert from_json(to_json(report)) == report


@settings(max_examples=50, deadline=None)
@given(report=REPORTS)
def test_writing_is_a_function_of_the_value(report: Report) -> None:
    """What was read back is written to the same bytes."""
    assert to_json(from_json(to_json(report))) == to_json(report)


def sample() -> Report:
    """Make a report of a curve that ended in NaN."""
    lr = np.logspace(-5, 1, 61)
    loss = np.append(2 - 1.5 / (1 + 0.01 / lr[:-1]) + lr[:-1] ** 2, math.nan)
    spec = {"sweep": {"stop": {"factor": math.inf}, "x": -math.inf}, "args": {1: (2.0, math.nan)}}
    curve = Curve(lr, loss, seed=4, stop=StopReason.NONFINITE, initial_loss=2.0, elapsed_s=1.5)
    return make_report([curve], "auto", spec=spec, device="cpu", title="digits · MLP")


def reread(data: Any) -> Report:
    """Read plain data as a file would hold it."""
    return from_json(json.dumps(data))


def test_the_top_level_keys_are_those_that_scripts_hold() -> None:
    """schema, suggestion, notes, curves, spec, environment stand at the top, numbers as numbers."""
    data = strict(to_json(sample()))

    assert {"schema", "suggestion", "notes", "curves", "spec", "environment"} <= data.keys()
    assert data["schema"] == 1
    assert {"lr", "peak_lr", "low", "high", "method", "verdict", "reason"} <= data[
        "suggestion"
    ].keys()
    assert data["curves"][0]["loss"][-1] == "nan"
    assert data["curves"][0]["stop"] == "nonfinite"


def test_a_report_without_trials_is_read_as_one_with_none() -> None:
    """Keys that a report may lack leave everything else as it was."""
    data = to_dict(sample())
    del data["trials"]

    assert reread(data) == reread(data | {"trials": []})
    assert reread(data).trials == ()


def test_infinite_values_in_a_config_are_written_as_text() -> None:
    """`stop.factor: .inf` and keys that are numbers do not break the file after a long run."""
    report = sample()

    assert report.spec == {
        "sweep": {"stop": {"factor": "inf"}, "x": "-inf"},
        "args": {"1": [2.0, "nan"]},
    }
    assert from_json(to_json(report)) == report


def test_without_an_answer_the_suggestion_is_null() -> None:
    """A flat curve gives null and the reason, never a made-up number."""
    flat = Curve(np.logspace(-5, 0, 50), np.ones(50))
    data = strict(to_json(make_report([flat], "auto")))

    assert data["suggestion"] is None
    assert data["no_answer"]["reason"]
    assert data["no_answer"]["remedy"]


def broken(**changes: Any) -> dict[str, Any]:
    """Change a report's plain data."""
    return to_dict(sample()) | changes


def curve_with(**changes: Any) -> dict[str, Any]:
    """Change the plain data of its curve."""
    data = to_dict(sample())
    return data | {"curves": [data["curves"][0] | changes]}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "should be an object"),
        ({}, "schema: field required"),
        (broken(schema=3), "schema = 3: input should be 1"),
        ({"schema": 1}, "title: field required"),
        (broken(curves=None), "curves: input should be a valid array"),
        (broken(curves=[3]), "curves.0 = 3: input should be an object"),
        (broken(notes=["x"]), "notes.0 = 'x'"),
        (broken(spec=3), "spec = 3"),
        (broken(environment={}), "environment.device: field required"),
        (broken(suggestion={}), "suggestion.lr: field required"),
        (broken(suggestion=to_dict(sample())["suggestion"] | {"lr": "x"}), "suggestion.lr = 'x'"),
        (
            broken(suggestion=to_dict(sample())["suggestion"] | {"verdict": "x"}),
            "suggestion.verdict",
        ),
        (curve_with(loss=[1.0]), "has 61 LRs and 1 losses"),
        (curve_with(update_ratio=[1.0]), "has 61 LRs and 1 update ratios"),
        (curve_with(lr=["a"] * 61), "curves.0.lr.0 = 'a'"),
        (curve_with(lr=[-1.0] * 61), "lr.0 = -1.0: input should be greater than 0"),
        (curve_with(lr=list(range(61, 0, -1))), "fall"),
        (curve_with(stop="tired"), "curves.0.stop = 'tired'"),
    ],
)
def test_a_damaged_report_is_a_value_error(data: Any, says: str) -> None:
    """Whatever is wrong with the data, one kind of error tells it."""
    with pytest.raises(ValueError, match=says):
        reread(data)


def test_curves_compare_by_value() -> None:
    """Equal arrays make equal curves, a NaN equals itself, and any field tells curves apart."""
    curve = sample().curves[0]
    twin = replace(curve, lr=curve.lr.copy(), loss=curve.loss.copy())

    assert curve == twin
    assert hash(curve) == hash(twin)
    assert twin == replace(curve, loss=np.append(curve.loss[:-1], -math.nan))
    assert curve != replace(curve, seed=5)
    assert curve != replace(curve, loss=curve.loss + 1)
    assert curve != replace(curve, stop=StopReason.COMPLETED)
    assert curve != "curve"
    measured = replace(curve, update_ratio=curve.lr)
    assert curve != measured
    assert measured == replace(curve, update_ratio=curve.lr.copy())
    assert measured != replace(curve, update_ratio=2 * curve.lr)


def test_a_report_written_before_update_ratios_is_still_read() -> None:
    """A curve without the key is one where they were not measured."""
    data = to_dict(sample())
    del data["curves"][0]["update_ratio"]

    assert reread(data).curves[0].update_ratio is None


def test_frame_is_the_saved_curve_as_a_table(tmp_path: Path) -> None:
    """`report.frame()` holds what `curve.csv` holds, to the digits that any pandas parses."""
    lr = np.logspace(-7, 1, 60)
    loss = 2.0 - lr / (lr + 1e-3) + lr**2
    measured = Curve(lr, loss, seed=3, update_ratio=lr / 3)
    report = make_report([measured, Curve(lr, loss / 3, seed=4)], "auto")
    write_curves(report.curves, tmp_path / "curve.csv")

    saved = pd.read_csv(tmp_path / "curve.csv").fillna({"stop": ""})

    pd.testing.assert_frame_equal(report.frame(), saved, rtol=1e-12, atol=0)


@pytest.mark.parametrize("points", [None, 0])
def test_a_report_without_points_has_an_empty_frame(points: int | None) -> None:
    """Without a curve, or a point in it, columns and their types are what they always are."""
    curves = () if points is None else (Curve(np.empty(points), np.empty(points)),)
    full = make_report([Curve(np.logspace(-7, 1, 60), np.ones(60))], "auto")
    empty = replace(full, curves=curves).frame()

    assert list(empty.columns) == list(CSV_COLUMNS)
    assert len(empty) == 0
    pd.testing.assert_series_equal(empty.dtypes, full.frame().dtypes)
    joined = replace(full, curves=(*full.curves, *curves)).frame()
    pd.testing.assert_frame_equal(joined, full.frame())
