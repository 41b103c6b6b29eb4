"""The Python files of a project as syntax trees, and what a name means in each."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lrfind.errors import InputError, Problem
from lrfind.intake import read_bytes

MOST_FILES = 300
"""Files that are looked at; a folder with more is no training project, or not the right one."""

MAX_BYTES = 2**20
"""Size above which a file is not looked at."""

_SKIPPED = {"site-packages", "node_modules", "__pycache__", "build", "dist", "tests", "test"}

Definition = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True, eq=False)
class Source:
    """One file.

    Attributes:
        path: where it is.
        module: its dotted name from the project's folder.
        tree: what stands in it.
        imports: a name in it to what it stands for: `F` to `torch.nn.functional`.
        definitions: functions and classes at its top.
    """

    path: Path
    module: str
    tree: ast.Module
    imports: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)

    def where(self, node: ast.AST) -> str:
        """Name file and line."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"

    def dotted(self, node: ast.AST) -> str:
        """Spell a name out: `nn.Linear` to `torch.nn.Linear`; empty for what is no name."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self.dotted(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        return ""


@dataclass(frozen=True, eq=False)
class Scope:
    """Statements that share their names.

    Attributes:
        source: the file they stand in.
        body: the statements.
        function: whose they are; None for those of the file.
        is_guarded: whether they stand under `if __name__ == "__main__"`.
    """

    source: Source
    body: list[ast.stmt]
    function: ast.FunctionDef | None = None
    is_guarded: bool = False

    @property
    def is_importable(self) -> bool:
        """Tell names that an import of the file binds."""
        return self.function is None and not self.is_guarded

    def nodes(self) -> Iterator[ast.AST]:
        """Walk the statements, not into functions, classes and the guard."""
        waiting: list[ast.AST] = list(reversed(self.body))
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if self.is_importable and is_guard(node):
                continue
            yield node
            waiting += reversed(list(ast.iter_child_nodes(node)))

    def values_of(self, name: str) -> list[ast.expr]:
        """List what is assigned to a name, in order."""
        found = []
        for node in self.nodes():
            targets: list[ast.expr] = []
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                targets = [node.target]
            for target in targets:
                assert isinstance(node, ast.Assign | ast.AnnAssign)
                assert node.value is not None
                found += _given_to(name, target, node.value)
        return found


@dataclass(frozen=True, eq=False)
class Project:
    """All files of a project.

    Attributes:
        path: its folder, or the one file, as the user named it.
        sources: in order of path.
    """

    path: Path
    sources: tuple[Source, ...]

    def define(self, dotted: str, source: Source) -> tuple[Source, Definition] | None:
        """Find the function or class of this project that a name stands for."""
        if dotted in source.definitions:
            return source, source.definitions[dotted]
        module, _, name = dotted.rpartition(".")
        for other in self.sources:
            is_meant = module and (other.module == module or other.module.endswith(f".{module}"))
            if is_meant and name in other.definitions:
                return other, other.definitions[name]
        return None

    def scopes(self) -> Iterator[Scope]:
        """List every file's own statements, those under its guard, and its functions'."""
        for source in self.sources:
            yield module_scope(source)
            for node in source.tree.body:
                if is_guard(node):
                    assert isinstance(node, ast.If)
                    yield Scope(source, node.body, is_guarded=True)
            for inner in ast.walk(source.tree):
                if isinstance(inner, ast.FunctionDef):
                    yield Scope(source, inner.body, inner)

    def looked_at(self) -> str:
        """Say where was looked."""
        names = [str(source.path) for source in self.sources]
        more = f" and {len(names) - 5} more files" if len(names) > 5 else ""
        return ", ".join(names[:5]) + more


def _given_to(name: str, target: ast.expr, value: ast.expr) -> list[ast.expr]:
    """Take what an assignment gives to a name: of `a, b = f()` the second to b is `f()[1]`."""
    if isinstance(target, ast.Name):
        return [value] if target.id == name else []
    if not isinstance(target, ast.Tuple | ast.List):
        return []
    if any(isinstance(one, ast.Starred) for one in target.elts):
        return []
    for i, one in enumerate(target.elts):
        if isinstance(one, ast.Name) and one.id == name:
            if isinstance(value, ast.Tuple | ast.List):
                return value.elts[i : i + 1]
            picked = ast.Subscript(value, ast.Constant(i), ast.Load())
            ast.fix_missing_locations(ast.copy_location(picked, value))
            return [picked]
    return []


def module_scope(source: Source) -> Scope:
    """Take the statements of a file that its import runs."""
    return Scope(source, source.tree.body)


def is_guard(node: ast.AST) -> bool:
    """Recognise `if __name__ == "__main__":`."""
    if not isinstance(node, ast.If) or not isinstance(node.test, ast.Compare):
        return False
    sides = [node.test.left, *node.test.comparators]
    return any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)


def read_project(path: Path) -> Project:
    """Parse a file, or all Python files below a folder but hidden, installed and test ones.

    Raises:
        InputError: there is none, too many, or the one that was named cannot be parsed.
    """
    if path.is_dir():
        root, files = path, list(_python_files(path))
    else:
        root, files = path.parent, [path]
    if not files:
        what, remedy = "holds no Python file", "name the folder of the training code"
        raise InputError(Problem(str(path), what, remedy))
    if len(files) > MOST_FILES:
        what = f"holds more than {MOST_FILES} Python files"
        raise InputError(Problem(str(path), what, "name the folder or file that trains"))
    sources = []
    for file in files:
        try:
            sources.append(_parsed(file, root))
        except InputError:
            if file == path:
                raise
    return Project(path, tuple(sources))


def _python_files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _SKIPPED
            and not Path(parent, name, "pyvenv.cfg").exists()
        )
        for name in sorted(names):
            if name.endswith(".py") and not name.startswith(("test_", ".")):
                yield Path(parent, name)


def _parsed(path: Path, root: Path) -> Source:
    data = read_bytes(path, MAX_BYTES, "check the path")
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f"{path}:{getattr(error, 'lineno', None) or 1}"
        # Python's parser calls its full stack a lack of memory.
        is_deep = isinstance(error, RecursionError | MemoryError)
        why = "it is nested too deep" if is_deep else getattr(error, "msg", error)
        what = f"is no Python that can be read: {why}"
        raise InputError(Problem(where, what, "mend it")) from None
    parts = path.relative_to(root).with_suffix("").parts
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    source = Source(path, module, tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root_name = alias.name.partition(".")[0]
                source.imports[alias.asname or root_name] = (
                    alias.name if alias.asname else root_name
                )
        elif isinstance(node, ast.ImportFrom):
            package = _package(node, module)
            for alias in node.names:
                source.imports[alias.asname or alias.name] = f"{package}.{alias.name}"
    for statement in tree.body:
        if isinstance(statement, Definition):
            source.definitions[statement.name] = statement
    return source


def _package(node: ast.ImportFrom, module: str) -> str:
    """Spell a relative import out."""
    if not node.level:
        return node.module or ""
    owner = module.split(".")[: -node.level]
    return ".".join([*owner, *([node.module] if node.module else [])])
