"""Torch's declarative table of optimizer cases, read in a process of its own.

Importing it freezes torch's backend flags, imports the compiler and wants a test package that
nothing here needs, so none of it may happen in the process that runs the tests.
"""

from __future__ import annotations

import functools
import pickle
import subprocess
import sys
import tempfile
import types
from pathlib import Path
from typing import Any, NamedTuple
from unittest import TestCase


class Row(NamedTuple):
    """One case: constructor keywords, and for an error what must be said."""

    name: str
    device: str
    desc: str
    params: Any
    kwargs: dict[str, Any]
    error: type[Exception] | None = None
    match: str = ""


@functools.cache
def read_table() -> tuple[Row, ...]:
    """Collect the rows of the six bundled classes."""
    with tempfile.TemporaryDirectory() as folder:
        # Through a file, since some torch versions print while they import.
        target = Path(folder) / "rows.pickle"
        subprocess.run([sys.executable, "-W", "ignore", __file__, str(target)], check=True)
        return tuple(Row(*row) for row in pickle.loads(target.read_bytes()))


def _rows() -> list[tuple[Any, ...]]:
    sys.modules.setdefault("expecttest", types.ModuleType("expecttest")).TestCase = TestCase
    from torch.testing._internal.common_optimizers import optim_db

    names = {"SGD", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW"}
    rows: list[tuple[Any, ...]] = []
    for info in optim_db:
        name = info.optim_cls.__name__
        if name not in names:
            continue
        for device in ("cpu", "cuda"):
            for row in info.optim_inputs_func(device=device):
                rows.append((name, device, row.desc, None, row.kwargs))
        for error in info.optim_error_inputs_func(device="cpu", dtype=None):
            row = error.optimizer_error_input
            what = (error.error_type, error.error_regex)
            rows.append((name, "cpu", row.desc, row.params, row.kwargs, *what))
    return rows


if __name__ == "__main__":
    Path(sys.argv.pop()).write_bytes(pickle.dumps(_rows()))
