"""What an import of the user's files would do besides defining things."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from lrfind.errors import InputError, Problem
from lrfind.survey.making import Made
from lrfind.survey.project import Project, Source, module_scope

GUARD = 'put it under if __name__ == "__main__":'


def refuse_side_effects(
    targets: Sequence[Made], project: Project, training: ast.AST | None
) -> None:
    """Refuse files whose import trains, or reads a command line that is not theirs.

    Args:
        targets: what a config will name.
        project: all files.
        training: the loop or call that trains, where it was found.

    Raises:
        InputError: with the line that does it.
    """
    problems = []
    for source in dict.fromkeys(made.source for made in targets):
        if source is not None:
            problems += _effects(source, project, training)
    if problems:
        raise InputError(*problems)


def _effects(source: Source, project: Project, training: ast.AST | None) -> list[Problem]:
    problems = []
    for node in module_scope(source).nodes():
        if training is not None and node is training:
            what = "importing this file trains: this stands at its top"
            problems.append(Problem(source.where(node), what, GUARD))
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr == "parse_args":
            what = "importing this file reads the command line, which is lrfind's then"
            problems.append(Problem(source.where(node), what, GUARD))
        if training and _reaches(source.dotted(node.func), source, training, project, set()):
            what = f"importing this file trains: it calls {ast.unparse(node.func)}"
            problems.append(Problem(source.where(node), what, GUARD))
    return problems


def _reaches(
    dotted: str, source: Source, training: ast.AST, project: Project, seen: set[ast.AST]
) -> bool:
    """Tell whether a call comes to what trains."""
    found = project.define(dotted, source)
    if found is None or found[1] in seen:
        return False
    home, definition = found
    seen.add(definition)
    if any(node is training for node in ast.walk(definition)):
        return isinstance(definition, ast.FunctionDef)
    calls = (node for node in ast.walk(definition) if isinstance(node, ast.Call))
    return any(_reaches(home.dotted(call.func), home, training, project, seen) for call in calls)
