"""A project around the Hugging Face Trainer: the function that returns one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from lrfind.errors import InputError, Problem
from lrfind.survey.candidates import derives
from lrfind.survey.findings import Findings, Part, section_of
from lrfind.survey.imports import refuse_side_effects
from lrfind.survey.making import Expression, Made, follow, made, required_parameters
from lrfind.survey.project import Project, Scope

TRAINERS = {
    "transformers.Trainer",
    "transformers.Seq2SeqTrainer",
    "transformers.trainer.Trainer",
    "trl.SFTTrainer",
    "trl.DPOTrainer",
}


def survey_huggingface(project: Project, folder: Path) -> Findings:
    """Find what a config needs; `folder` is where it will stand.

    Raises:
        InputError: no function returns a Trainer, or the one that does trains as well.
    """
    problems: list[Problem] = []
    found: list[Made] = []
    for scope in project.scopes():
        function = scope.function
        if function is None or function.name not in scope.source.definitions:
            continue
        if not _returns_trainer(scope, project):
            continue
        try:
            _refuse_training(scope)
            found.append(_called(scope, project))
        except InputError as error:
            problems += error.problems
    if not found:
        raise InputError(*(problems or [_nothing(project)]))
    refuse_side_effects(found[:1], project, _training(project))
    notes = [f"{one.attr} returns a Trainer too" for one in found[1:]]
    section = {"trainer": section_of(found[0], folder)}
    return Findings((Part("huggingface", section, found[0].where),), tuple(notes))


def _returns_trainer(scope: Scope, project: Project) -> bool:
    assert scope.function is not None
    annotation = scope.function.returns
    if annotation is not None and _is_trainer(annotation, scope, project):
        return True
    for node in scope.nodes():
        if isinstance(node, ast.Return) and node.value is not None:
            end = follow(Expression(node.value, scope), project)
            if isinstance(end.node, ast.Call) and _is_trainer(end.node.func, end.scope, project):
                return True
    return False


def _is_trainer(node: ast.AST, scope: Scope, project: Project) -> bool:
    dotted = scope.source.dotted(node)
    found = project.define(dotted, scope.source)
    return dotted in TRAINERS or (
        found is not None and derives(found[1], found[0], TRAINERS, project)
    )


def _refuse_training(scope: Scope) -> None:
    """Refuse a function that trains before it returns."""
    for node in scope.nodes():
        if _is_train(node):
            assert scope.function is not None
            what = f"{scope.function.name} returns a Trainer, but trains it before"
            remedy = "write a function that builds the Trainer and nothing else"
            raise InputError(Problem(scope.source.where(node), what, remedy))


def _called(scope: Scope, project: Project) -> Made:
    """Take the function without arguments, or else with those of a call that has plain ones."""
    function = scope.function
    assert function is not None
    if not required_parameters(function):
        return Made(scope.source, function.name, {}, scope.source.where(function))
    problems: list[Problem] = []
    for other in project.scopes():
        for node in other.nodes():
            if not isinstance(node, ast.Call):
                continue
            defined = project.define(other.source.dotted(node.func), other.source)
            if defined is None or defined[1] is not function:
                continue
            try:
                return made(Expression(node, other), project)
            except InputError as error:
                problems += error.problems
    missing = ", ".join(required_parameters(function))
    what = f"{function.name} returns a Trainer, but needs {missing}"
    place = scope.source.where(function)
    raise InputError(*(problems or [Problem(place, what, "give its parameters defaults")]))


def _training(project: Project) -> ast.AST | None:
    """Find a call of `train` on what a Trainer may be."""
    return next(_trains(project), None)


def _trains(project: Project) -> Iterator[ast.AST]:
    for scope in project.scopes():
        yield from (node for node in scope.nodes() if _is_train(node))


def _is_train(node: ast.AST) -> bool:
    """Recognise `trainer.train()`; a model's `train()` sets its mode."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    return node.func.attr == "train" and "trainer" in ast.unparse(node.func.value).lower()


def _nothing(project: Project) -> Problem:
    """Say that no function returns a Trainer, and where one is built instead."""
    remedy = "write a function that builds the Trainer and returns it"
    for scope in project.scopes():
        for node in scope.nodes():
            if isinstance(node, ast.Call) and _is_trainer(node.func, scope, project):
                what = "a Trainer is built here, and no function returns one"
                return Problem(scope.source.where(node), what, remedy)
    what = "no Trainer is built and no function returns one"
    return Problem(str(project.path), what, f"looked into {project.looked_at()}")
