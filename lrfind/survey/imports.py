"""What an import of the user's files would do besides defining things."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from lrfind.errors import InputError, Problem
from lrfind.survey.loop import Loop
from lrfind.survey.making import Made
from lrfind.survey.project import Project, Source, module_scope

GUARD = 'put it under if __name__ == "__main__":'


def refuse_side_effects(targets: Sequence[Made], project: Project, loop: Loop | None) -> None:
    """Refuse files whose import trains, or reads a command line that is not theirs.

    Raises:
        InputError: with the line that does it.
    """
    problems = []
    for source in dict.fromkeys(made.source for made in targets):
        if source is not None:
            problems += _effects(source, project, loop)
    if problems:
        raise InputError(*problems)


def _effects(source: Source, project: Project, loop: Loop | None) -> list[Problem]:
    problems = []
    for node in module_scope(source).nodes():
        if loop is not None and node is loop.node:
            what = "importing this file trains: the loop stands at its top"
            problems.append(Problem(source.where(node), what, GUARD))
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr == "parse_args":
            what = "importing this file reads the command line, which is lrfind's then"
            problems.append(Problem(source.where(node), what, GUARD))
        if loop is not None and _reaches(source.dotted(node.func), source, loop, project, set()):
            what = f"importing this file trains: it calls {ast.unparse(node.func)}"
            problems.append(Problem(source.where(node), what, GUARD))
    return problems


def _reaches(dotted: str, source: Source, loop: Loop, project: Project, seen: set[ast.AST]) -> bool:
    """Tell whether a call comes to the training loop."""
    found = project.define(dotted, source)
    if found is None or found[1] in seen:
        return False
    home, definition = found
    seen.add(definition)
    if any(node is loop.node for node in ast.walk(definition)):
        return isinstance(definition, ast.FunctionDef)
    calls = (node for node in ast.walk(definition) if isinstance(node, ast.Call))
    return any(_reaches(home.dotted(call.func), home, loop, project, seen) for call in calls)
