"""What a run that is interrupted leaves on a real terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fault_runs import project

from lrfind.errors import ExitCode

CODE = """
    def step(model, batch, index):
        reach(index, 60)
        time.sleep(0.01)
        return ((model(batch) - 1) ** 2).mean()
"""
CURSOR = re.compile(r"\x1b\[\?25[lh]")


def read_some(terminal: int, wait_s: float) -> bytes:
    """Read what a terminal was sent; nothing once its other end is closed."""
    if not select.select([terminal], [], [], wait_s)[0]:
        return b""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_the_terminal_is_left_clean(name: str, tmp_path: Path) -> None:
    """The bar is wiped away, the cursor shown, and the answer stands at the end."""
    folder = project(tmp_path, CODE)
    terminal, its_end = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "-m", "lrfind", "run", "c.yaml"],
        cwd=folder,
        env={**os.environ, "TERM": "xterm-256color"},
        stdin=subprocess.DEVNULL,
        stdout=its_end,
        stderr=its_end,
        start_new_session=True,
    )
    os.close(its_end)
    seen, was_sent, end = b"", False, time.monotonic() + 90
    while time.monotonic() < end:
        got = read_some(terminal, 0.1)
        seen += got
        if not was_sent and (folder / "reached").exists():
            os.kill(run.pid, getattr(signal, name))
            os.kill(run.pid, getattr(signal, name))
            was_sent = True
        if not got and run.poll() is not None:
            break
    os.close(terminal)
    screen = seen.decode(errors="replace")

    assert run.wait() == ExitCode.INTERRUPTED, screen
    assert "sweep" in screen, "the bar was never drawn"
    assert CURSOR.findall(screen)[-1] == "\x1b[?25h"
    told = screen[[match.end() for match in CURSOR.finditer(screen)][-1] :]
    assert "interrupted; the curve is partial" in told
    assert "Traceback" not in told
    # No part of the bar comes after the line that it is replaced by.
    assert "eta" not in told.split("the curve is partial", 1)[1]
