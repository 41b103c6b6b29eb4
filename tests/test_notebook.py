"""In a notebook: a report shows itself, a sweep is told live, the example gives what it shows."""

from __future__ import annotations

import base64
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
import pytest
import torch
from matplotlib.figure import Figure
from nbclient import NotebookClient
from nbformat import NotebookNode
from sample_reports import clean_curve, report, variants
from torch import nn

from lrfind import range_test
from lrfind.console.notebook import REDRAW_S
from lrfind.html.facts import summary
from lrfind.suggest.answer import Note

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "range_test.ipynb"
LARGEST = 200_000

EVIL = """</td><script>alert("x")</script>"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[NotebookNode], NotebookNode]:
    """Run notebooks in the interpreter of the tests, in a folder of their own."""
    home = tmp_path / "jupyter"
    kernel = home / "kernels" / "tests"
    kernel.mkdir(parents=True)
    start = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": start, "display_name": "tests", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    for name, place in (("PATH", home), ("RUNTIME_DIR", home / "runtime"), ("CONFIG_DIR", home)):
        monkeypatch.setenv(f"JUPYTER_{name}", str(place))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def execute(book: NotebookNode) -> NotebookNode:
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(book, timeout=120, kernel_name="tests", resources=resources).execute()
        return book

    return execute


def outputs(book: NotebookNode) -> list[dict[str, Any]]:
    """List what the cells of a notebook show."""
    return [out for cell in book.cells for out in cell.get("outputs", [])]


def answers(book: NotebookNode) -> tuple[float, str]:
    """Read the LR and the verdict that the example's third code cell shows."""
    texts = [out["data"]["text/plain"] for out in outputs(book) if "data" in out]
    found = next(filter(None, (re.fullmatch(r"'(\S+) \((\S+)\)'", text) for text in texts)))
    return float(found[1]), found[2]


def test_the_example_gives_what_it_shows(run: Callable[[NotebookNode], NotebookNode]) -> None:
    """Executed again, the notebook has the answer that is stored in it, within a tenth."""
    stored = nbformat.read(EXAMPLE, 4)
    again = run(nbformat.read(EXAMPLE, 4))

    lr, verdict = answers(stored)
    assert answers(again) == (pytest.approx(lr, rel=0.1), verdict)
    assert [out["output_type"] for out in outputs(again)] == [
        out["output_type"] for out in outputs(stored)
    ]


def test_the_example_is_small_and_whole() -> None:
    """Every code cell was executed, in order, without an error, and the file is a small one."""
    book = nbformat.read(EXAMPLE, 4)
    counts = [cell.execution_count for cell in book.cells if cell.cell_type == "code"]

    nbformat.validate(book)
    assert counts == list(range(1, len(counts) + 1))
    assert not [out for out in outputs(book) if out["output_type"] == "error"]
    assert not [out for out in outputs(book) if out.get("name") == "stderr"]
    assert EXAMPLE.stat().st_size < LARGEST
    assert str(Path.home()) not in EXAMPLE.read_text()


def test_the_example_calls_range_test_as_documented() -> None:
    """The call stands in one line, with a factory, batches, a loss function and an optimizer."""
    assert (
        'range_test(build_model, batches, nn.functional.cross_entropy, optimizer="adamw")'
        in "\n".join(cell.source for cell in nbformat.read(EXAMPLE, 4).cells)
    )


LIVE = """
import torch
from torch import nn
from lrfind import range_test

X = torch.linspace(-1, 1, 64).reshape(-1, 1)

class Slow(nn.Linear):
    def forward(self, inputs):
        import time
        time.sleep(0.002)
        return super().forward(inputs)

def sweep(**options):
    return range_test(
        lambda: Slow(1, 1), (X, 3 * X), "mse_loss", optimizer="sgd", steps=100, **options
    )
"""


def test_a_sweep_is_told_live_in_one_output(run: Callable[[NotebookNode], NotebookNode]) -> None:
    """The cell has one output, drawn anew at most ten times a second, and keeps a line a seed."""
    watch = """
import time
import IPython.display as d
drawn, real = [], d.DisplayHandle.update
d.DisplayHandle.update = lambda *a, **k: (drawn.append(time.monotonic()), real(*a, **k))[1]
started = time.monotonic()
report = sweep(seeds=2, refine=1000)
print(len(drawn), time.monotonic() - started)
"""
    cells = [LIVE, watch, "quiet = sweep(progress=False)"]
    book = run(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells]))

    shown, printed = book.cells[1].outputs
    count, elapsed_s = map(float, printed["text"].split())
    lines = shown["data"]["text/plain"].splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["seed 1/2 (0)", "seed 2/2 (1)", "trial 1"]
    assert "stopped early because the loss diverged" in lines[0]
    assert lines[1] in re.sub("<[^>]+>", "\n", shown["data"]["text/html"])
    # Each seed and each trial leaves its line at once, beside the ten a second.
    assert 5 <= count <= elapsed_s / REDRAW_S + len(lines) + 1
    assert book.cells[2].outputs == []


def small(**options: Any) -> Any:
    """Sweep a line."""
    x = torch.linspace(-1, 1, 64).reshape(-1, 1)
    return range_test(
        lambda: nn.Linear(1, 1), (x, 3 * x), "mse_loss", optimizer="sgd", steps=60, device="cpu",
        **options,
    )  # fmt: skip


def test_outside_a_notebook_nothing_is_printed_unless_asked_for(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A script's output is its own; `progress=True` tells the sweep on standard error."""
    small()
    small(progress=False)
    silent = capfd.readouterr()
    small(progress=True)
    told = capfd.readouterr()

    assert (silent.out, silent.err) == ("", "")
    assert told.out == ""
    assert told.err.startswith("seed 0: ")


@pytest.mark.parametrize("name", ["clean", "seeds", "flat", "nan-tail"])
def test_a_report_shows_figure_and_table(name: str) -> None:
    """PNG is the figure, HTML figure and table, text the table of the terminal."""
    made = variants()[name]
    shown = made._repr_mimebundle_()

    assert set(shown) == {"text/plain", "text/html", "image/png"}
    assert base64.b64decode(shown["image/png"]).startswith(b"\x89PNG")
    assert shown["text/plain"].startswith("lr ")
    picture, table = ElementTree.fromstring(f"<p>{shown['text/html']}</p>")
    rows = {row[0].text: row[1].text for row in table}
    assert picture.attrib["src"] == f"data:image/png;base64,{shown['image/png']}"
    assert picture.attrib["alt"] == summary(made)
    if made.suggestion:
        assert (rows["lr"] or "").startswith("3.2e-03 – a constant schedule")
        assert rows["reason"] == made.suggestion.reason
    else:
        assert made.no_answer is not None
        assert rows["change"] == made.no_answer.remedy


def test_hostile_text_is_text_in_a_cell() -> None:
    """Notes and reasons of others bring no tag into a notebook."""
    made = report(clean_curve(), notes=(Note("x", EVIL, EVIL),), title=EVIL)

    shown = made._repr_mimebundle_()["text/html"]

    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") == 2


def test_the_figure_is_a_new_matplotlib_figure_each_time() -> None:
    """It belongs to nobody, so changing it changes no other."""
    made = variants()["clean"]

    first, second = made.figure(), made.figure()

    assert isinstance(first, Figure)
    assert first is not second
    assert first.axes[0].get_xscale() == "log"


def test_a_report_is_shown_in_a_moment() -> None:
    """A cell that ends in a report is not waited for."""
    made = variants()["seeds"]
    made._repr_mimebundle_()
    started = time.process_time()
    made._repr_mimebundle_()

    assert time.process_time() - started < 3
