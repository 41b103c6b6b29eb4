"""Mutants of every shipped config: told or run, never a bug of ours, never a stray file."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzzing.workshop import Workshop, workshop
from benchmarks.shipped import runnable

MUTANTS = 230
"""A config; nine configs make 2,070."""

RUNS = 3
"""Valid and small mutants of a config that are run to the end."""


@pytest.fixture(scope="module")
def shop() -> Iterator[Workshop]:
    """The shipped configs on tiny stand-ins of their targets."""
    with workshop() as made:
        yield made


@pytest.mark.filterwarnings("default")  # the models of mutants may make torch warn
@pytest.mark.parametrize("name", [path.stem for path in runnable()])
def test_a_mutant_is_refused_or_run(name: str, shop: Workshop) -> None:
    """Exit code 0, 2 or 3, no internal error, no frame of lrfind, no write outside the output."""
    left = RUNS

    @settings(
        max_examples=MUTANTS,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(rng=st.randoms(use_true_random=True))
    def judge(rng: random.Random) -> None:
        nonlocal left
        verdict = shop.judge(shop.mutant(name, rng), runs=left > 0)
        left -= verdict.command == "run"

        assert verdict.wrong == ""

    judge()


def test_the_shipped_configs_run_in_the_workshop(shop: Workshop) -> None:
    """What is mutated is sound: every config validates, and a short one runs."""
    for source in shop.sources.values():
        assert shop.judge(source).code == 0
    short = shop.sources["digits"].replace(b"steps: 200", b"steps: 12")
    verdict = shop.judge(short, runs=True)

    assert (verdict.command, verdict.wrong) == ("run", "")


def test_a_write_elsewhere_is_seen(shop: Workshop) -> None:
    """The judge can fail: a file that user code leaves outside the output folder is told."""
    (shop.folder / "examples" / "stray.py").write_text(
        f"open({str(shop.folder / 'stray')!r}, 'w').close()\ndef model(): pass\n"
    )
    source = shop.sources["digits"].replace(b"digits.py:build_model", b"stray.py:model")
    verdict = shop.judge(source)
    Path(shop.folder / "stray").unlink()

    assert verdict.wrong == f"wrote {[str(shop.folder / 'stray')]}"
