"""A page of the manual on the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from lrfind.console.manual import Block, Kind, Manual

MAX_WIDTH = 100
"""Columns beyond which a paragraph reads badly."""


def page(manual: Manual, console: Console) -> Iterator[Text]:
    """Set a page in lines: what it is and where it comes from, its call, its docstring."""
    entry = manual.entry
    preset = ", ".join(f"{key}={value!r}" for key, value in entry.args.items())
    yield Text.assemble((manual.name, "bold underline"), f"  {manual.package}.{manual.attr}")
    yield from _wrapped(Text(entry.formula, style="bold"), console)
    yield from _wrapped(Text(entry.source, style="dim"), console)
    yield Text()
    yield from _wrapped(Text(manual.signature), console, hang=len(manual.attr) + 1)
    if preset:
        note = f"{manual.name} is {manual.attr} with {preset}."
        yield from (Text(), *_wrapped(Text(note), console))
    before = Kind.TEXT
    for block in manual.blocks:
        if not (block.kind is Kind.ITEM or before is Kind.HEADING):
            yield Text()
        yield from _set(block, console)
        before = block.kind


def _set(block: Block, console: Console) -> Iterator[Text]:
    match block.kind:
        case Kind.HEADING:
            yield Text(block.text, style="bold")
        case Kind.VERBATIM:
            yield from (Text(f"    {line}", style="bold") for line in block.text.splitlines())
        case Kind.ITEM:
            item = Text.assemble("  ", (block.name, "bold"), f"  {block.text}")
            yield from _wrapped(item, console, hang=6)
        case Kind.TEXT:
            yield from _wrapped(Text(block.text), console)


def _wrapped(text: Text, console: Console, hang: int = 0) -> Iterator[Text]:
    """Wrap a text, all lines but the first indented."""
    lines = text.wrap(console, min(console.width, MAX_WIDTH) - hang)
    for i, line in enumerate(lines):
        line.rstrip()
        yield Text.assemble(" " * hang if i else "", line)
