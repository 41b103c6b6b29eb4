"""What builds models and data in a project, by what it is derived from or returns."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lrfind.survey.making import Made, required_parameters
from lrfind.survey.project import Definition, Project, Source, module_scope

MODULES = {"torch.nn.Module", "torch.nn.modules.module.Module", "torch.nn.Sequential"}
DATASETS = {
    "torch.utils.data.Dataset",
    "torch.utils.data.IterableDataset",
    "torch.utils.data.TensorDataset",
    "torch.utils.data.DataLoader",
}

_HELD_OUT = ("val", "test", "eval", "held", "dev")


def models(project: Project) -> list[Made]:
    """List what builds a model without being told anything, likeliest first.

    Functions before classes; a class that another part of the project builds is part of a model.
    """
    found = list(_builders(project, MODULES, "torch.nn."))
    used = set(_instantiated(project))
    functions = [made for made in found if _is_function(made)]
    classes = [made for made in found if not _is_function(made) and made.attr not in used]
    functions.sort(key=lambda made: not any(word in made.attr for word in ("model", "net")))
    return [*functions, *classes]


def datasets(project: Project) -> list[Made]:
    """List what builds training data without being told anything, likeliest first."""
    found = list(_builders(project, DATASETS, "torch.utils.data."))
    kept = [made for made in found if not any(word in made.attr.lower() for word in _HELD_OUT)]

    def unlikely(made: Made) -> tuple[bool, bool, bool]:
        name = made.attr.lower()
        # A loader knows its batch size.
        return "train" not in name, "loader" not in name, not _is_function(made)

    return sorted(kept, key=unlikely)


def derives(definition: Definition, source: Source, bases: set[str], project: Project) -> bool:
    """Tell whether a class is derived from one of these, through classes of the project."""
    if not isinstance(definition, ast.ClassDef):
        return False
    for base in definition.bases:
        node = base.value if isinstance(base, ast.Subscript) else base
        dotted = source.dotted(node)
        if dotted in bases:
            return True
        found = project.define(dotted, source)
        if found is None or found[1] is definition:
            continue
        if derives(found[1], found[0], bases, project):
            return True
    return False


def _builders(project: Project, bases: set[str], module: str) -> Iterator[Made]:
    for source in project.sources:
        for name, definition in source.definitions.items():
            if name.startswith("_") or required_parameters(definition):
                continue
            is_one = (
                _returns(definition, source, bases, module, project)
                if isinstance(definition, ast.FunctionDef)
                else derives(definition, source, bases, project)
            )
            if is_one:
                yield Made(source, name, {}, source.where(definition))
        for node in module_scope(source).nodes():
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                continue
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            if names and _is_one(node.value.func, source, bases, module, project):
                yield Made(source, names[0], {}, source.where(node), is_ready=True)


def _returns(
    function: ast.FunctionDef, source: Source, bases: set[str], module: str, project: Project
) -> bool:
    """Tell what a function returns by its annotation, or by the calls that it returns."""
    if function.returns is not None and _is_one(function.returns, source, bases, module, project):
        return True
    values = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    return any(
        isinstance(value, ast.Call) and _is_one(value.func, source, bases, module, project)
        for value in values
    )


def _is_one(node: ast.AST, source: Source, bases: set[str], module: str, project: Project) -> bool:
    """Tell whether a name stands for such a class."""
    dotted = source.dotted(node)
    name = dotted.removeprefix(module)
    if dotted in bases or (name != dotted and name[:1].isupper() and not name.endswith("Loss")):
        return True
    found = project.define(dotted, source)
    return found is not None and derives(found[1], found[0], bases, project)


def _instantiated(project: Project) -> Iterator[str]:
    """Name the classes that other classes and functions of the project build."""
    for source in project.sources:
        for owner in source.definitions.values():
            for node in ast.walk(owner):
                found = (
                    project.define(source.dotted(node.func), source)
                    if isinstance(node, ast.Call)
                    else None
                )
                if found is not None and found[1] is not owner:
                    yield found[1].name


def _is_function(made: Made) -> bool:
    assert made.source is not None
    return isinstance(made.source.definitions.get(made.attr), ast.FunctionDef)
