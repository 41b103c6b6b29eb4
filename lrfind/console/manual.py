"""The page of a bundled thing, read from its source without importing it.

A page is the docstring of a class or function, cut into blocks, and the signature. Reading the
source keeps torch out; `docs/` is written from the same blocks.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lrfind.registry import Entry

Definition = ast.ClassDef | ast.FunctionDef


class Kind(StrEnum):
    """What a block is."""

    TEXT = "text"
    """A paragraph; its line breaks mean nothing."""
    VERBATIM = "verbatim"
    """A formula or an example; its line breaks stay."""
    HEADING = "heading"
    """`Args`, `Raises` …"""
    ITEM = "item"
    """A name and what it is, joined by a colon."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a page.

    Attributes:
        kind: how it is set.
        text: its words; of an item, what stands behind the name.
        name: of an item.
    """

    kind: Kind
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Manual:
    """The page of a bundled thing.

    Attributes:
        name: config name.
        entry: its line in the catalog.
        attr: the class or function, `AdamW`.
        package: where it is imported from, `lrfind.optim`.
        parameters: of the constructor or function, each with its default.
        blocks: the docstring.
    """

    name: str
    entry: Entry
    attr: str
    package: str
    parameters: tuple[str, ...]
    blocks: tuple[Block, ...]

    @property
    def signature(self) -> str:
        """The call with every default: `StepLR(optimizer, step_size, gamma=0.1, …)`."""
        return f"{self.attr}({', '.join(self.parameters)})"


def read_manual(name: str, catalog: Mapping[str, Entry]) -> Manual:
    """Read the page of a catalog's entry."""
    entry = catalog[name]
    module, _, attr = entry.path.partition(":")
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    body = ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body
    known = {node.name: node for node in body if isinstance(node, Definition)}
    return Manual(
        name=name,
        entry=entry,
        attr=attr,
        package=module.rpartition(".")[0],
        parameters=tuple(_parameters(known[attr], known)),
        blocks=tuple(_blocks(ast.get_docstring(known[attr]) or "")),
    )


def _parameters(node: Definition, known: Mapping[str, Definition]) -> Iterator[str]:
    """Write the parameters of a function, or of a class's own or nearest constructor."""
    if isinstance(node, ast.ClassDef):
        made = [part for part in node.body if isinstance(part, ast.FunctionDef)]
        constructor = next((part for part in made if part.name == "__init__"), None)
        if constructor is None:
            bases = [known[b.id] for b in node.bases if isinstance(b, ast.Name) and b.id in known]
            yield from _parameters(bases[0], known) if bases else ("optimizer",)
            return
        node = constructor
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    gap = len(positional) - len(arguments.defaults)
    defaults: list[ast.expr | None] = [*[None] * gap, *arguments.defaults]
    for argument, default in zip(positional, defaults, strict=True):
        if argument.arg != "self":
            yield _with_default(argument.arg, default)
    if arguments.kwonlyargs:
        yield "*"
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _with_default(argument.arg, default)


def _with_default(name: str, default: ast.expr | None) -> str:
    return name if default is None else f"{name}={ast.unparse(default)}"


def _blocks(docstring: str) -> Iterator[Block]:
    """Cut a docstring at blank lines, and where its indentation begins or ends."""
    heading = ""
    for chunk in re.split(r"\n\s*\n", inspect.cleandoc(docstring)):
        lines = chunk.splitlines()
        if re.fullmatch(r"[A-Z][a-z]+:", lines[0]):
            heading = lines.pop(0).rstrip(":")
            yield Block(Kind.HEADING, heading)
        if not lines:
            continue
        if not lines[0].startswith(" "):
            yield Block(Kind.TEXT, " ".join(lines))
        elif heading in ("", "Example"):
            yield Block(Kind.VERBATIM, inspect.cleandoc("\n" + "\n".join(lines)))
        else:
            yield from _items(lines)


def _items(lines: list[str]) -> Iterator[Block]:
    for item in re.split(r"\n {4}(?! )", "\n" + "\n".join(lines))[1:]:
        name, colon, text = " ".join(item.split()).partition(": ")
        yield Block(Kind.ITEM, text, name) if colon else Block(Kind.TEXT, name)
