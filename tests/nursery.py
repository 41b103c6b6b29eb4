"""Processes that start in a moment: forked from a server that has imported torch and lrfind once.

Its environment is that of the suite, where `start` comes before any test has changed something.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path


def nursery() -> ForkServerContext:
    """Give the context whose server has imported what `preloaded` lists."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.preloaded"])
    return context


def start() -> None:
    """Start the server, without waiting for it."""
    nursery()
    forkserver.ensure_running()


def ran(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python ARGUMENTS` (a script, `-m` a module or `-c` code) as a process of the nursery.

    For tests of what a program does; those of how it starts need a Python of its own.
    """
    words = [str(argument) for argument in arguments]
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place, "out"), Path(place, "err")
        process = nursery().Process(
            target=_be_python,
            args=(str(cwd), words, {1: str(out), 2: str(err)}, {**os.environ, **environment}),
        )
        process.start()
        process.join()
        said = out.read_text(), err.read_text()
    assert process.exitcode is not None
    return subprocess.CompletedProcess(words, process.exitcode, *said)


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

    _settle(folder, outputs, environment or {})
    exec(before, {})
    sys.argv = ["lrfind", *arguments]
    main()


def _be_python(
    folder: str, words: list[str], outputs: Mapping[int, str], environment: Mapping[str, str]
) -> None:
    os.environ.clear()
    _settle(folder, outputs, environment)
    is_script = words[0] not in ("-m", "-c")
    sys.argv = words if is_script else words[1:]
    sys.path.insert(0, str(Path(folder, words[0]).parent) if is_script else folder)
    if words[0] == "-m":
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    elif words[0] == "-c":
        exec(words[1], {"__name__": "__main__"})
    else:
        runpy.run_path(words[0], run_name="__main__")


def _settle(folder: str, outputs: Mapping[int, str], environment: Mapping[str, str]) -> None:
    # A loader's workers must start as they do in a process that a shell started.
    multiprocessing.set_start_method(None, force=True)
    os.chdir(folder)
    os.environ.update(environment)
    for descriptor, name in outputs.items():
        opened = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(opened, descriptor)
        os.close(opened)
