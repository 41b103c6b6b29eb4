"""Names to objects: bundled names with did-you-mean, and import paths for the user's own.

An import path is `package.module:attr` or `path/to/file.py:attr`; the attribute may be nested
(`train.py:Model.training_step`). This module must not know what the objects are for.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from lrfind.absent import install, missing_of
from lrfind.errors import InputError, Problem, UserCodeError


@dataclass(frozen=True, slots=True)
class Entry:
    """One bundled thing, described without importing it.

    Attributes:
        path: import path of the object, `lrfind.optim.adamw:AdamW`.
        formula: what it computes, in one line.
        source: paper or origin, with the year.
        args: keyword arguments that this name stands for (`nesterov` is SGD with two of them).
    """

    path: str
    formula: str
    source: str
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed import path.

    Attributes:
        module: dotted module name, or the path of a Python file as it was written.
        attr: dotted attribute inside it.
    """

    module: str
    attr: str

    @property
    def is_file(self) -> bool:
        """Tell a path to a file from a dotted module name."""
        return self.module.endswith(".py")

    def __str__(self) -> str:
        return f"{self.module}:{self.attr}"


def nearest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Say `did you mean 'x'?` when something known is close, else list what is known.

    Args:
        name: what is not known.
        known: what is.
        otherwise: what to do where none of these was meant.
    """
    names = sorted(known)
    if (close := _closest(name, names)) is not None:
        return f"did you mean {close!r}? {otherwise}".strip()
    listed = f"known: {', '.join(names)}" if names else "none is known"
    return f"{listed}. {otherwise}" if otherwise else listed


def lacks(name: str, known: Iterable[str]) -> str:
    """Say what to do about an attribute that is not there."""
    close = _closest(name, known)
    return f"define {name!r} there" if close is None else f"did you mean {close!r}?"


def _closest(name: str, known: Iterable[str]) -> str | None:
    """Find what was meant, also by its name elsewhere: `CrossEntropyLoss` is `cross_entropy`."""
    plain = {_squashed(other): other for other in known}
    close = difflib.get_close_matches(_squashed(name), plain, n=1, cutoff=0.6)
    return plain[close[0]] if close else None


def _squashed(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


def parse_target(text: str) -> Target:
    """Split `module:attr` into its parts.

    Raises:
        InputError: there is not exactly one attribute behind the last colon.
    """
    module, colon, attr = text.rpartition(":")
    if not colon or not module or not all(part.isidentifier() for part in attr.split(".")):
        raise InputError(
            Problem(
                text,
                "is no import path; it must read package.module:attr or file.py:attr",
                "name the attribute after a colon",
            )
        )
    return Target(module, attr)


def file_of(target: Target, folder: Path) -> Path | None:
    """Find the file that a target names; None where there is none."""
    try:
        path = folder / Path(target.module).expanduser()
    except RuntimeError:  # `~nobody/train.py`
        return None
    return path if is_file(path) else None


def is_file(path: Path) -> bool:
    """Tell a file that is there; a name that no file can have is none."""
    try:
        return path.is_file()
    except OSError:  # too long
        return False


def import_file(path: Path) -> ModuleType:
    """Import a Python file, once a path and process.

    The file's folder is put at the end of `sys.path`, so that the imports of its neighbours work.
    Where no other module has its name, the file is imported as `import train` would: a neighbour
    that imports it gets the same module, and so do DataLoader workers that are spawned and
    unpickle its classes. Else its name carries a digest of the path, so that two files called
    `train.py` do not shadow each other; spawned workers do not find that one.
    """
    path = path.resolve()
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)
        importlib.invalidate_caches()
    if _is_own_name(path):
        return importlib.import_module(path.stem)
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    name = f"lrfind_target_{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not an importable Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _is_own_name(path: Path) -> bool:
    """Tell whether `import <stem>` gives this very file."""
    if not path.stem.isidentifier():
        return False
    try:
        spec = importlib.util.find_spec(path.stem)
    except ValueError:  # `__main__`, or a module that was made by hand
        return False
    return spec is not None and spec.origin is not None and Path(spec.origin).resolve() == path


def load_target(text: str, folder: Path, where: str, key: str) -> Any:
    """Import what an import path names.

    Args:
        text: `package.module:attr` or `file.py:attr`.
        folder: where a relative file path starts from: the config's own folder.
        where: what to blame in an error, `config.yaml:7`.
        key: the key that holds the path, `model.target`.

    Raises:
        InputError: the path is malformed, the file or module is missing, or it has no such
            attribute.
        UserCodeError: the module was found and raised while it was imported.
    """
    try:
        target = parse_target(text)
    except InputError as error:
        what, remedy = error.problems[0].what, error.problems[0].remedy
        raise InputError(Problem(where, f"{key} = {text!r} {what}", remedy)) from None
    found: Any = _import_module(target, folder, where, key)
    for i, part in enumerate(target.attr.split(".")):
        try:
            found = getattr(found, part)
        except AttributeError:
            owner = ":".join([target.module, ".".join(target.attr.split(".")[:i])]).rstrip(":")
            known = [name for name in dir(found) if not name.startswith("_")]
            what = f"{key} = {text!r}: {owner} has no attribute {part!r}"
            raise InputError(Problem(where, what, lacks(part, known))) from None
    return found


def _import_module(target: Target, folder: Path, where: str, key: str) -> ModuleType:
    shown = f"{key} = {str(target)!r}"
    path = file_of(target, folder) if target.is_file else None
    if target.is_file and path is None:
        what = f"{shown}: there is no file {folder / target.module}"
        raise InputError(Problem(where, what, f"paths start from {folder.resolve()}"))
    try:
        return importlib.import_module(target.module) if path is None else import_file(path)
    except (Exception, SystemExit) as error:
        name = getattr(error, "name", None) or ""
        # Only the module asked for is the config's mistake; a missing import inside it is theirs.
        is_asked_for = target.module == name or target.module.startswith(f"{name}.")
        if isinstance(error, ModuleNotFoundError) and is_asked_for and not target.is_file:
            remedy = _install(name) or "install it"
            remedy += ", or write file.py:attr for a file beside the config"
            problem = Problem(where, f"{shown}: there is no module named {name!r}", remedy)
            raise InputError(problem) from None
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        what = f"{shown}: importing {target.module} raised {text}"
        is_missing = isinstance(error, ModuleNotFoundError)
        remedy = (is_missing and _install(name)) or "mend the module"
        raise UserCodeError(Problem(where, what, remedy)) from error


def _install(module: str) -> str:
    """Write the command that installs a missing module; empty where none of our extras does."""
    missing = missing_of([module])
    return install(missing) if missing else ""


def load_entry(entry: Entry) -> Any:
    """Import what a bundled entry describes."""
    module, _, attr = entry.path.partition(":")
    return getattr(importlib.import_module(module), attr)
