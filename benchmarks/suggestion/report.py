"""The benchmark's table, and its picture: the share of answers within a regret, for each system."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.suggestion.access import load_pairs
from benchmarks.suggestion.peers import peer_systems, peer_versions
from benchmarks.suggestion.score import Score, difference, score
from benchmarks.suggestion.systems import own_systems
from benchmarks.suggestion.tasks import PAIRS, Pair, Part
from benchmarks.suggestion.verdicts import verdict_table

HEAD = (
    "| system | steps | mean regret (95 %) | median | ≤ 0.05 | ≤ 0.10 | diverges | no answer "
    "| spread |\n|---|---|---|---|---|---|---|---|---|"
)
OURS = "lrfind auto"
LINES: dict[str, dict[str, Any]] = {
    "full grid, one seed": {"color": "0.6", "linestyle": ":"},
    "lrfind auto, refine 600": {"color": "#0072b2", "linestyle": "--", "linewidth": 2.2},
    "lrfind auto": {"color": "#0072b2", "linewidth": 2.8},
    "fastai minimum": {"color": "#d55e00"},
    "fastai valley": {"color": "#d55e00", "linestyle": "--"},
    "torch-lr-finder": {"color": "#009e73"},
    "ignite": {"color": "#cc79a7"},
    "Lightning": {"color": "#e69f00"},
}
"""Who is drawn and how: lrfind firm, each package in a colour of its own, the floor dotted."""
TITLES = {
    Part.FRESH: "Written after the look at the held-out tasks, and seen by no rule",
    Part.HELD_OUT: "With the rule of today, which was changed once after the look",
    Part.FIT: "Rules and their constants were chosen on these",
}
"""What each part's figures are worth."""

SHOWN = 0.1
"""Mean regret above which a pair is shown by name."""

REFINED = ("lrfind auto, refine 600", "lrfind auto, refine 300")


def scores_of(pairs: Sequence[Pair]) -> tuple[list[Score], list[Score]]:
    """Score lrfind's systems and the constants, then the peers, each best first.

    Peers without answers for every pair are left out.
    """
    own = [score(name, answers) for name, answers in own_systems(pairs).items()]
    names = {pair.name for pair in pairs}
    peers = [
        score(name, answers)
        for name, answers in peer_systems(pairs).items()
        if {answer.pair for answer in answers} == names
    ]
    return sorted(own, key=lambda s: s.mean), sorted(peers, key=lambda s: s.mean)


def table(pairs: Sequence[Pair], title: str) -> str:
    """Write the table as Markdown, and how lrfind compares with the best peer."""
    own, peers = scores_of(pairs)
    tasks = len({pair.task.name for pair in pairs})
    lines = [f"{title}: {len(pairs)} pairs of {tasks} tasks.", "", HEAD]
    lines += [_row(each) for each in sorted([*own, *peers], key=lambda s: s.mean)]
    if peers:
        lines.append("")
        for ours in (each for each in own if each.system in (OURS, *REFINED)):
            gap, low, high = difference(ours, peers[0])
            lines.append(
                f"- {ours.system} − {peers[0].system}: {gap:+.3f} ({low:+.3f} … {high:+.3f})"
            )
        lines += ["", ", ".join(f"{name} {version}" for name, version in peer_versions().items())]
    else:
        lines += ["", "(the peers were not asked about every pair)"]
    return "\n".join([*lines, "", verdict_table([each for each in own if OURS in each.system])])


def pair_table(pairs: Sequence[Pair], systems: Sequence[str]) -> str:
    """Write the mean regret of every pair, worst for the first system first."""
    own, peers = scores_of(pairs)
    chosen = [each for name in systems for each in [*own, *peers] if each.system == name]
    columns = [each.by_pair() for each in chosen]
    lines = ["| pair | " + " | ".join(each.system for each in chosen) + " |"]
    lines.append("|---" * (len(chosen) + 1) + "|")
    for name in sorted(columns[0], key=lambda name: -columns[0][name]):
        cells = [f"{column.get(name, math.nan):.3f}" for column in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def published() -> str:
    """Write what docs/benchmarks.md shows: a table a part, and every pair that is read badly."""
    own, _ = scores_of(list(PAIRS.values()))
    ours = next(each for each in own if each.system == OURS)
    refined = next(each for each in own if each.system == REFINED[0]).by_pair()
    bad = [
        f"| {name} | {PAIRS[name].part} | {regret:.2f} | {refined[name]:.2f} |"
        for name, regret in sorted(ours.by_pair().items(), key=lambda row: -row[1])
        if regret > SHOWN
    ]
    parts = [
        f"### {part.capitalize()} tasks\n\n{table(load_pairs(part), title)}"
        for part, title in TITLES.items()
    ]
    bad_head = "| pair | tasks | one sweep | refine 600 |\n|---|---|---|---|\n"
    parts.append(f"### Pairs that one sweep reads with a mean regret above {SHOWN:g}")
    return "\n\n".join([*parts, bad_head + "\n".join(bad)])


def draw(pairs: Sequence[Pair], title: str, path: Path) -> None:
    """Draw for each system the share of answers within a regret."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    own, peers = scores_of(pairs)
    found = {each.system: each for each in [*own, *peers]}
    figure, axes = plt.subplots(figsize=(8, 4.6), layout="constrained")
    for name, style in LINES.items():
        if name in found:
            regrets = np.sort(found[name].regrets.ravel())
            share = np.arange(1, len(regrets) + 1) / len(regrets)
            axes.step(regrets, share, where="post", label=name, **style)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="regret", ylabel="share of answers", title=title)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _row(each: Score) -> str:
    low, high = each.interval
    spread = "" if math.isnan(each.spread_decades) else f"{each.spread_decades:.2f}"
    cells = [
        each.system,
        f"{each.steps:.0f}",
        f"{each.mean:.3f} ({low:.3f} … {high:.3f})",
        f"{each.median:.3f}",
        f"{each.within(0.05):.0%}",
        f"{each.within(0.10):.0%}",
        f"{each.divergent:.0%}",
        f"{each.silent:.0%}",
        spread,
    ]
    return "| " + " | ".join(cells) + " |"
