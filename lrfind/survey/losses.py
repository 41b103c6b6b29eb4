"""The loss of a training loop, as `loss`, `step` or neither of a config."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from lrfind.errors import InputError, Problem
from lrfind.survey.findings import Part, part
from lrfind.survey.loop import Loop
from lrfind.survey.making import Expression, Made, follow, literal, made
from lrfind.survey.project import Project, Source

FUNCTIONAL = "torch.nn.functional."
REMEDY = "write a function step(model, batch) -> loss, and name it in the config as step"

_NAMES = {
    "CrossEntropyLoss": "cross_entropy",
    "MSELoss": "mse_loss",
    "L1Loss": "l1_loss",
    "SmoothL1Loss": "smooth_l1_loss",
    "HuberLoss": "huber_loss",
    "NLLLoss": "nll_loss",
    "BCELoss": "binary_cross_entropy",
    "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
}


def find_loss(loop: Loop, project: Project, folder: Path) -> Part | None:
    """Find the loss that a loop minimises; None where the model returns it itself.

    Raises:
        InputError: the loop does more than `loss(model(*inputs), target)`.
    """
    end = follow(Expression(_unscaled(loop.loss), loop.scope), project)
    node = _unscaled(end.node)
    is_own = isinstance(node, ast.Attribute) and node.attr == "loss"
    is_item = isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
    if is_own or is_item:
        assert isinstance(node, ast.Attribute | ast.Subscript)
        _require_batch(loop, follow(Expression(node.value, end.scope), project), end)
        return None
    if not isinstance(node, ast.Call):
        raise _beyond(end)
    whole = _whole_step(node, loop, end, project, folder)
    if whole is not None:
        return whole
    if len(node.args) == 1 and not node.keywords and _is_batch_call(node, loop):
        return None
    if len(node.args) != 2 or not loop.is_batch(node.args[1]):
        raise _beyond(end)
    output = follow(Expression(node.args[0], end.scope), project)
    if not isinstance(output.node, ast.Call) or not _is_batch_call(output.node, loop):
        raise _beyond(output)
    return _named_loss(node, end, project, folder)


def named_in(tree: ast.AST, source: Source) -> list[Part]:
    """List the losses of torch that a piece of code speaks of, each once."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            name = _functional(source.dotted(node))
            if name in _NAMES.values():
                found.setdefault(name, source.where(node))
    return [Part("loss", name, where) for name, where in found.items()]


def _named_loss(call: ast.Call, end: Expression, project: Project, folder: Path) -> Part:
    """Name the function, or the object with `forward`, that compares output and target."""
    source = end.scope.source
    dotted = source.dotted(call.func)
    if dotted.startswith(FUNCTIONAL):
        try:
            args = {k.arg: literal(k.value, end.scope, project) for k in call.keywords if k.arg}
        except (ValueError, TypeError, SyntaxError):
            raise _beyond(end) from None
        name = dotted.removeprefix(FUNCTIONAL)
        return Part("loss", {"name": name, "args": args} if args else name, end.where)
    found = project.define(dotted, source)
    if found is not None:
        return part("loss", Made(found[0], found[1].name, {}, end.where), folder)
    criterion = made(Expression(call.func, end.scope), project)
    name = _functional(criterion.attr.replace(":", ".")) if criterion.source is None else ""
    if name and not criterion.args:
        return Part("loss", name, criterion.where)
    return part("loss", criterion, folder)


def _whole_step(
    call: ast.Call, loop: Loop, end: Expression, project: Project, folder: Path
) -> Part | None:
    """Recognise `step(model, batch)` of the project."""
    found = project.define(end.scope.source.dotted(call.func), end.scope.source)
    if found is None or len(call.args) != 2 or call.keywords:
        return None
    is_whole = isinstance(loop.node.target, ast.Name) or _counts(loop)
    if not is_whole or loop.is_batch(call.args[0]) or not loop.is_batch(call.args[1]):
        return None
    model = follow(Expression(call.args[0], end.scope), project).node
    if isinstance(model, ast.Call) and _is_batch_call(model, loop):
        return None
    return part("step", Made(found[0], found[1].name, {}, end.where), folder)


def _counts(loop: Loop) -> bool:
    """Tell `for i, batch in enumerate(loader)` from `for x, y in loader`."""
    target = loop.node.target
    if not isinstance(target, ast.Tuple) or len(target.elts) != 2:
        return False
    return isinstance(target.elts[1], ast.Name) and "enumerate" in ast.unparse(loop.node.iter)


def _require_batch(loop: Loop, output: Expression, end: Expression) -> None:
    is_plain = isinstance(output.node, ast.Call) and _is_batch_call(output.node, loop)
    if not is_plain:
        raise _beyond(end)


def _is_batch_call(call: ast.Call, loop: Loop) -> bool:
    """Tell a call that is given the batch, or parts of it, as the loader gave them."""
    given = [arg.value if isinstance(arg, ast.Starred) else arg for arg in call.args]
    given += [keyword.value for keyword in call.keywords]
    return bool(given) and all(loop.is_batch(node) for node in given)


def _unscaled(node: ast.expr) -> ast.expr:
    """Leave out the division by the number of batches an update."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Mult):
        node = node.left
    return node


def _functional(dotted: str) -> str:
    """Give the function of torch.nn.functional that a loss's class or function stands for."""
    if dotted.startswith(FUNCTIONAL):
        return dotted.removeprefix(FUNCTIONAL)
    match = re.fullmatch(r"torch\.nn\.(?:modules\.loss\.)?(\w+)", dotted)
    return _NAMES.get(match[1], "") if match else ""


def _beyond(end: Expression) -> InputError:
    what = f"{end.text}: the loss is more than loss(model(*inputs), target) of a batch as it comes"
    return InputError(Problem(end.where, what, REMEDY))
