"""Take the screens of docs/terminal.md from real sweeps on a pseudo-terminal.

Run `python docs/make_terminal.py` after a change of what a sweep shows: half a minute on one core.
Needs pyte, a terminal in Python, and scikit-learn for its digits.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pyte
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.style import Style
from rich.text import Text

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""Rich's page without the fonts that it would fetch: a picture asks for nothing."""

Screen = pyte.Screen


def run_until(
    is_there: Callable[[str], bool],
    *,
    size: tuple[int, int],
    steps: int = 10_000,
    environment: dict[str, str] | None = None,
) -> Screen:
    """Sweep the digits on a terminal, and give the first screen on which something is there."""
    screen = Screen(*size)
    stream = pyte.ByteStream(screen)
    with TemporaryDirectory() as folder:
        process, terminal = pty.fork()
        if process == 0:
            os.chdir(folder)
            for name in ("configs", "examples"):
                os.symlink(ROOT / name, name)
            os.environ.update({"TERM": "xterm-256color", **(environment or {})})
            os.environ.pop("CI", None)
            # The size stands before the program asks for it.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            command = [sys.executable, "-m", "lrfind", "run", "configs/digits.yaml"]
            options = ["--set", f"sweep.steps={steps}", "--out", "runs/digits"]
            os.execv(sys.executable, [*command, *options])
        try:
            while not is_there("\n".join(screen.display)):
                stream.feed(os.read(terminal, 65536))
        except OSError:
            # The run is over: this is its last screen.
            pass
        finally:
            os.close(terminal)
            os.waitpid(process, 0)
    return screen


def text_of(screen: Screen) -> Text:
    """Take a screen over, bold letters included, without blank lines at either end."""
    lines = []
    for y in range(screen.lines):
        line = Text()
        for x in range(screen.columns):
            cell = screen.buffer[y][x]
            line.append(cell.data, Style(bold=cell.bold))
        line.rstrip()
        lines.append(line)
    inked = [y for y, line in enumerate(lines) if line.plain]
    return Text("\n").join(lines[inked[0] : inked[-1] + 1])


def save(name: str, screen: Screen) -> None:
    """Write a screen as an SVG."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=screen.columns, file=nowhere, force_terminal=True)
        console.print(text_of(screen), no_wrap=True)
        picture = console.export_svg(
            title="lrfind run configs/digits.yaml", code_format=FORMAT, unique_id=name
        )
    (IMAGES / f"{name}.svg").write_text(picture, encoding="utf-8")
    print(f"docs/images/{name}.svg: {len(picture) // 1000} kB")


def halfway(text: str) -> bool:
    """Tell a sweep whose loss has begun to fall."""
    return re.search(r" [456]\d\d\d/10000 .*eta", text) is not None


def main() -> None:
    """Take the four screens."""
    read = run_until(lambda text: "read so far" in text and "eta" in text, size=(80, 24))
    plain = {"LC_ALL": "C", "NO_COLOR": "1"}
    save("terminal-live", run_until(halfway, size=(80, 24)))
    save("terminal-read", read)
    save("terminal-ascii", run_until(halfway, size=(60, 20), environment=plain))
    save("terminal-final", run_until(lambda _: False, size=(80, 36), steps=200))


if __name__ == "__main__":
    main()
