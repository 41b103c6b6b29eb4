"""Runs of several ranks, over Gloo on this machine: without torchrun where it adds nothing."""

from __future__ import annotations

import os
import signal
import socket
import textwrap
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.nursery import be_lrfind, nursery

TRAIN = """
import os, signal, sys, time
import torch
from torch import nn
RANK = int(os.environ.get("RANK", 0))
def model():
    return nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 3))
def data(n=300):
    x = torch.randn(n, 5, generator=torch.Generator().manual_seed(1))
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
def cross_entropy(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])
"""

CONFIG = """
device: cpu
model: train.py:model
data: {target: train.py:data, batch_size: 32}
step: train.py:cross_entropy
optimizer: adamw
sweep: {steps: 40, auto_range: false}
output: out
"""


def project(folder: Path, code: str = "", config: str = CONFIG) -> Path:
    """Write a training script and its config."""
    folder.mkdir(exist_ok=True)
    (folder / "train.py").write_text(TRAIN + textwrap.dedent(code))
    (folder / "c.yaml").write_text(config)
    return folder


class Ranks:
    """The ranks of one run of the command line, each with its outputs in `stdout.N`, `stderr.N`.

    Args:
        folder: where they run.
        arguments: of `lrfind`.
        size: how many; 1 runs without any sign of a launcher.
    """

    def __init__(self, folder: Path, *arguments: str, size: int = 2) -> None:
        self._folder = folder
        self._processes: list[BaseProcess] = []
        port = _free_port()
        for rank in range(size):
            names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_PORT": port}
            launcher = {name: str(value) for name, value in names.items()}
            launcher["MASTER_ADDR"] = "127.0.0.1"
            outputs = {1: f"stdout.{rank}", 2: f"stderr.{rank}"}
            process = nursery().Process(
                target=be_lrfind,
                args=(str(folder), arguments, outputs),
                kwargs={"environment": launcher if size > 1 else {}},
            )
            process.start()
            self._processes.append(process)

    def wait_for(self, condition: Callable[[], bool], limit_s: float = 60) -> None:
        """Wait until something is so, or all have ended."""
        end = time.monotonic() + limit_s
        while not condition() and any(process.is_alive() for process in self._processes):
            assert time.monotonic() < end, self.said(0)
            time.sleep(0.01)

    def kill(self, rank: int, name: str = "SIGKILL") -> None:
        """Send a signal to one rank."""
        pid = self._processes[rank].pid
        assert pid is not None
        os.kill(pid, getattr(signal, name))

    def end(self, limit_s: float = 60) -> list[int]:
        """Wait for all of them, by force where they do not end in time, and give exit codes."""
        end = time.monotonic() + limit_s
        for process in self._processes:
            process.join(max(0.0, end - time.monotonic()))
        for process in self._processes:
            if process.is_alive():
                process.kill()
                process.join()
        return [process.exitcode or 0 for process in self._processes]

    def said(self, rank: int, stream: str = "stderr") -> str:
        """Read what a rank wrote."""
        return (self._folder / f"{stream}.{rank}").read_text()


def finished(folder: Path, *arguments: str, size: int = 2) -> Ranks:
    """Run ranks to a good end."""
    ranks = Ranks(folder, *arguments, size=size)
    codes = ranks.end()
    assert codes == [0] * size, [ranks.said(rank) for rank in range(size)]
    return ranks


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
