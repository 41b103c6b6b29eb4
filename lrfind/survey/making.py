"""From an expression in the user's code to `target` and `args` of a config."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lrfind.errors import InputError, Problem
from lrfind.survey.project import Definition, Project, Scope, Source, module_scope

DEEPEST = 20
"""Steps from name to name after which nothing is followed further."""

_MOVES = {"to", "cuda", "cpu", "train", "float", "double", "half", "bfloat16"}
"""Methods that give the same thing back, elsewhere or otherwise."""

_WRAPPERS = {"torch.compile", "torch.nn.DataParallel"}


@dataclass(frozen=True, slots=True)
class Made:
    """What makes an object.

    Attributes:
        source: the file that defines it; None for a library's.
        attr: its name there; for a library's with the module, `torch.nn:Linear`.
        args: keyword arguments.
        where: file and line of what says so.
        is_ready: it is the object itself, not what makes it.
        item: which part of what is made, where several are made at once; None: all of it.
    """

    source: Source | None
    attr: str
    args: dict[str, Any]
    where: str
    is_ready: bool = False
    item: int | str | None = None

    def target(self, folder: Path) -> str:
        """Write the import path, files relative to the config's folder."""
        if self.source is None:
            return self.attr
        path = os.path.relpath(self.source.path.resolve(), folder.resolve())
        return f"{Path(path).as_posix()}:{self.attr}"


@dataclass(frozen=True, slots=True)
class Expression:
    """A piece of code and the names it is read with."""

    node: ast.expr
    scope: Scope

    @property
    def where(self) -> str:
        """File and line."""
        return self.scope.source.where(self.node)

    @property
    def text(self) -> str:
        """The code, short."""
        return f"{' '.join(ast.unparse(self.node).split()):.60}"


def follow(expression: Expression, project: Project) -> Expression:
    """Go from a name to what was assigned to it, through parameters to the calls that fill them."""
    for _ in range(DEEPEST):
        expression = Expression(_unwrapped(expression), expression.scope)
        following = _one_step(expression, project)
        if following is None:
            return expression
        expression = following
    return expression


def made(expression: Expression, project: Project, *, may_pick: bool = False) -> Made:
    """Say what makes the value of an expression.

    Args:
        expression: whose value.
        project: where its names are looked up.
        may_pick: whether it may be one of several things that are made at once.

    Raises:
        InputError: it takes arguments that are no literals, or is made in a way that no config
            can name.
    """
    end = follow(expression, project)
    try:
        return _picked(end, project) if may_pick else _from_call(end, project)
    except InputError:
        variable = variable_of(expression, project)
        if variable is None:
            raise
        return variable


def literal(node: ast.expr, scope: Scope, project: Project) -> Any:
    """Read a plain value, through constants and the defaults of argparse.

    Raises:
        ValueError: it is none.
    """
    end = follow(Expression(node, scope), project)
    if isinstance(end.node, ast.Attribute) and isinstance(end.node.value, ast.Name):
        default = _option_default(end.node.attr, end.scope.source)
        if default is not None:
            return ast.literal_eval(default)
    value = ast.literal_eval(end.node)
    if isinstance(value, bytes | complex | set) or value is ...:
        raise ValueError("is no value of a config")
    return list(value) if isinstance(value, tuple) else value


def required_parameters(definition: Definition) -> list[str]:
    """List the parameters that a call must give, `self` left out."""
    function = signature(definition)
    if function is None:
        return []
    names = _positional(definition)
    optional = len(function.args.defaults)
    required = names[: len(names) - optional] if optional else names
    keywords = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    return required + [argument.arg for argument, default in keywords if default is None]


def signature(definition: Definition) -> ast.FunctionDef | None:
    """Find the function that a call of a definition runs; None for an inherited constructor."""
    if isinstance(definition, ast.FunctionDef):
        return definition
    methods = (node for node in definition.body if isinstance(node, ast.FunctionDef))
    return next((method for method in methods if method.name == "__init__"), None)


def _unwrapped(expression: Expression) -> ast.expr:
    """Take moves and wrappers off: `torch.compile(Net().to(device))` is a `Net()`."""
    node, source = expression.node, expression.scope.source
    while isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in _MOVES:
            node = node.func.value
        elif source.dotted(node.func) in _WRAPPERS and node.args:
            node = node.args[0]
        else:
            break
    return node


def _one_step(expression: Expression, project: Project) -> Expression | None:
    node, scope = expression.node, expression.scope
    if not isinstance(node, ast.Name):
        return None
    for home in (scope, module_scope(scope.source)):
        for value in home.values_of(node.id):
            names = {inner.id for inner in ast.walk(value) if isinstance(inner, ast.Name)}
            if node.id not in names:
                return Expression(value, home)
    if scope.function is not None:
        return next(_fillings(node.id, scope.function, project), None)
    return None


def _fillings(name: str, function: ast.FunctionDef, project: Project) -> Iterator[Expression]:
    """Find what calls of a function give to a parameter; its default comes last."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    for scope in project.scopes():
        for call in scope.nodes():
            if not isinstance(call, ast.Call):
                continue
            found = project.define(scope.source.dotted(call.func), scope.source)
            if found is None or found[1] is not function:
                continue
            given = dict(zip(names, call.args, strict=False))
            given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
            if name in given:
                yield Expression(given[name], scope)
    defaults = dict(zip(reversed(names), reversed(function.args.defaults), strict=False))
    if name in defaults:
        scope = next(scope for scope in project.scopes() if scope.function is function)
        yield Expression(defaults[name], module_scope(scope.source))


def _picked(end: Expression, project: Project) -> Made:
    """Go below an index: `get_data()[0]` is item 0 of what `get_data` makes."""
    if not isinstance(end.node, ast.Subscript):
        return _from_call(end, project)
    try:
        item = ast.literal_eval(end.node.slice)
    except ValueError:
        item = None
    if isinstance(item, bool) or not isinstance(item, int | str):
        return _from_call(end, project)
    whole = follow(Expression(end.node.value, end.scope), project)
    return replace(_from_call(whole, project), item=item)


def _from_call(end: Expression, project: Project) -> Made:
    call, source = end.node, end.scope.source
    if not isinstance(call, ast.Call):
        what = f"{end.text} is made in a way that no config can name"
        raise InputError(Problem(end.where, what, "write a function that returns it"))
    dotted = source.dotted(call.func)
    found = project.define(dotted, source)
    if found is None:
        module, _, name = dotted.rpartition(".")
        if not module or call.args or "." not in f"{module}." or dotted in source.definitions:
            what = f"{end.text} is not made by a function or class of this project"
            raise InputError(Problem(end.where, what, "write a function that returns it"))
        return Made(None, f"{module}:{name}", _arguments(call, [], end, project), end.where)
    home, definition = found
    names = _positional(definition)
    if len(call.args) > len(names):
        what = f"{end.text} has more arguments than {definition.name} has parameters"
        raise InputError(Problem(end.where, what, "write a function that returns it"))
    args = _arguments(call, names, end, project)
    missing = [name for name in required_parameters(definition) if name not in args]
    if missing:
        what = f"{end.text} does not say {missing[0]!r} of {definition.name}"
        raise InputError(Problem(end.where, what, "write a function without parameters"))
    return Made(home, definition.name, args, end.where)


def _arguments(
    call: ast.Call, names: list[str], end: Expression, project: Project
) -> dict[str, Any]:
    """Read the arguments of a call as literals, positional ones by name."""
    given = dict(zip(names, call.args, strict=False))
    given |= {keyword.arg or "**": keyword.value for keyword in call.keywords}
    args = {}
    for name, node in given.items():
        try:
            if name == "**" or isinstance(node, ast.Starred):
                raise ValueError
            args[name] = literal(node, end.scope, project)
        except (ValueError, TypeError, SyntaxError, RecursionError):
            shown = f"{ast.unparse(node):.40}"
            what = f"{end.text}: its argument {name} = {shown} is no plain value"
            remedy = "write a function without parameters that returns it"
            raise InputError(Problem(end.where, what, remedy)) from None
    return args


def _positional(definition: Definition) -> list[str]:
    function = signature(definition)
    if function is None:
        return []
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if isinstance(definition, ast.ClassDef) else names


def variable_of(expression: Expression, project: Project) -> Made | None:
    """Find a variable of a file that holds the object, on the way from a name to its making."""
    for _ in range(DEEPEST):
        node = expression.node
        home = module_scope(expression.scope.source)
        is_local = (
            expression.scope.function is not None
            and isinstance(node, ast.Name)
            and (
                expression.scope.values_of(node.id)
                or node.id in _positional(expression.scope.function)
            )
        )
        if isinstance(node, ast.Name) and not is_local and home.values_of(node.id):
            return Made(home.source, node.id, {}, expression.where, is_ready=True)
        following = _one_step(expression, project)
        if following is None:
            return None
        expression = following
    return None


def _option_default(name: str, source: Source) -> ast.expr | None:
    """Find the default that argparse gives to `args.<name>`."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr != "add_argument":
            continue
        flags = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        names = [str(flag).lstrip("-").replace("-", "_") for flag in flags]
        if name in names:
            return next((k.value for k in node.keywords if k.arg == "default"), None)
    return None
