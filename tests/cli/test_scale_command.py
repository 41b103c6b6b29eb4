"""`lrfind scale` carries an LR over, with the warmup, the derivation and the caveats."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from lrfind.console.scaled import MOST, scale_table, scaled
from lrfind.errors import InputError
from lrfind.scaling import ADAM_CAVEAT, LARGE_BATCH_CAVEAT

ISSUE = ("--lr", "0.1", "--from", "256", "--to", "4096")


def test_the_table_reads_as_expected(lrfind: Callable[..., Any]) -> None:
    """LR first, then rule with derivation, warmup, caveat, each beside its name."""
    outcome = lrfind("scale", *ISSUE, "--samples", "1281167")
    lines = outcome.out.splitlines()

    assert outcome.code == 0
    assert lines[0] == "lr      1.6  at batch 4096, from 0.1 at batch 256"
    assert lines[1].startswith("rule    linear: η' = k η, k = 16: ")
    assert "(Goyal et al. 2017, arXiv 1706.02677)" in " ".join(outcome.out.split())
    assert (
        "warmup  1564 steps (5 epochs), from lr 0.1: Warmup(scheduler, steps=1564," in outcome.out
    )
    assert ADAM_CAVEAT in " ".join(outcome.out.split()).replace("note ", "", 1)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(("rule", "lr"), [("linear", "1.6\n"), ("sqrt", "0.4\n")])
def test_a_script_gets_the_bare_number(rule: str, lr: str, lrfind: Callable[..., Any]) -> None:
    """`--format lr` is one number and a newline; the caveat goes to standard error."""
    outcome = lrfind("scale", *ISSUE, "--rule", rule, "--format", "lr")

    assert outcome.out == lr
    assert outcome.err == f"note: {ADAM_CAVEAT}\n"


def test_json_holds_everything(lrfind: Callable[..., Any]) -> None:
    """`--format json` has the LR, the warmup, the rule with its derivation, and the caveats."""
    outcome = lrfind(
        "scale", "--lr", "0.1", "--from", "256", "--to", "16384", "--rule", "sqrt",
        "--samples", "1000", "--format", "json",
    )  # fmt: skip
    answer = json.loads(outcome.out)

    assert answer["lr"] == 0.1 * 8
    assert answer["exponent"] == 0.5
    assert answer["warmup_steps"] == 1
    assert answer["warmup_start_factor"] == 0.125
    assert "arXiv 1705.08741" in answer["derivation"]
    assert answer["caveats"] == [ADAM_CAVEAT, LARGE_BATCH_CAVEAT]


def test_without_samples_the_warmup_is_in_epochs(lrfind: Callable[..., Any]) -> None:
    """Steps need the size of the training set; the table says how to give it."""
    outcome = lrfind("scale", *ISSUE)

    assert "warmup  5 epochs, from lr 0.1; --samples N tells the steps" in outcome.out
    assert scaled(0.1, 256, 4096, "linear").warmup_steps is None


def test_a_smaller_batch_needs_no_warmup() -> None:
    """Scaling down lowers the LR, and nothing has to settle."""
    answer = scaled(0.1, 256, 128, "linear")

    assert answer.lr == 0.05
    assert answer.warmup_steps == 0
    assert answer.warmup_start_factor == 1
    assert "none needed" in scale_table(answer)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lr", "nan", "--from", "1", "--to", "2"], "lr: nan must be a finite number > 0"),
        (["--lr", "-1", "--from", "1", "--to", "2"], "lr: -1.0 must be a finite number > 0"),
        (["--lr", "1", "--from", "0", "--to", "2"], "--from"),
        (["--lr", "1", "--from", "1", "--to", "2", "--rule", "cube"], "--rule"),
        (["--lr", "1", "--from", "1", "--to", str(10**400)], "to: is above"),
        (["--lr", "1e308", "--from", "1", "--to", "1000"], "lr: inf at batch 1000"),
        (["--from", "1", "--to", "2"], "--lr"),
    ],
)
def test_wrong_numbers_are_told(
    arguments: list[str], message: str, lrfind: Callable[..., Any]
) -> None:
    """Wrong input exits 2 and names the option, with nothing on standard output."""
    outcome = lrfind("scale", *arguments)

    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.out == ""


def test_counts_beyond_floating_point_are_refused() -> None:
    """A count that no float holds exactly enough is an error, not an overflow."""
    with pytest.raises(InputError, match="samples: is above 1e"):
        scaled(0.1, 256, 512, "linear", MOST + 1)
