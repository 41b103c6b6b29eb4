"""What a survey found, as a config that says where each part is from."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrfind.survey.making import Made


@dataclass(frozen=True, slots=True)
class Part:
    """One section of the config.

    Attributes:
        key: its name.
        value: what stands there, as plain data.
        where: file and line that say so.
    """

    key: str
    value: Any
    where: str


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that a config needs.

    Attributes:
        parts: its sections, in order.
        notes: what was left out or chosen, and why; a sentence each.
    """

    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()


def part(key: str, made: Made, folder: Path, **more: Any) -> Part:
    """Write what makes an object as a section."""
    return Part(key, section_of(made, folder) | more, made.where)


def section_of(made: Made, folder: Path) -> dict[str, Any]:
    """Write what makes an object as `target`, `args` and `item`."""
    section: dict[str, Any] = {"target": made.target(folder)}
    section |= {"args": made.args} if made.args else {}
    return section | ({"item": made.item} if made.item is not None else {})


def config_text(findings: Findings, command: str) -> str:
    """Write the config, each section behind a comment with its place.

    Args:
        findings: what was found.
        command: that wrote it, for the first line.
    """
    lines = [f"# {command}", "#", "# Read off the code, which was not run:"]
    for note in findings.notes:
        lines.append(f"# - {note}")
    if not findings.notes:
        lines[-1] = "# Read off the code, which was not run."
    for section in findings.parts:
        lines += ["", f"# {section.where}", *_section(section)]
    return "\n".join([*lines, ""])


def _section(section: Part) -> list[str]:
    """Write a section in a line, or in a line each where it holds sections alone."""
    value = section.value
    if isinstance(value, dict) and all(isinstance(inner, dict) for inner in value.values()):
        rows = [f"  {name}: {_yaml(inner)}" for name, inner in value.items()]
        return [f"{section.key}:", *rows]
    return [f"{section.key}: {_yaml(value)}"]


def _yaml(value: Any) -> str:
    """Write a value of a section as YAML, in one line."""
    from ruamel.yaml import YAML

    if isinstance(value, str):
        return value
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.sort_base_mapping_type_on_output = False
    yaml.default_flow_style = True
    yaml.width = 4096
    yaml.allow_unicode = True
    text = io.StringIO()
    yaml.dump(value, text)
    return text.getvalue().strip()
