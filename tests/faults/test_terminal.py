"""What a run shows on a real terminal while it sweeps, and what it leaves there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fault_runs import project
from terminal_runs import TerminalRun

from lrfind.errors import ExitCode

CODE = """
    import logging
    logging.basicConfig(format="log %(message)s")
    def step(model, batch, index):
        reach(index, 75)
        time.sleep(0.01)
        {more}
        return ((model(batch) - 1) ** 2).mean()
"""
TALK = """
        if index % 10 == 0:
            print('said', index)
            logging.warning(index)
        if index == 80:
            os.write(2, b'raw\\n')
        if index == 91:
            raise ValueError('broken at 91')
"""
CONFIG = """
model: train.py:model
data: train.py:data
step: train.py:step
optimizer: sgd
output: out
sweep: {steps: 120}
"""
LIVE = re.compile(r"(lowest|read|loss|curve) so far|eta |\d/120 ")
"""Words of the drawing that the answer does not use."""


def swept(folder: Path, more: str = "", config: str = CONFIG) -> Path:
    """A sweep of a little over a second."""
    return project(folder, CODE.format(more=more), config)


def drawn(terminal: TerminalRun) -> bool:
    """Tell whether a curve stands on the terminal, with its bar."""
    text = "\n".join(terminal.lines)
    return "so far" in text and "eta" in text


def left_of_it(terminal: TerminalRun) -> list[str]:
    """Lines on the terminal that are part of a drawing."""
    return [line for line in terminal.lines if LIVE.search(line)]


def test_a_sweep_is_drawn_and_its_answer_stands_alone(tmp_path: Path) -> None:
    """The curve grows while it runs; the end is the plot, the answer, and no part of a drawing.

    Braille in colour, no more than ten drawings a second.
    """
    with TerminalRun(swept(tmp_path)) as terminal:
        terminal.read_until(lambda: drawn(terminal))
        seen = "\n".join(terminal.lines)
        code = terminal.finish()

        assert code in (ExitCode.OK, ExitCode.NO_SUGGESTION)
        assert re.search("[\u2801-\u28ff]", seen)
        assert "━" in seen
        assert b"\x1b[1m" in terminal.sent
        assert terminal.sent.count(b"so far") <= 2 * 10 * 5
        assert left_of_it(terminal) == []
        text = "\n".join(terminal.lines)
        assert "seed 0: " in text
        assert "files    out: curve.csv, curve.png, report.json" in text
        assert not terminal.lines[0].strip().startswith("sweep")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_sweep_leaves_the_terminal_clean(name: str, tmp_path: Path) -> None:
    """The drawing is wiped away, the cursor shown, and the answer stands at the end."""
    folder = swept(tmp_path)
    with TerminalRun(folder) as terminal:
        terminal.read_until(lambda: drawn(terminal) and (folder / "reached").exists())
        terminal.run.send(name, name)
        code = terminal.finish()
        text = "\n".join(terminal.lines)

        assert code == ExitCode.INTERRUPTED, text
        assert left_of_it(terminal) == []
        assert "interrupted; the curve is partial" in text
        assert "Traceback" not in text
        assert terminal.sent.rfind(b"\x1b[?25h") > terminal.sent.rfind(b"\x1b[?25l")


def test_everything_that_user_code_says_is_there(tmp_path: Path) -> None:
    """Prints, a logger that took the stream at its import, bytes past both, the last traceback."""
    with TerminalRun(swept(tmp_path, TALK)) as terminal:
        terminal.read_until(lambda: drawn(terminal))
        code = terminal.finish()
        lines = terminal.lines

        assert code == ExitCode.BAD_INPUT
        assert [line for line in lines if line.startswith("said")] == [
            f"said {index}" for index in range(0, 91, 10)
        ]
        assert [line for line in lines if line.startswith("log")] == [
            f"log {index}" for index in range(0, 91, 10)
        ]
        assert lines.count("raw") == 1
        assert any("ValueError: broken at 91" in line for line in lines)
        assert left_of_it(terminal) == []


def test_a_plain_narrow_terminal_is_served(tmp_path: Path) -> None:
    """60 columns, no Unicode, no colour: all in ASCII, none cut, and no colour code."""
    environment = {"LC_ALL": "C", "NO_COLOR": "1"}
    with TerminalRun(swept(tmp_path), size=(60, 20), environment=environment) as terminal:
        terminal.read_until(lambda: drawn(terminal))
        seen = terminal.lines
        terminal.finish()

        assert "\n".join(seen).isascii()
        assert any("*" in line for line in seen)
        assert max(map(len, seen)) < 60
        assert not re.search(rb"\x1b\[[0-9;]*3[0-9]m", terminal.sent)
        assert left_of_it(terminal) == []


def test_a_resize_leaves_nothing_behind(tmp_path: Path) -> None:
    """Made smaller and larger under the drawing, the terminal ends up as clean."""
    with TerminalRun(swept(tmp_path), size=(100, 30)) as terminal:
        terminal.read_until(lambda: drawn(terminal))
        terminal.resize(62, 18)
        terminal.read_until(lambda: terminal.sent.count(b" 9") > 3)
        terminal.resize(90, 24)
        terminal.finish()

        assert left_of_it(terminal) == []


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [((), {"CI": "true"}), ((), {"TERM": "dumb"}), (("--quiet",), {})],
    ids=["CI", "dumb", "quiet"],
)
def test_no_drawing_where_none_is_wanted(
    arguments: tuple[str, ...], environment: dict[str, str], tmp_path: Path
) -> None:
    """In CI, on a terminal that cannot move its cursor and with --quiet nothing is drawn over."""
    with TerminalRun(swept(tmp_path), *arguments, environment=environment) as terminal:
        terminal.finish()

        assert b"\x1b[J" not in terminal.sent
        assert ("seed 0: " in "\n".join(terminal.lines)) == (not arguments)


def test_seeds_and_trials_are_told_by_their_number(tmp_path: Path) -> None:
    """Each seed has its own curve under its number, and the lines of those that are done stay."""
    config = CONFIG.replace("120", "60, seeds: 2, side_by_side: false")
    with TerminalRun(swept(tmp_path, config=config), "--refine") as terminal:
        terminal.read_until(lambda: any(line.startswith("seed 2/2  ") for line in terminal.lines))
        assert any(line.startswith("seed 1/2 (0): ") for line in terminal.lines)
        terminal.finish()

        assert any(line.startswith("seed 2/2 (1): ") for line in terminal.lines)
        assert left_of_it(terminal) == []
