"""The benchmark's table, and its picture: the share of answers within a regret, for each system."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.suggestion.peers import peer_systems, peer_versions
from benchmarks.suggestion.score import Score, difference, score
from benchmarks.suggestion.systems import own_systems
from benchmarks.suggestion.tasks import Pair
from benchmarks.suggestion.verdicts import verdict_table

HEAD = (
    "| system | steps | mean regret (95 %) | median | ≤ 0.05 | ≤ 0.10 | diverges | no answer "
    "| spread |\n|---|---|---|---|---|---|---|---|---|"
)
OURS = "lrfind auto"
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


def published(held_out: Sequence[Pair], fit: Sequence[Pair]) -> str:
    """Write what docs/benchmarks.md shows: both tables, and every pair that lrfind reads badly."""
    own, _ = scores_of([*held_out, *fit])
    ours = next(each for each in own if each.system == OURS)
    refined = next(each for each in own if each.system == REFINED[0]).by_pair()
    apart = {pair.name for pair in held_out}
    bad = [
        f"| {name} | {'held out' if name in apart else 'fit'} | {regret:.2f} "
        f"| {refined[name]:.2f} |"
        for name, regret in sorted(ours.by_pair().items(), key=lambda row: -row[1])
        if regret > SHOWN
    ]
    parts = [
        "### Held-out tasks",
        table(held_out, "Looked at once, when everything was decided"),
        "### Fit tasks",
        table(fit, "Rules and their constants were chosen on these"),
        f"### Pairs that one sweep reads with a mean regret above {SHOWN:g}",
        "| pair | tasks | one sweep | refine 600 |\n|---|---|---|---|\n" + "\n".join(bad),
    ]
    return "\n\n".join(parts)


def draw(pairs: Sequence[Pair], title: str, path: Path) -> None:
    """Draw for each system the share of answers within a regret."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    own, peers = scores_of(pairs)
    shown = [each for each in own if each.system.startswith(("lrfind auto", "best", "full"))]
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for each in [*shown, *peers]:
        regrets = np.sort(each.regrets.ravel())
        share = np.arange(1, len(regrets) + 1) / len(regrets)
        is_ours = each.system == OURS
        axes.plot(
            regrets, share, label=each.system, linewidth=3 if is_ours else 1.2, zorder=2 + is_ours
        )
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="regret", ylabel="share of answers", title=title)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize=8)
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
