"""Notes: told when they hold, silent when they do not, each with a number and an option."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from suggest_shapes import ANSWERED, REFUSED, SWEEP, classic, fall, noise, rise, thinned

from lrfind.curve import Curve, StopReason
from lrfind.errors import NoSuggestionError
from lrfind.suggest import Note, Suggestion, diagnose, suggest


def notes_of(*curves: Curve, method: str = "auto") -> dict[str, Note]:
    """Diagnose curves with their suggestion, or with None where there is none."""
    suggestion: Suggestion | None
    try:
        suggestion = suggest(curves, method)
    except NoSuggestionError:
        suggestion = None
    return {note.code: note for note in diagnose(curves, suggestion)}


def test_a_clear_curve_gives_no_note() -> None:
    """Nothing is said where nothing is wrong, with one seed or three."""
    assert notes_of(classic()) == {}
    assert notes_of(classic(0), classic(1), classic(2)) == {}


CASES: dict[str, tuple[Callable[[], Curve], str, str]] = {
    "falling to the end": (
        ANSWERED["falling to the end"][0],
        "never-diverged",
        "--set sweep.end_lr=100",
    ),
    "pure noise": (REFUSED["pure noise"][0], "never-fell", "--set sweep.steps=400"),
    "only rising": (
        REFUSED["only rising, noisy"][0],
        "diverged-at-start",
        "--set sweep.start_lr=1e-10",
    ),
    "flat, then rising": (ANSWERED["flat, then rising"][0], "never-fell", "--set sweep.steps"),
    "very noisy": (ANSWERED["very noisy"][0], "noisy", "--set sweep.seeds=3"),
    "ten points": (lambda: thinned(10), "few-points", "--set sweep.steps=200"),
    "starting too high": (
        lambda: Curve(
            np.logspace(-2, 1, 150),
            2.3 - 0.012 * np.minimum(np.arange(150), 20) + rise(np.logspace(-2, 1, 150), 0.05),
        ),
        "optimum-at-edge",
        "--set sweep.start_lr=1e-05",
    ),
    "nan": (ANSWERED["nan at the end"][0], "non-finite", "log(0)"),
    "interrupted": (
        lambda: Curve(SWEEP, classic().loss, stop=StopReason.INTERRUPTED),
        "interrupted",
        "finish",
    ),
    "exhausted": (
        lambda: Curve(SWEEP, classic().loss, stop=StopReason.EXHAUSTED),
        "exhausted",
        "sweep.steps",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_note_has_a_number_and_an_advice(case: str) -> None:
    """Each finding is told under its code, with a number, and says what to pass."""
    make, code, advice = CASES[case]
    note = notes_of(make())[code]

    assert advice in note.advice
    assert re.search(r"\d", note.message)
    assert "\n" not in str(note)


def test_a_nan_behind_the_rise_is_no_reason_to_worry() -> None:
    """A non-finite end after a rise that was seen is told as usual."""
    loss = classic().loss.copy()
    loss[-1] = np.nan
    note = notes_of(Curve(SWEEP, loss))["non-finite"]

    assert note.message == (
        "the loss became nan at 1.0e+01, point 200; the last finite one was 758 at 9.1e+00"
    )
    assert "nothing to change" in note.advice


def test_a_finding_of_several_seeds_is_told_once() -> None:
    """Two of three seeds that never diverged make one note that says two of three."""
    falling = ANSWERED["falling to the end"][0]()
    note = notes_of(falling, classic(), falling)["never-diverged"]

    assert note.message.startswith("2 of 3 seeds: the loss was still near its lowest")


def test_the_end_is_raised_past_what_was_measured() -> None:
    """The advised end lies at least a factor of 3 above the last LR measured."""
    for end in (1.0, 5.0, 9.0, 10.0):
        lr = np.logspace(-7, np.log10(end), 200)
        note = notes_of(Curve(lr, fall(lr, 1e-2) + noise(0.02)))["never-diverged"]
        found = re.search(r"sweep\.end_lr=(\S+)", note.advice)

        assert found is not None
        assert float(found[1]) >= 3 * end


def test_seeds_without_an_answer_are_quoted_for_any_method() -> None:
    """The note names the first silent seed and its reason, by the method that was used."""
    flat = ANSWERED["flat, then rising"][0]()
    silent = Curve(flat.lr, flat.loss, seed=7)
    note = notes_of(classic(0), silent, classic(2), method="minimum")["seeds-without-answer"]

    assert "1 of 3 seeds have no answer (seed 7: loss fell" in note.message
    assert "this rule reads the fall" in note.message


def test_no_curves_give_no_notes() -> None:
    """Nothing measured, nothing to say."""
    assert diagnose([], None) == ()
