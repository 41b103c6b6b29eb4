"""Importing many packages at once, for a command line that starts in a moment."""

from __future__ import annotations

import gc
import importlib
import sys


def preload(*modules: str) -> None:
    """Import modules with the garbage collector at rest, and take them out of its sight.

    What torch and matplotlib are made of stays until the process ends. The collector would look
    through it again and again while it grows, in each full collection of a sweep, and twice more
    at exit: together nearly a third of `import torch`. Call it before code of the user's has run:
    whatever exists by then is no longer collected, only freed by its reference count. Does nothing
    where all of the modules are there already.
    """
    if all(name in sys.modules for name in modules):
        return
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for name in modules:
            importlib.import_module(name)
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
