"""Write docs/cli.md from the commands themselves, so that the two cannot differ.

Run `python docs/make_cli.py` after a change of a command or an option; a test compares the page
with `text`. Imports no torch: what `lrfind --help` knows is enough.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from typer.main import get_command

from lrfind.cli.app import app

PAGE = Path(__file__).with_name("cli.md")

INTRO = """# The command line

Standard output is the answer, standard error is the story: progress, notes and errors. So
`LR=$(lrfind run config.yaml --format lr)` holds a number and nothing else. `lrfind COMMAND --help`
shows the same as this page, and `lrfind --install-completion` sets up shell completion.

This page is written by `docs/make_cli.py` from the commands.

{commands}

## Exit codes

| code | means |
|---|---|
| 0 | a suggestion; `check`: every pin still fits |
| 1 | `check`: a pin drifted or is stale; `apply --check`: a file holds another LR |
| 2 | a config, an option, a file or the user's code is wrong; every problem is told |
| 3 | no honest suggestion; `check`: inconclusive. The files are still written |
| 70 | a bug of lrfind |
| 74 | done, but a file or the answer could not be written |
| 124 | ended by `--timeout`; the curve so far is saved |
| 130 | ended by Ctrl-C, SIGTERM or SIGHUP; the curve so far is saved |

"""


def main() -> None:
    """Write the file."""
    PAGE.write_text(text(), encoding="utf-8")


def text() -> str:
    """Return the whole page."""
    root: Any = get_command(app)
    context = root.make_context("lrfind", ["schema"], resilient_parsing=True)
    rows, sections = [], []
    for name, command in root.commands.items():
        summary, *more = _paragraphs(command.help)
        rows.append((f"[`lrfind {name}`](#lrfind-{name})", summary))
        inner = command.make_context(name, [], parent=context, resilient_parsing=True)
        sections.append(_section(command, inner, [summary, *more]))
    return INTRO.format(commands=_table("command", rows)) + "\n".join(sections)


def _section(command: Any, context: Any, told: list[str]) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    *told, example = told
    parts = [
        f"## {context.command_path}",
        f"```text\n{re.sub(r'[{}]', '', usage)}\n```",
        *told,
        f"```bash\n{example.removeprefix('Example: ').strip('`')}\n```",
    ]
    rows: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
    for parameter in command.get_params(context):
        if parameter.name != "help":
            signature, meaning = parameter.get_help_record(context)
            is_option = parameter.param_type_name == "option"
            shown = signature if is_option else signature.split()[0]
            rows[parameter.param_type_name].append((f"`{shown}`", _told(meaning)))
    parts += [_table(kind, found) for kind, found in rows.items() if found]
    return "\n\n".join(parts) + "\n"


def _paragraphs(text: str) -> list[str]:
    """Split a help text into paragraphs, each one line."""
    return [" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n")]


def _told(meaning: str) -> str:
    """Write what an option means: bounds and defaults behind it, other options as code."""
    words, _, facts = meaning.partition("  [")
    outside = re.split(r"(`[^`]*`)", words)
    outside[::2] = [re.sub(r"(--[\w-]+)", r"`\1`", part) for part in outside[::2]]
    facts = facts.removesuffix("]").replace(">=", " ≥ ").replace("<=", " ≤ ")
    return "".join(outside) + (f" *{facts}*" if facts else "")


def _table(kind: str, rows: list[tuple[str, str]]) -> str:
    head = [(kind, "does" if kind == "command" else "meaning"), ("---", "---")]
    return "\n".join(f"| {a} | {b} |" for a, b in [*head, *((_cell(a), _cell(b)) for a, b in rows)])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
