"""A Lightning project: the module and the data that its `fit` is given."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrfind.errors import InputError, Problem
from lrfind.survey.candidates import derives
from lrfind.survey.findings import Findings, Part, section_of
from lrfind.survey.imports import refuse_side_effects
from lrfind.survey.making import Expression, Made, follow, made, required_parameters
from lrfind.survey.project import Definition, Project, Scope, Source

_PACKAGES = ("lightning", "lightning.pytorch", "pytorch_lightning")
MODULES = {f"{package}.LightningModule" for package in _PACKAGES}
DATA_MODULES = {f"{package}.LightningDataModule" for package in _PACKAGES}

NEAR_OTHERS = 1e-4
"""Where a sweep starts beside optimizers that train along: half of what GANs mostly train with."""

_DATA = ("datamodule", "train_dataloaders", "train_dataloader")
"""What `Trainer.fit` calls its data."""


@dataclass(frozen=True, slots=True)
class _Fit:
    """A call of `Trainer.fit`."""

    call: ast.Call
    scope: Scope
    module: Made

    def data(self, project: Project) -> Made | None:
        """Find what it is given to train on; None where that is the module's own."""
        given = {keyword.arg: keyword.value for keyword in self.call.keywords}
        nodes = [given[name] for name in _DATA if name in given] + self.call.args[1:2]
        return made(Expression(nodes[0], self.scope), project) if nodes else None


def survey_lightning(project: Project, folder: Path) -> Findings:
    """Find what a config needs; `folder` is where it will stand.

    Raises:
        InputError: with everything that was not found, and where it was looked for.
    """
    notes: list[str] = []
    fits = list(_fits(project))
    if fits:
        fit = fits[0]
        module, data, training = fit.module, fit.data(project), fit.call
        if len(fits) > 1:
            others = ", ".join(other.scope.source.where(other.call) for other in fits[1:4])
            notes.append(f"fit is called elsewhere too: {others}")
    else:
        notes.append("no call of fit was found: look whether module and data belong together")
        module, data, training = _only(project, MODULES, "LightningModule"), None, None
    if data is None and not _brings_data(module, project):
        data = _only(project, DATA_MODULES, "LightningDataModule")
    refuse_side_effects([module, *([data] if data else [])], project, training)
    section: dict[str, Any] = {"module": section_of(module, folder)}
    parts = [Part("lightning", section, module.where)]
    if data is not None:
        section["datamodule"] = section_of(data, folder)
    if (several := _optimizers(module, project)) is not None:
        section["optimizer_index"] = 0
        where, count = several
        notes.append(
            f"{where} returns {count} optimizers: the first one is swept, the others train along"
        )
        notes.append(
            f"beside others a tiny lr only loses: start_lr = {NEAR_OTHERS:g} is a guess, half of "
            "their lr is better"
        )
        parts.append(Part("sweep", {"start_lr": NEAR_OTHERS}, where))
    return Findings(tuple(parts), tuple(notes))


def _fits(project: Project) -> Iterator[_Fit]:
    """Find the calls of `fit` whose first argument is a LightningModule of the project.

    Raises:
        InputError: a module is given whose making no config can name.
    """
    problems: list[Problem] = []
    has_any = False
    for scope in project.scopes():
        for node in scope.nodes():
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if not is_call:
                continue
            assert isinstance(node, ast.Call)
            assert isinstance(node.func, ast.Attribute)
            given = node.args[:1] or [k.value for k in node.keywords if k.arg == "model"]
            if node.func.attr != "fit" or not given:
                continue
            try:
                module = made(Expression(given[0], scope), project)
            except InputError as error:
                problems += error.problems
                continue
            has_any = True
            yield _Fit(node, scope, module)
    if problems and not has_any:
        raise InputError(*problems)


def _only(project: Project, bases: set[str], kind: str) -> Made:
    """Take the first class of a kind that is made without arguments.

    Raises:
        InputError: there is none.
    """
    needy: list[Definition] = []
    for source in project.sources:
        for name, definition in source.definitions.items():
            if name.startswith("_") or not derives(definition, source, bases, project):
                continue
            if not required_parameters(definition):
                return Made(source, name, {}, source.where(definition))
            needy.append(definition)
    looked = f"looked into {project.looked_at()}"
    if needy:
        missing = ", ".join(required_parameters(needy[0]))
        what = f"{needy[0].name} needs arguments ({missing}), and no call of fit says them"
        raise InputError(Problem(str(project.path), what, looked))
    what = f"no call of fit, and no class derived from {kind}"
    raise InputError(Problem(str(project.path), what, looked))


def _brings_data(module: Made, project: Project) -> bool:
    """Tell a module that has a `train_dataloader` of its own, or may have inherited one."""
    if module.source is None or module.is_ready:
        return True
    definition = module.source.definitions[module.attr]
    if not isinstance(definition, ast.ClassDef):
        return True
    methods = {node.name for node in definition.body if isinstance(node, ast.FunctionDef)}
    bases = [project.define(module.source.dotted(b), module.source) for b in definition.bases]
    return "train_dataloader" in methods or any(
        found is not None and _brings_data(Made(found[0], found[1].name, {}, ""), project)
        for found in bases
    )


def _optimizers(module: Made, project: Project) -> tuple[str, int] | None:
    """Find where several optimizers are configured, and count them; None for one, or unknown."""
    found = _method("configure_optimizers", module, project)
    if found is None:
        return None
    source, method = found
    scope = Scope(source, method.body, method)
    for node in scope.nodes():
        if isinstance(node, ast.Return) and node.value is not None:
            count = _count(Expression(node.value, scope), project)
            if count > 1:
                return source.where(node), count
    return None


def _method(name: str, module: Made, project: Project) -> tuple[Source, ast.FunctionDef] | None:
    """Find a method of a class of the project, its own or inherited."""
    definition = module.source.definitions.get(module.attr) if module.source else None
    if module.source is None or not isinstance(definition, ast.ClassDef):
        return None
    for node in definition.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return module.source, node
    for base in definition.bases:
        found = project.define(module.source.dotted(base), module.source)
        if found is not None and found[1] is not definition:
            inherited = _method(name, Made(found[0], found[1].name, {}, ""), project)
            if inherited is not None:
                return inherited
    return None


def _count(returned: Expression, project: Project) -> int:
    """Count optimizers, alone or with schedulers behind them; 1 where nobody can tell."""

    def elements(node: ast.expr) -> list[ast.expr] | None:
        meant = follow(Expression(node, returned.scope), project).node
        return meant.elts if isinstance(meant, ast.List | ast.Tuple) else None

    outer = elements(returned.node)
    if not outer:
        return 1
    # `return [a, b], [schedulers]`, where the second may be made in any way.
    inner = elements(outer[0])
    return len(outer) if inner is None else len(inner)
