"""Processes that start in a moment: forked from a server that has imported torch and lrfind once.

Its environment is that of the suite, where `start` comes before any test has changed something.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext


def nursery() -> ForkServerContext:
    """Give the context whose server has imported what `preloaded` lists."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.preloaded"])
    return context


def start() -> None:
    """Start the server, without waiting for it."""
    nursery()
    forkserver.ensure_running()


def be_lrfind(
    folder: str,
    arguments: Sequence[str],
    outputs: Mapping[int, str],
    before: str = "",
    environment: Mapping[str, str] | None = None,
) -> None:
    """Be `lrfind` in a folder, as the target of a process of the nursery.

    Args:
        folder: where to work.
        arguments: of the command line.
        outputs: descriptors, and the files in the folder that take their place.
        before: code to run first.
        environment: what differs from the suite's.
    """
    from lrfind.cli import main

    # A loader's workers must start as they do in a process that a shell started.
    multiprocessing.set_start_method(None, force=True)
    os.chdir(folder)
    os.environ.update(environment or {})
    for descriptor, name in outputs.items():
        opened = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(opened, descriptor)
        os.close(opened)
    exec(before, {})
    sys.argv = ["lrfind", *arguments]
    main()
