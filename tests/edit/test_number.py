"""A number that every reader takes for the same float, and what no LR may replace."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.config.document import scalar
from lrfind.edit.number import fault_of, number_of, number_text, rounded


@settings(deadline=None, max_examples=200)
@given(
    lr=st.floats(min_value=5e-324, max_value=1e300),
    like=st.sampled_from(["", "0.1", "1e-3", "1E-3", "3"]),
)
def test_every_reader_takes_it_for_that_float(lr: float, like: str) -> None:
    """PyYAML (YAML 1.1), our YAML 1.2, TOML and JSON read the very float that was written."""
    text = number_text(lr, like)

    readings = [
        yaml.safe_load(f"lr: {text}")["lr"],
        scalar(text),
        tomllib.loads(f"lr = {text}")["lr"],
        json.loads(text),
    ]
    assert all(type(value) is float and value == lr for value in readings), (text, readings)


@pytest.mark.parametrize(
    ("lr", "like", "text"),
    [
        (0.001, "", "0.001"),
        (0.001, "0.1", "0.001"),
        (0.001, "1e-4", "1.0e-3"),
        (0.0025, "1E-4", "2.5e-3"),
        (2e-5, "0.1", "2.0e-5"),
        (1.5, "1e-1", "1.5e+0"),
        (2.0, "1", "2.0"),
    ],
)
def test_the_notation_is_the_users(lr: float, like: str, text: str) -> None:
    """An exponent stays one, a plain number stays plain where it can be read."""
    assert number_text(lr, like) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3.0), (0.1, 0.1), ("1e-3", 1e-3), ("3.", 3.0), (True, None), ("auto", None), ("", None)],
)
def test_what_is_a_number(value: Any, number: float | None) -> None:
    """Numbers and quoted numbers are; flags and words are not."""
    assert number_of(value) == number


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("auto", "another program sets it"),
        ("${base.lr}", "refers to another key"),
        ("fast", "is the text 'fast', no number"),
        ([1, 2], "is a list of 2, no number"),
        ({"a": 1, "b": 2}, "is a mapping (a, b), no number"),
        (True, "is True, no number"),
        (float("nan"), "is nan, no number"),
        (10**400, "no number"),
    ],
)
def test_what_no_lr_may_replace(value: Any, told: str) -> None:
    """Each kind of other value is named."""
    fault = fault_of(value)

    assert fault is not None
    assert told in fault[0]


def test_an_open_place_may_be_filled() -> None:
    """Null is how files leave a number open."""
    assert fault_of(None) is None


def test_rounding_keeps_significant_digits() -> None:
    """Two digits of a small number are two digits."""
    assert rounded(6.3378e-5, 2) == 6.3e-5
