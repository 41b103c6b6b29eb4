"""What a page says in words and tables, in the words that the terminal uses."""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass

import numpy as np

from lrfind.console.answer import answer_rows, how_answered, trial_text, usable_as
from lrfind.curve import Curve
from lrfind.frame import end_text, lr_text, pool, smooth_line
from lrfind.html.candidates import Candidate
from lrfind.html.drawing import seed_key
from lrfind.report import Report
from lrfind.spec import Spec
from lrfind.suggest.answer import Verdict

TABLE_ROWS = 40
"""Rows of the table that stands for the curve; `curve.csv` holds every step."""

_SIGNS = {Verdict.OK: ("good", "✓"), Verdict.LOW_CONFIDENCE: ("unsure", "!")}


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of the answer.

    Attributes:
        name: `lr`, `peak_lr`, `range`.
        value: the number as it is shown.
        use: what it is for.
    """

    name: str
    value: str
    use: str


@dataclass(frozen=True, slots=True)
class Headline:
    """The answer, or that there is none.

    Attributes:
        tone: `good`, `unsure` or `bad`; chooses the colour.
        sign: says the same without colour.
        verdict: the verdict's name.
        how: the rule, and how far seeds agree; empty without an answer.
        facts: numbers, the main one first; empty without an answer.
        reason: one sentence with numbers.
        remedy: what to change where there is no answer.
    """

    tone: str
    sign: str
    verdict: str
    how: str
    facts: tuple[Fact, ...]
    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """A box that shows and hides a part of the picture.

    Attributes:
        key: of the part.
        label: names it.
        is_on: shown at first.
        hint: what it is, for who asks.
    """

    key: str
    label: str
    is_on: bool = True
    hint: str = ""


def headline(report: Report) -> Headline:
    """Put the answer into words."""
    found = report.suggestion
    if found is None:
        none = report.no_answer
        if none is None:
            return Headline("bad", "✕", "no suggestion", "", (), "these curves were not read")
        return Headline("bad", "✕", none.verdict, "", (), none.reason, none.remedy)
    tone, sign = _SIGNS.get(found.verdict, ("bad", "✕"))
    span = f"{lr_text(found.low)} … {lr_text(found.high)}"
    rows = (*answer_rows(found), ("range", span, f"usable {usable_as(found)}"))
    facts = tuple(Fact(*row) for row in rows)
    return Headline(tone, sign, found.verdict, how_answered(found), facts, found.reason)


def summary(report: Report) -> str:
    """Describe the curve in sentences, for who does not see it."""
    curves = [curve for curve in report.curves if len(curve)]
    line = pool(curves)
    if not curves or len(line.lr) == 0:
        return "Nothing was measured that could be drawn."
    least = int(np.argmin(line.middle))
    start, end, low = (lr_text(float(line.lr[i])) for i in (0, -1, least))
    of = f"the median of {len(curves)} seeds" if len(curves) > 1 else "the smoothed loss"
    found = report.suggestion
    marked = "" if found is None else f" Marked is {_marked(report)}."
    return (
        f"Loss against learning rate, on a logarithmic axis from {start} to {end}: {of} begins at "
        f"{line.middle[0]:.3g} and is least, {line.middle[least]:.3g}, at {low}; "
        f"{end_text(curves)}.{marked}"
    )


def _marked(report: Report) -> str:
    found = report.suggestion
    if found is None:
        return ""
    names = " and ".join(f"{name} {text}" for name, text, _ in answer_rows(found))
    return f"{names}; shaded is the usable range {lr_text(found.low)} to {lr_text(found.high)}"


def switches(report: Report, found: list[Candidate]) -> dict[str, list[Switch]]:
    """List what can be switched, under headings."""
    curves = [curve for curve in report.curves if len(curve)]
    if not curves:
        return {}
    several = len(curves) > 1
    parts = [Switch("points", "every step"), Switch("main", "median" if several else "smooth line")]
    if several:
        parts.append(Switch("band", "spread"))
    if report.suggestion:
        parts += [Switch("answer", "answer"), Switch("range", "usable range")]
    groups = {"Show": parts}
    if several:
        groups["Seeds"] = [Switch(seed_key(c.seed), f"seed {c.seed}") for c in curves]
    rules = [
        Switch(f"rule-{c.rule}", f"{c.rule} {lr_text(c.lr)}", is_on=False, hint=c.formula)
        for c in found
        if c.lr is not None
    ]
    return groups | ({"Other rules": rules} if rules else {})


def trial_rows(report: Report) -> list[tuple[str, str, int, bool]]:
    """List trials by LR: LR, final loss, steps, and whether it is the best."""
    best = min(report.trials, key=lambda trial: trial.loss, default=None)
    return [
        (lr_text(t.lr), trial_text(t), t.steps, t is best and not t.diverged)
        for t in sorted(report.trials, key=lambda trial: trial.lr)
    ]


def config_text(report: Report) -> str:
    """Write the resolved config as YAML."""
    if not report.spec:
        return ""
    from ruamel.yaml import YAML

    # A saved report has its keys in order of their letters; a page is the same for both.
    plain = json.loads(json.dumps(dict(report.spec), default=str, sort_keys=True))
    known = [key for key in Spec.model_fields if key in plain]
    writer, out = YAML(), io.StringIO()
    writer.width = 100
    writer.dump({key: plain[key] for key in [*known, *sorted(plain.keys() - {*known})]}, out)
    return out.getvalue()


def environment_rows(report: Report) -> list[tuple[str, str]]:
    """List where and with what the report was made."""
    made = report.environment
    rows = [
        ("device", made.device),
        ("threads", "" if made.threads is None else str(made.threads)),
        ("platform", made.platform),
        ("time", made.time),
        *((name, version) for name, version in sorted(made.versions.items())),
    ]
    if report.group_scales:
        scales = ", ".join(f"{scale:g}" for scale in report.group_scales)
        rows.append(("LR of each parameter group", f"times {scales}"))
    return [(name, text) for name, text in rows if text]


def curve_rows(report: Report) -> tuple[list[str], list[list[str]]]:
    """Tabulate the smooth lines at up to `TABLE_ROWS` LRs, spread evenly: head and rows."""
    curves = [curve for curve in report.curves if len(curve)]
    if not curves:
        return [], []
    longest = max(curves, key=len)
    at = np.unique(np.linspace(0, len(longest) - 1, min(TABLE_ROWS, len(longest))).astype(int))
    if len(curves) == 1:
        rows = [
            [str(i), lr_text(longest.lr[i]), _loss(longest.loss[i]), _loss(longest.smooth[i])]
            for i in at.tolist()
        ]
        return ["step", "learning rate", "loss", "smoothed"], rows
    lrs = longest.lr[at].tolist()
    columns = [[_smooth_at(curve, lr) for lr in lrs] for curve in curves]
    head = ["learning rate", *(f"seed {curve.seed}" for curve in curves)]
    return head, [[lr_text(lr), *cells] for lr, *cells in zip(lrs, *columns, strict=True)]


def _smooth_at(curve: Curve, lr: float) -> str:
    """Read a seed's smooth line; a dash beyond its ends."""
    lrs, losses = smooth_line(curve)
    if len(lrs) == 0 or not lrs[0] <= lr <= lrs[-1]:
        return "–"
    return _loss(float(np.interp(math.log10(lr), np.log10(lrs), losses)))


def _loss(loss: float) -> str:
    return f"{loss:.4g}".replace("-", "−", 1) if math.isfinite(loss) else str(loss)
