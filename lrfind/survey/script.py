"""A plain training script: model, data, loss and optimizer by what its loop does with them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from lrfind.errors import InputError, Problem
from lrfind.survey.candidates import datasets, models
from lrfind.survey.findings import Findings, Part, part
from lrfind.survey.imports import refuse_side_effects
from lrfind.survey.loop import Loop, find_loop
from lrfind.survey.losses import find_loss, named_in
from lrfind.survey.making import Expression, Made, follow, literal, made, variable_of
from lrfind.survey.project import Project

_Found = TypeVar("_Found")

_LOADER = "torch.utils.data.DataLoader"
_LOADER_PARAMETERS = ("dataset", "batch_size", "shuffle")
_PLAIN = ("batch_size", "shuffle", "num_workers", "drop_last")
_SPEED = ("pin_memory", "persistent_workers", "prefetch_factor", "timeout", "generator")


def survey_script(project: Project, folder: Path) -> Findings:
    """Find what a config needs; `folder` is where it will stand.

    Raises:
        InputError: with everything that was not found, and where it was looked for.
    """
    loop = find_loop(project)
    return _by_builders(project, folder) if loop is None else _by_loop(loop, project, folder)


def _by_loop(loop: Loop, project: Project, folder: Path) -> Findings:
    problems: list[Problem] = []
    notes: list[str] = []

    def attempt(find: Callable[[], _Found]) -> _Found | None:
        try:
            return find()
        except InputError as error:
            problems.extend(error.problems)
            return None

    optimizer = _optimizer_call(loop, project)
    model = attempt(lambda: _model(loop, optimizer, project))
    data = attempt(lambda: _data(loop, project, folder))
    loss = attempt(lambda: find_loss(loop, project, folder))
    targets = [] if model is None else [model]
    if data is not None:
        targets.append(data[1])
    attempt(lambda: refuse_side_effects(targets, project, loop.node))
    if problems or model is None or data is None:
        raise InputError(*dict.fromkeys(problems))
    if model.is_ready:
        notes.append(f"{model.attr} is a ready model: every seed starts from the same weights")
    parts = [part("model", model, folder), data[0], *([loss] if loss else [])]
    parts += _optimizer(optimizer, project, notes)
    return Findings(tuple(parts), tuple(notes))


def _by_builders(project: Project, folder: Path) -> Findings:
    """Find what builds a model and data, where no loop says which are meant."""
    problems = []
    notes = ["no loop with backward() was found: look whether these parts belong together"]
    looked = f"looked into {project.looked_at()}"
    chosen: dict[str, Made] = {}
    for key, candidates, kind in (
        ("model", models(project), "an nn.Module"),
        ("data", datasets(project), "a Dataset or DataLoader"),
    ):
        if not candidates:
            what = f"no loop with backward(), and nothing that makes {kind} without arguments"
            problems.append(Problem(str(project.path), f"{key}: {what}", looked))
            continue
        chosen[key] = candidates[0]
        if len(candidates) > 1:
            others = ", ".join(one.attr for one in candidates[1:4])
            notes.append(f"{key} is {candidates[0].attr}, the likeliest; there is {others}")
    if problems:
        raise InputError(*problems)
    refuse_side_effects(list(chosen.values()), project, None)
    parts = [part(key, made_one, folder) for key, made_one in chosen.items()]
    parts += _loss_by_name(chosen["model"], project, looked)
    optimizers = (
        Expression(node, scope)
        for scope in project.scopes()
        for node in scope.nodes()
        if isinstance(node, ast.Call) and _parameters_of(node) is not None
    )
    parts += _optimizer(next(optimizers, None), project, notes)
    return Findings(tuple(parts), tuple(notes))


def _loss_by_name(model: Made, project: Project, looked: str) -> list[Part]:
    """Take the one loss that the project names; none where the model computes it itself.

    Raises:
        InputError: none is named, or several.
    """
    assert model.source is not None
    definition = model.source.definitions.get(model.attr)
    if definition is not None and named_in(definition, model.source):
        return []
    found: dict[str, Part] = {}
    for source in project.sources:
        for loss in named_in(source.tree, source):
            found.setdefault(loss.value, loss)
    if len(found) != 1:
        told = f"several losses are named ({', '.join(found)})" if found else "no loss is named"
        what = f"loss: no loop with backward(), and {told}"
        raise InputError(Problem(str(project.path), what, looked))
    return list(found.values())


def _model(loop: Loop, optimizer: Expression | None, project: Project) -> Made:
    """Find the model by the parameters that the optimizer takes, else by the call in the loop."""
    node = None
    if optimizer is not None and isinstance(optimizer.node, ast.Call):
        for argument in [*optimizer.node.args, *(k.value for k in optimizer.node.keywords)]:
            node = node or _parameters_of(argument)
        if node is not None:
            return made(Expression(node, optimizer.scope), project)
    what = "model: no optimizer of this loop takes model.parameters()"
    raise InputError(Problem(loop.where, what, "name the model in a config of your own"))


def _parameters_of(node: ast.expr) -> ast.expr | None:
    for inner in ast.walk(node):
        if not isinstance(inner, ast.Call) or not isinstance(inner.func, ast.Attribute):
            continue
        if inner.func.attr in ("parameters", "named_parameters"):
            return inner.func.value
    return None


def _data(loop: Loop, project: Project, folder: Path) -> tuple[Part, Made]:
    """Find what the loop goes through: a dataset with its batch size, or what gives batches."""
    end = follow(loop.data, project)
    call = end.node
    if not isinstance(call, ast.Call) or end.scope.source.dotted(call.func) != _LOADER:
        loader = made(loop.data, project, may_pick=True)
        return part("data", loader, folder), loader
    given = dict(zip(_LOADER_PARAMETERS, call.args, strict=False))
    given |= {keyword.arg or "**": keyword.value for keyword in call.keywords}
    try:
        strange = sorted(given.keys() - {"dataset", *_PLAIN, *_SPEED})
        if strange:
            what = f"{end.text}: a config has no {strange[0]}"
            remedy = "write a function without parameters that returns the DataLoader"
            raise InputError(Problem(end.where, what, remedy))
        more: dict[str, Any] = {"batch_size": 1, "shuffle": False}
        for name in _PLAIN:
            if name in given:
                more[name] = _plain(name, given[name], end, project)
        dataset = made(Expression(given["dataset"], end.scope), project, may_pick=True)
    except InputError:
        variable = variable_of(loop.data, project)
        if variable is None:
            raise
        return part("data", variable, folder), variable
    return part("data", dataset, folder, **more), dataset


def _plain(name: str, node: ast.expr, end: Expression, project: Project) -> Any:
    try:
        return literal(node, end.scope, project)
    except (ValueError, TypeError, SyntaxError):
        what = f"{name} = {ast.unparse(node):.40} is no plain value"
        raise InputError(Problem(end.where, what, "write a number there")) from None


def _optimizer_call(loop: Loop, project: Project) -> Expression | None:
    """Find the optimizer that steps in the loop, or in the function around it."""
    for node in (*ast.walk(loop.node), *loop.scope.nodes()):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr != "step":
            continue
        name = node.args[0] if node.args else node.func.value
        end = follow(Expression(name, loop.scope), project)
        is_call = isinstance(end.node, ast.Call)
        if is_call and _parameters_of(end.node) is not None:
            return end
    return None


def _optimizer(end: Expression | None, project: Project, notes: list[str]) -> list[Part]:
    """Take over torch's own class with its arguments; the LR is what is looked for."""
    if end is None or not isinstance(end.node, ast.Call):
        return []
    dotted = end.scope.source.dotted(end.node.func)
    module, _, name = dotted.rpartition(".")
    if not module.startswith("torch.optim"):
        notes.append(f"the optimizer {dotted} was not taken over; the default is adamw")
        return []
    args: dict[str, Any] = {}
    for keyword in end.node.keywords:
        if keyword.arg in ("params", "lr", None):
            continue
        try:
            args[keyword.arg] = literal(keyword.value, end.scope, project)
        except (ValueError, TypeError, SyntaxError):
            notes.append(f"optimizer: {keyword.arg} is no plain value, and was left out")
    first = end.node.args[0] if end.node.args else None
    if isinstance(first, ast.List):
        notes.append("optimizer: parameter groups were not taken over; write param_groups")
    section = {"target": f"{module}:{name}"} | ({"args": args} if args else {})
    return [Part("optimizer", section, end.where)]
