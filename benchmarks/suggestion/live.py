"""lrfind asked with trials or with several seeds, which no saved sweep can answer.

The answers lie in the cache beside this file, a file a setting and pair, outside version control.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks.suggestion.answers import Answer
from benchmarks.suggestion.seeds import FINDER_SEEDS
from benchmarks.suggestion.sweeps import run_finder
from benchmarks.suggestion.tasks import PAIRS, Pair
from lrfind.errors import NoSuggestionError
from lrfind.suggest.answer import Suggestion
from lrfind.suggest.panel import suggest

CACHE = Path(__file__).parent / ".cache" / "answers"

SETTINGS: dict[str, tuple[int, dict[str, Any]]] = {
    "refine 600": (1, {"refine": 600}),
    "refine 300": (1, {"refine": 300}),
    "3 seeds": (3, {}),
}
"""Name → seeds, and arguments of `lrfind.range_test`."""

STRIDE = 10
"""Distance between the first seeds of runs with several, so that none is used twice."""


def run(names: Iterable[str], told: Callable[[str], None]) -> None:
    """Ask about every pair in every setting and with every finder seed, unless the cache has it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    torch.set_flush_denormal(True)
    for name in names:
        for setting, how in SETTINGS.items():
            path = _path(setting, name)
            if path.exists():
                continue
            answers = [_asked(PAIRS[name], seed, how) for seed in FINDER_SEEDS]
            path.write_text(json.dumps([asdict(answer) for answer in answers], indent=1))
            told(f"{name} ({setting}): {', '.join(f'{a.lr or 0.0:.1e}' for a in answers)}")


def load_live(setting: str, pairs: Iterable[Pair]) -> list[Answer]:
    """Read the answers of a setting.

    Raises:
        FileNotFoundError: it was not run; `python -m benchmarks.suggestion live` runs it.
    """
    return [
        Answer(**content)
        for pair in pairs
        for content in json.loads(_path(setting, pair.name).read_text())
    ]


def answer_of(pair: str, seed: int, found: Suggestion, steps: float) -> Answer:
    """Take what is judged from a suggestion."""
    return Answer(
        pair, seed, found.lr, found.peak_lr, steps, found.low, found.high, str(found.verdict)
    )


def _asked(pair: Pair, seed: int, setting: tuple[int, dict[str, Any]]) -> Answer:
    seeds, options = setting
    first = FINDER_SEEDS[0] + STRIDE * FINDER_SEEDS.index(seed) if seeds > 1 else seed
    # A pair's model and batches take their seed from outside, so that each seed is a run.
    runs = [run_finder(pair, first + i, **options) for i in range(seeds)]
    steps = sum(spent for _, spent in runs)
    report = runs[0][0]
    try:
        if seeds > 1:
            found = suggest([curve for report, _ in runs for curve in report.curves])
            return answer_of(pair.name, seed, found, steps)
    except NoSuggestionError as error:
        return Answer(pair.name, seed, None, None, steps, verdict=error.verdict)
    if report.suggestion is not None:
        return answer_of(pair.name, seed, report.suggestion, steps)
    assert report.no_answer is not None
    return Answer(pair.name, seed, None, None, steps, verdict=report.no_answer.verdict)


def _path(setting: str, name: str) -> Path:
    return CACHE / f"{setting.replace(' ', '_')}-{name}.json"
