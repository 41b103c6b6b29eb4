"""The training loop of a script: what it goes through, what it trains, what it minimises."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from lrfind.errors import InputError, Problem
from lrfind.survey.making import Expression
from lrfind.survey.project import Project, Scope

_BAR = {"enumerate", "tqdm", "tqdm.tqdm", "tqdm.auto.tqdm", "tqdm.notebook.tqdm", "rich.track"}
"""What stands around an iterable and changes nothing of it."""

_CASTS = {"to", "cuda", "cpu", "float", "long", "double", "half", "pin_memory"}
"""Methods that a batch's tensor may go through, which lrfind sees to or which change no number."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop over batches that trains.

    Attributes:
        node: the innermost `for` around `backward`.
        scope: where it stands.
        loss: what `backward` is called on.
    """

    node: ast.For
    scope: Scope
    loss: ast.expr

    @property
    def where(self) -> str:
        """File and line."""
        return self.scope.source.where(self.node)

    @property
    def data(self) -> Expression:
        """What it goes through, without counters and progress bars."""
        node = self.node.iter
        while isinstance(node, ast.Call) and node.args and self._is_bar(node):
            node = node.args[0]
        return Expression(node, self.scope)

    def _is_bar(self, call: ast.Call) -> bool:
        return self.scope.source.dotted(call.func) in _BAR

    def assigned(self, name: str) -> list[ast.expr]:
        """List what the loop assigns to a name, in order."""
        inner = Scope(self.scope.source, self.node.body, self.scope.function, is_guarded=True)
        return inner.values_of(name)

    def is_batch(self, node: ast.expr) -> bool:
        """Tell a part of the batch as the loader gave it, moved at most."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return node.func.attr in _CASTS and self.is_batch(node.func.value)
        if isinstance(node, ast.Subscript):
            return isinstance(node.slice, ast.Constant) and self.is_batch(node.value)
        return isinstance(node, ast.Name) and node.id in self._batch_names()

    def _batch_names(self) -> set[str]:
        """Collect the names of the batch and its parts, unless the loop makes others of them."""
        names = {node.id for node in ast.walk(self.node.target) if isinstance(node, ast.Name)}
        for statement in ast.walk(self.node):
            value = statement.value if isinstance(statement, ast.Assign) else None
            if isinstance(value, ast.Name) and value.id in names:
                assert isinstance(statement, ast.Assign)
                names |= _names(statement.targets[0])
        changed = set()
        for name in names:
            for value in self.assigned(name):
                inner: ast.expr = value
                while isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
                    if inner.func.attr not in _CASTS:
                        break
                    inner = inner.func.value
                if not (isinstance(inner, ast.Name) and inner.id in names):
                    changed.add(name)
        return names - changed


def find_loop(project: Project) -> Loop | None:
    """Find the loop that trains; None where there is none.

    Raises:
        InputError: several losses are minimised in one loop, or several loops train.
    """
    loops = list(_loops(project))
    if not loops:
        return None
    first = loops[0]
    if len(loops) > 1:
        others = ", ".join(loop.where for loop in loops[1:])
        same = all(loop.node is first.node for loop in loops)
        what = (
            f"{len(loops)} losses are minimised in one loop"
            if same
            else f"this loop trains, and so does that in {others}"
        )
        remedy = (
            "a range test sweeps one: write step(model, batch) -> loss, and name it as step"
            if same
            else "name the file that is meant"
        )
        raise InputError(Problem(first.where, what, remedy))
    return first


def _loops(project: Project) -> Iterator[Loop]:
    for scope in project.scopes():
        loops = [node for node in scope.nodes() if isinstance(node, ast.For)]
        for call in scope.nodes():
            loss = _minimised(call)
            if loss is None:
                continue
            around = [loop for loop in loops if any(node is call for node in ast.walk(loop))]
            if around:
                # The walk goes from the outside in.
                yield Loop(around[-1], scope, loss)


def _minimised(node: ast.AST) -> ast.expr | None:
    """Take the loss out of `loss.backward()`, `scale(loss).backward()` or `x.backward(loss)`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    if node.func.attr != "backward":
        return None
    loss = node.args[0] if node.args else node.func.value
    while isinstance(loss, ast.Call) and loss.args:
        is_scaler = isinstance(loss.func, ast.Attribute) and loss.func.attr == "scale"
        if not is_scaler:
            break
        loss = loss.args[0]
    return loss


def _names(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
