"""A function that halts in its midst, and later goes on there.

By greenlets: the same thread, another stack. What a thread would bring along (gradient and autocast
modes of its own, Ctrl-C that ends up elsewhere) does not arise.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from importlib.util import find_spec
from typing import Any

from lrfind.errors import InputError, Problem


def require_greenlet(where: str, why: str) -> None:
    """Refuse what halts where there are no greenlets.

    Raises:
        InputError: the package is not installed.
    """
    if find_spec("greenlet") is None:
        what = f"{why}, which takes the package greenlet, and it is not installed"
        raise InputError(Problem(where, what, "pip install 'lrfind[lightning]'"))


class Halting:
    """Runs one function at a time, from halt to halt."""

    def __init__(self) -> None:
        self._running: Any = None

    @property
    def is_halted(self) -> bool:
        """Tell whether a function waits to go on."""
        return self._running is not None and not self._running.dead

    @property
    def is_inside(self) -> bool:
        """Tell whether the function is what runs right now."""
        from greenlet import getcurrent

        return self._running is not None and getcurrent() is self._running

    def start(self, function: Callable[[], Any]) -> None:
        """Run a function up to its first halt or its end; one that is halted is dropped."""
        from greenlet import greenlet

        self.drop()
        self._running = greenlet(function)
        self._running.gr_context = copy_context()
        self._running.switch()

    def go_on(self) -> None:
        """Let the halted function run up to its next halt or its end."""
        self._running.switch()

    def halt(self) -> None:
        """Return to whoever started the function, or let it go on; called inside of it."""
        self._running.parent.switch()

    def drop(self) -> None:
        """End a halted function where it stands: its `finally` blocks run, nothing else does."""
        if self.is_halted:
            self._running.throw()
        self._running = None
