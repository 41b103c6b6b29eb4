"""An LR into the user's own files: planned and proved for all of them, then written."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lrfind.edit.address import Address
from lrfind.edit.number import number_of, number_text
from lrfind.edit.place import Place, line_of, refusal
from lrfind.errors import InputError, Problem
from lrfind.intake import as_text, read_bytes

MAX_BYTES = 2**20
"""Size above which a file is not read; a YAML reader takes some 10 µs a byte."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value of a file.

    Attributes:
        address: where it stands.
        line: its line, from 1.
        old: what stood there; empty where nothing did.
        new: what stands there now; `old` where that is the same number.
        readers: keys that read it too, through aliases.
    """

    address: Address
    line: int
    old: str
    new: str
    readers: tuple[str, ...]

    @property
    def is_change(self) -> bool:
        """Tell a new number from the one that was there."""
        return self.old != self.new


@dataclass(frozen=True, slots=True)
class Edit:
    """One file with all its new values.

    Attributes:
        path: as the user named it.
        file: what it leads to, behind symbolic links.
        before: its bytes.
        after: its bytes with the new values.
        changes: what differs, in the order they were asked for.
    """

    path: Path
    file: Path
    before: bytes
    after: bytes
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a kind of file is searched, and how a change to it is proved."""

    find: Callable[[str, Address], Place]
    proves: Callable[[str, str, Address, str], bool]


def plan(addresses: Sequence[Address], lr: float) -> list[Edit]:
    """Work out the new bytes of every file; writes nothing.

    Raises:
        InputError: with every address that an LR cannot be written to.
    """
    edits: dict[Path, Edit] = {}
    problems: list[Problem] = []
    for address in addresses:
        try:
            file = address.file.resolve()
            edit = edits.get(file) or _opened(address.file, file)
            edits[file] = _with(edit, address, lr)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*dict.fromkeys(problems))
    return list(edits.values())


def write(edits: Sequence[Edit]) -> None:
    """Write the files that differ, each as a whole; permissions stay, links are followed.

    Raises:
        OutputError: one cannot be written; unless it is the disk that fails in the last moment,
            all are as they were.
        InputError: one was changed since it was read.
    """
    from lrfind.atomic import replace_together

    changed = [edit for edit in edits if edit.after != edit.before]
    for edit in changed:
        if read_bytes(edit.file, MAX_BYTES, "check the path") != edit.before:
            what, remedy = "was changed by somebody else in this moment", "run it again"
            raise InputError(Problem(str(edit.path), what, remedy))
    replace_together({edit.file: edit.after for edit in changed})


def _opened(path: Path, file: Path) -> Edit:
    remedy = "check the path"
    if file.exists() and not file.is_file():
        raise InputError(Problem(str(path), "is no file", remedy))
    data = read_bytes(path, MAX_BYTES, remedy)
    if not os.access(file, os.W_OK):
        raise InputError(Problem(str(path), "is write-protected", f"chmod u+w {path}"))
    return Edit(path, file, data, data, ())


def _with(edit: Edit, address: Address, lr: float) -> Edit:
    """Put an LR into a file that may hold new values already."""
    kind = _kind(address.file)
    mark = codecs.BOM_UTF8 if edit.after.startswith(codecs.BOM_UTF8) else b""
    text = as_text(edit.after, address.file)
    place = kind.find(text, address)
    old, line = text[place.start : place.end], line_of(text, place.start)
    if number_of(place.value) == lr:
        same = Change(address, line, old, old, place.readers)
        return Edit(edit.path, edit.file, edit.before, edit.after, (*edit.changes, same))
    new = number_text(lr, like=old if place.value is not None else "")
    changed = text[: place.start] + place.lead + new + text[place.end :]
    if not kind.proves(text, changed, address, new):
        what = f"cannot be set to {new} without changing something else"
        raise refusal(f"{address.file}:{line}", address.key, what, "write it by hand")
    change = Change(address, line, old, new, place.readers)
    after = mark + changed.encode()
    return Edit(edit.path, edit.file, edit.before, after, (*edit.changes, change))


def _kind(path: Path) -> _Kind:
    """Choose by the suffix; each reader is imported only where it is used."""
    if path.suffix.lower() in (".yaml", ".yml"):
        from lrfind.edit import yaml_file

        return _Kind(yaml_file.find, yaml_file.proves)
    from lrfind.edit import by_trial

    parse = by_trial.parse_toml if path.suffix.lower() == ".toml" else by_trial.parse_json
    return _Kind(partial(by_trial.find, parse=parse), partial(by_trial.proves, parse=parse))
