"""Holding torch to algorithms that give the same numbers each time, and telling where it has none.

torch's switches are the process's, so they are put back. It is asked to warn and not to raise: an
operation without a deterministic form is swept all the same, and named.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from lrfind.suggest.answer import Note

CUBLAS = "CUBLAS_WORKSPACE_CONFIG"
"""Variable that gives cuBLAS a workspace of fixed size; read when it is first used."""

_OPERATION = re.compile(r"(\S+) does not have a deterministic implementation")
_ABOUT = r"(?is).*\bdeterminis"


@contextmanager
def deterministic(wanted: bool) -> Iterator[list[str]]:
    """Ask torch for deterministic algorithms while the block runs, where it is wanted.

    Yields:
        The operations that torch warned of, in order, each once; filled while the block runs.
    """
    operations: list[str] = []
    if not wanted:
        yield operations
        return
    cudnn = torch.backends.cudnn
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    flags, workspace = (cudnn.deterministic, cudnn.benchmark), os.environ.get(CUBLAS)
    os.environ.setdefault(CUBLAS, ":4096:8")
    try:
        torch.use_deterministic_algorithms(True, warn_only=True)
        cudnn.deterministic, cudnn.benchmark = True, False
        with _warnings_into(operations):
            yield operations
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        cudnn.deterministic, cudnn.benchmark = flags
        if workspace is None:
            del os.environ[CUBLAS]


def notes_on(operations: list[str]) -> list[Note]:
    """Tell of operations for which torch promises nothing."""
    if not operations:
        return []
    return [
        Note(
            "not-deterministic",
            f"torch has no deterministic form of {', '.join(operations)}, which ran",
            "equal seeds may give unequal curves: replace it, or allow for that when you compare",
        )
    ]


@contextmanager
def _warnings_into(operations: list[str]) -> Iterator[None]:
    """Collect torch's warnings about determinism; all others go where they always went."""
    show = warnings.showwarning

    def take(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        text = str(message)
        if not re.match(_ABOUT, text):
            show(message, category, *where, **more)
            return
        found = _OPERATION.search(text)
        name = found[1] if found else text.split(". ")[0]
        if name not in operations:
            operations.append(name)

    with warnings.catch_warnings():
        warnings.filterwarnings("always", message=_ABOUT)
        warnings.showwarning = take
        yield
