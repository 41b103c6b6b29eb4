"""The answer on stdout, in every form it takes: lines to read, a number, JSON, Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from lrfind.console.grid import grid
from lrfind.frame import lr_text
from lrfind.output_format import Format
from lrfind.plain_text import plain, without_commands
from lrfind.refine import Trial
from lrfind.report import Report, to_json
from lrfind.suggest.answer import Suggestion, Verdict

_STYLES = {Verdict.OK: "green", Verdict.LOW_CONFIDENCE: "yellow"}


def render(
    report: Report,
    format: Format | str,
    *,
    width: int = 80,
    color: bool = False,
    files: Sequence[Path] = (),
    next_command: str = "",
) -> str:
    """Write a report in one of the formats, ending in a newline.

    Args:
        report: what to tell.
        format: `table` for eyes, `lr` for shell scripts (the exact number, as `repr` writes it;
            empty where there is none), `json` for programs, `markdown` for job summaries.
        width: columns that a table may fill.
        color: whether a table may hold ANSI colours.
        files: what was written, for the table and Markdown.
        next_command: what the user will most likely run next.
    """
    match Format(format):
        case Format.LR:
            return f"{report.suggestion.lr!r}\n" if report.suggestion else ""
        case Format.JSON:
            return to_json(report)
        case Format.MARKDOWN:
            return _markdown(report, files, next_command)
        case Format.TABLE:
            return _table(report, width, color, files, next_command)


def _table(
    report: Report, width: int, color: bool, files: Sequence[Path], next_command: str
) -> str:
    footer = [(name, Text(text)) for name, text in _footer(files, next_command)]
    return grid([*_rows(report), *footer], width=width, color=color)


def _rows(report: Report) -> list[tuple[str, Text]]:
    """Everything that was found, answer first."""
    suggestion, rows = report.suggestion, []
    if suggestion:
        number = f"bold {_style(suggestion.verdict)}"
        (_, first, use), *others = answer_rows(suggestion)
        rows += [("lr", Text.assemble((first, number), f"  for {use}"))]
        rows += [
            (name, Text.assemble((text, "bold"), f"  for {use}")) for name, text, use in others
        ]
        rows += [
            ("range", Text(f"{_range(suggestion)}  usable {usable_as(suggestion)}")),
            (
                "verdict",
                Text.assemble((suggestion.verdict.value, number), f"  {how_answered(suggestion)}"),
            ),
            ("reason", Text(suggestion.reason)),
        ]
    elif report.no_answer:
        answer = report.no_answer
        rows += [
            ("lr", Text("none: these curves hold no honest answer", style="bold red")),
            ("verdict", Text(answer.verdict.value, style="bold red")),
            ("reason", Text(answer.reason)),
            ("change", Text(answer.remedy)),
        ]
    if report.trials:
        rows.append(("trials", _trials(report.trials)))
    rows += [("note", Text(str(note))) for note in report.notes]
    return rows


def answer_rows(suggestion: Suggestion) -> list[tuple[str, str, str]]:
    """List what an LR was found for, the main one first: name, LR, and what it is for."""
    first = ("lr", lr_text(suggestion.lr), suggestion.schedule or "a constant schedule")
    if suggestion.second is None:
        return [first]
    name, lr = suggestion.second
    use = "its lower end" if name == "base_lr" else "warmup + decay"
    return [first, (name, lr_text(lr), use)]


def usable_as(suggestion: Suggestion) -> str:
    """Say what an LR of the range can be used as."""
    return "under this schedule" if suggestion.schedule else "at a constant lr"


def _trials(trials: Sequence[Trial]) -> Text:
    """List where trials ended, by LR, the best one bold."""
    best = min(trials, key=lambda trial: trial.loss)
    parts = []
    for trial in sorted(trials, key=lambda trial: trial.lr):
        style = "bold" if trial is best and not trial.diverged else ""
        parts.append(Text(f"{trial_text(trial)} at {lr_text(trial.lr)}", style=style))
    return Text.assemble("loss ", Text(" · ").join(parts))


def trial_text(trial: Trial) -> str:
    """Write where a trial ended: `0.109`, `diverged`."""
    return "diverged" if trial.diverged else f"{trial.loss:.4g}"


def _footer(files: Sequence[Path], next_command: str) -> list[tuple[str, str]]:
    rows = [("files" if i == 0 else "", text) for i, text in enumerate(_by_folder(files))]
    return [*rows, ("next", next_command)] if next_command else rows


def how_answered(suggestion: Suggestion) -> str:
    """Name the rule, and how far several seeds agree on it."""
    if len(suggestion.per_seed) < 2:
        return f"by {suggestion.method}"
    least, most = min(suggestion.per_seed), max(suggestion.per_seed)
    return (
        f"by {suggestion.method}; {len(suggestion.per_seed)} seeds say {lr_text(least)} … "
        f"{lr_text(most)} ({suggestion.spread_decades:.2f} decades)"
    )


def _range(suggestion: Suggestion, quote: str = "") -> str:
    return f"{quote}{lr_text(suggestion.low)}{quote} … {quote}{lr_text(suggestion.high)}{quote}"


def _style(verdict: Verdict) -> str:
    return _STYLES.get(verdict, "red")


def _by_folder(files: Sequence[Path]) -> list[str]:
    """List files a folder a line: `runs/digits: curve.csv, curve.png`."""
    folders: dict[Path, list[str]] = {}
    for file in files:
        folders.setdefault(file.parent, []).append(file.name)
    return [f"{folder}: {', '.join(names)}" for folder, names in folders.items()]


def _markdown(report: Report, files: Sequence[Path], next_command: str) -> str:
    title = escape_markdown(report.title) or "learning rate"
    lines = [f"### lrfind: {title}", ""]
    suggestion = report.suggestion
    if suggestion:
        (_, first, use), *others = answer_rows(suggestion)
        lines += [
            "| | learning rate | use |",
            "|---|---|---|",
            f"| **lr** | **`{first}`** | {use.removeprefix('a ')} |",
            *(f"| {name} | `{text}` | {use} |" for name, text, use in others),
            f"| range | {_range(suggestion, '`')} | usable {usable_as(suggestion)} |",
            "",
            f"**{suggestion.verdict}** {escape_markdown(how_answered(suggestion))}: "
            f"{escape_markdown(suggestion.reason)}",
        ]
    elif report.no_answer:
        answer = report.no_answer
        lines += [
            f"**No suggestion ({answer.verdict})**: {escape_markdown(answer.reason)}",
            "",
            f"To change: {escape_markdown(answer.remedy)}",
        ]
    if report.trials:
        lines += ["", "| trial lr | final loss | steps |", "|---|---|---|"]
        lines += [
            f"| `{lr_text(trial.lr)}` | {trial_text(trial)} | {trial.steps} |"
            for trial in sorted(report.trials, key=lambda trial: trial.lr)
        ]
    if report.notes:
        lines += ["", *(f"- {escape_markdown(str(note))}" for note in report.notes)]
    for name, text in _footer(files, ""):
        lines += ["", f"{name}: {escape_markdown(text)}".lstrip(": ")]
    if next_command:
        lines += ["", f"next: {_code(next_command)}"]
    return without_commands("\n".join(lines) + "\n")


def escape_markdown(text: str) -> str:
    """Make text that came from a user stand as it is, on one line, in GitHub Markdown."""
    line = plain(" ".join(text.split()))
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]|#~$])", r"\\\1", line)


def _code(text: str) -> str:
    """Fence inline code with more backticks than it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{plain(' '.join(text.split()))}{pad}{fence}"
