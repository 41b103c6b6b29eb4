"""A folder with the shipped configs on tiny stand-ins of their targets, and the judge of a run."""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import typer.main

import lrfind
import lrfind.plot  # matplotlib makes its own folders when it is first imported
from benchmarks.fuzzing.mutants import mutant
from benchmarks.shipped import CONFIGS, runnable
from lrfind.cli import main
from lrfind.cli.app import app
from lrfind.config import load
from lrfind.config.document import read_document
from lrfind.spec import Spec

EXAMPLES = CONFIGS.parent / "examples"

STAND_IN = """
import torch
from torch import nn
from torch.utils.data import TensorDataset

def _size(value): return max(1, min(int(value), 8))

def build_model(hidden=4):
    return nn.Sequential(nn.Linear(3, _size(hidden)), nn.Linear(_size(hidden), 2))

def build_cnn(channels=4): return build_model(channels)
def build_encoder(width=4, dimensions=2): return build_model(dimensions)
def images(): return TensorDataset(torch.randn(160, 3))
def build_loader(batch_size=4): return loader
def train_dataset(): return TensorDataset(torch.randn(160, 3), torch.zeros(160, dtype=torch.long))
def held_out_dataset(): return train_dataset()
def train_tensors(): return torch.randn(160, 3), torch.randn(160, 2)
def contrastive_step(model, batch): return model(batch[0]).square().mean()
critic_step = training_step = contrastive_step
def Windows(context=4): return TensorDataset(torch.randn(160, 3))
def GAN(noise=2, hidden=4): return build_model(hidden)

class Transformer(nn.Module):
    def __init__(self, width=4, layers=1):
        super().__init__()
        self.body, self.norm = nn.Linear(3, _size(width)), nn.LayerNorm(_size(width))
    def forward(self, x): return self.norm(self.body(x)).sum(-1).square().mean()

model = build_model()
loader = [(torch.randn(4, 3), torch.zeros(4, dtype=torch.long))] * 3
"""
"""Every name that the examples define, on few and tiny samples; sizes are cut to what is quick."""

MOST_UPDATES = 400
"""Updates above which a mutant is validated, but not run."""

_COMMAND = typer.main.get_command(app)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_written: list[str] | None = None


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant.

    Attributes:
        command: `validate`, or `run` for one that was valid.
        code: exit code.
        wrong: what broke a promise; empty where nothing did.
        seconds: wall time.
    """

    command: str
    code: int
    wrong: str
    seconds: float


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if _written is None:
        return
    is_write = event == "open" and isinstance(args[0], str | bytes) and args[2] & _WRITES
    if is_write or event in ("os.mkdir", "os.remove", "os.rename", "os.symlink", "os.truncate"):
        _written.append(os.path.realpath(os.fsdecode(args[0])))


sys.addaudithook(_watch)


class Workshop:
    """A temporary folder in which mutants are judged; see `workshop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        (folder / "configs").mkdir()
        (folder / "examples").mkdir()
        for example in EXAMPLES.glob("*.py"):
            (folder / "examples" / example.name).write_text(STAND_IN)
        self.sources = {path.stem: path.read_bytes() for path in runnable()}
        self.trees = {name: read_document(CONFIGS / f"{name}.yaml").tree for name in self.sources}

    def mutant(self, name: str, rng: random.Random) -> bytes:
        """Mutate one of the shipped configs."""
        return mutant(self.trees[name], self.sources[name], rng)

    def judge(self, data: bytes, *, runs: bool = False) -> Verdict:
        """Validate a config, and run it where it is valid and small enough."""
        path = self.folder / "configs" / "mutant.yaml"
        path.write_bytes(data)
        verdict = self._call("validate", str(path))
        if not runs or verdict.code or verdict.wrong or not is_small(load(path).spec):
            return verdict
        return self._call("run", str(path), "--out", str(self.out), "--quiet")

    def _call(self, *arguments: str) -> Verdict:
        global _written
        out, err, started = io.StringIO(), io.StringIO(), time.perf_counter()
        _written = []
        code = -1
        try:
            with (
                mock.patch.object(sys, "argv", ["lrfind", *arguments]),
                # The same commands, built once instead of each time.
                mock.patch("lrfind.cli.app.app", _COMMAND),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        finally:
            written, _written = _written, None
        seconds = time.perf_counter() - started
        return Verdict(arguments[0], code, self._wrong(code, err.getvalue(), written), seconds)

    def _wrong(self, code: int, err: str, written: list[str]) -> str:
        outside = [path for path in written if not self._may_write(path)]
        ours = [line for line in err.splitlines() if f'File "{PACKAGE}' in line]
        if code not in (0, 2, 3) or "internal error" in err:
            return f"exit code {code}: {err[-500:]}"
        if outside:
            return f"wrote {outside}"
        return f"showed frames of lrfind: {ours}" if ours else ""

    def _may_write(self, path: str) -> bool:
        return path.startswith((f"{self.out}", "/dev/null"))


PACKAGE = str(Path(lrfind.__file__).parent)


def is_small(spec: Spec) -> bool:
    """Tell a config that a run of is over in a moment."""
    sweep, held_out = spec.sweep, spec.sweep.validation
    batches = sweep.accumulate + (held_out.batches if held_out is not None else 0)
    trials = spec.refine.budget if spec.refine.enabled else 0
    updates = 2 * sweep.steps * sweep.seeds + trials
    loaders = [spec.data, held_out] if held_out is not None else [spec.data]
    workers = max(loader.num_workers for loader in loaders)
    return updates <= MOST_UPDATES and batches <= 16 and workers == 0


@contextlib.contextmanager
def workshop() -> Iterator[Workshop]:
    """Open a workshop; modules and import paths are as before when it closes."""
    modules, path, here = set(sys.modules), list(sys.path), Path.cwd()
    had_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    with tempfile.TemporaryDirectory(prefix="lrfind-fuzz-") as name:
        made = Workshop(Path(name).resolve())
        os.chdir(made.folder)
        try:
            yield made
        finally:
            os.chdir(here)
            sys.path[:], sys.dont_write_bytecode = path, had_bytecode
            for found in set(sys.modules) - modules:
                file = getattr(sys.modules[found], "__file__", None) or ""
                if file.startswith(name):
                    del sys.modules[found]
