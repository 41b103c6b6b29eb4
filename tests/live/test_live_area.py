"""Rows drawn in place, and everything that is printed meanwhile, on an emulated terminal."""

from __future__ import annotations

import io
import os
import threading
import time

import pyte
import pytest
from rich.console import Console

from lrfind.console import SweepProgress
from lrfind.console.live_area import Above, LiveArea
from lrfind.console.painter import REDRAW_S, Painter
from lrfind.curve import Step, StopReason


class Terminal(io.StringIO):
    """A stream that is shown on an emulated terminal of 40 columns and 12 lines."""

    def __init__(self) -> None:
        super().__init__()
        self.screen = pyte.HistoryScreen(40, 12, history=1000, ratio=0.5)
        self.screen.set_mode(pyte.modes.LNM)
        self._feed = pyte.Stream(self.screen)

    def isatty(self) -> bool:
        """True."""
        return True

    def write(self, text: str, /) -> int:
        """Show it."""
        self._feed.feed(text)
        return super().write(text)

    @property
    def lines(self) -> list[str]:
        """What stands on the screen, without blank lines at its end."""
        return [line.rstrip() for line in self.screen.display if line.strip()]


@pytest.fixture(autouse=True)
def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody watches."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_rows_are_drawn_in_place_and_wiped() -> None:
    """The second drawing stands where the first stood; hidden, nothing is left but what was."""
    terminal = Terminal()
    area = LiveArea(terminal)
    terminal.write("before\n")
    area.show(["one", "two", "three"])
    area.show(["one", "2"])
    assert terminal.lines == ["before", "one", "2"]
    area.hide()

    assert terminal.lines == ["before"]
    assert (terminal.screen.cursor.x, terminal.screen.cursor.y) == (0, 1)
    assert not terminal.screen.cursor.hidden


def test_the_same_rows_are_written_once() -> None:
    """Nothing is sent where nothing has changed."""
    terminal = Terminal()
    area = LiveArea(terminal)
    area.show(["one"])
    sent = len(terminal.getvalue())
    area.show(["one"])

    assert len(terminal.getvalue()) == sent


def test_what_is_printed_stands_above_in_its_order() -> None:
    """Whole lines go up with the next drawing, an open one once it ends, and none is lost."""
    terminal = Terminal()
    area = LiveArea(terminal)
    user = Above(area, terminal)
    user.write("first\n")
    area.show(["row"])
    user.write("second\nthi")
    area.show(["row"])
    assert terminal.lines == ["first", "second", "row"]
    user.write("rd\n")
    for i in range(20):
        user.write(f"line {i}\n")
    area.show(["row"])
    assert terminal.lines[-2:] == ["line 19", "row"]
    user.write("open")
    area.hide()

    assert terminal.lines[-1] == "open"
    assert "third\r\nline 0\r\n" in terminal.getvalue().replace("\n", "\r\n")


def test_a_prompt_is_shown_and_a_bar_of_others_waits() -> None:
    """A flushed line without end is shown; one that is begun again shows its last state once."""
    terminal = Terminal()
    area = LiveArea(terminal)
    user = Above(area, terminal)
    area.show(["row"])
    user.write("(Pdb) ")
    user.flush()
    area.show(["row"])
    assert terminal.lines == ["(Pdb)", "row"]
    for percent in range(0, 101, 10):
        user.write(f"\r{percent:3}%")
        user.flush()
        area.show([f"row {percent}"])
    assert terminal.lines == ["(Pdb)", "row 100"]
    user.write("\n")
    area.show(["row"])

    assert terminal.lines == ["(Pdb)", "100%", "row"]


def test_what_goes_past_the_streams_is_kept() -> None:
    """A line from C code or a worker lands on the blank row above, and stays."""
    terminal = Terminal()
    area = LiveArea(terminal)
    area.show(["one", "two"])
    terminal.write("from below\n")
    area.show(["ONE", "TWO"])
    area.hide()

    assert terminal.lines == ["from below"]


def test_a_drawing_is_cut_at_the_edge() -> None:
    """A terminal that was made narrower meanwhile wraps no row, so that each is found again."""
    terminal = Terminal()
    area = LiveArea(terminal)
    area.show(["x" * 60, "y" * 60])
    assert terminal.lines == ["x" * 40, "y" * 40]
    area.hide()

    assert terminal.lines == []


def test_a_forked_worker_writes_at_once() -> None:
    """A child has no drawing of its own: what it prints is neither kept back nor drawn around."""
    reader, writer = os.pipe()
    with os.fdopen(reader) as said, os.fdopen(writer, "w") as stream:
        area = LiveArea(stream)
        area.show(["row"])
        said_by_parent = os.read(reader, 1000).decode()
        child = os.fork()
        if child == 0:
            Above(area, stream).write("worker\n")
            stream.flush()
            os._exit(0)
        os.waitpid(child, 0)

        assert "row" in said_by_parent
        assert said.readline() == "worker\n"


class Slow(Terminal):
    """A terminal at the end of a slow line."""

    def write(self, text: str, /) -> int:
        """Take a while."""
        time.sleep(0.05)
        return super().write(text)


@pytest.mark.parametrize(("terminal", "most"), [(Terminal(), 12), (Slow(), 3)], ids=["near", "far"])
def test_it_is_drawn_ten_times_a_second_or_as_the_line_allows(
    terminal: Terminal, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a slow terminal takes long for is sent seldom."""
    monkeypatch.setattr("lrfind.console.painter.FIRST_S", REDRAW_S)
    drawn: list[str] = []

    def compose() -> list[str]:
        drawn.append(f"row {len(drawn)}")
        return drawn[-1:]

    painter = Painter(LiveArea(terminal), compose)
    painter.start()
    time.sleep(1.0)
    painter.stop()

    assert 1 <= len(drawn) <= most
    assert terminal.lines == []


def progress_on(terminal: Terminal) -> SweepProgress:
    """A progress on an emulated terminal."""
    console = Console(file=terminal, width=40, height=12, force_terminal=True, highlight=False)
    return SweepProgress(console=console)


def test_a_short_sweep_leaves_its_line_only() -> None:
    """What is over in less than half a second was never drawn."""
    terminal = Terminal()
    with progress_on(terminal) as progress:
        progress.begin(0, 0, 1, 200)
        for i in range(200):
            progress.step(Step(i, 1e-7 * 1.1**i, 2.0, 1e-3 * i))
        progress.end(StopReason.COMPLETED)
        progress.begin_trial(0, 1e-3, 50)
        progress.end_trial(None)

    assert terminal.getvalue() == "seed 0: 200 of 200 steps in 0.2 s; all steps done\n"


@pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError])
def test_nothing_is_left_on_whatever_way_it_ends(
    kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither rows, nor a hidden cursor, nor a thread; a slow first step is told of."""
    monkeypatch.setattr("lrfind.console.painter.FIRST_S", 0.01)
    terminal = Terminal()
    seen: list[str] = []

    def broken_sweep() -> None:
        with progress_on(terminal) as progress:
            progress.begin(0, 1, 3, 10)
            end = time.monotonic() + 10
            while not terminal.lines and time.monotonic() < end:
                time.sleep(0.01)
            seen.extend(terminal.lines)
            raise kind

    with pytest.raises(kind):
        broken_sweep()

    assert "seed 2/3" in seen[0]
    assert " 0/10" in seen[0]
    assert terminal.lines == []
    assert not terminal.screen.cursor.hidden
    assert "lrfind painter" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("TERM", "dumb")])
def test_nothing_is_drawn_where_nobody_looks(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CI and a terminal that cannot move its cursor get the plain line a seed."""
    monkeypatch.setenv(name, value)
    monkeypatch.setattr("lrfind.console.painter.FIRST_S", 0.0)
    terminal = Terminal()
    with progress_on(terminal) as progress:
        progress.begin(0, 0, 1, 1)
        progress.step(Step(0, 1e-3, 2.0, 0.1))
        time.sleep(0.05)
        progress.end(StopReason.COMPLETED)

    assert terminal.getvalue() == "seed 0: 1 of 1 steps in 0.1 s; all steps done\n"
