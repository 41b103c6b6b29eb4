"""`lrfind list optimizer adam` shows the whole page of one bundled thing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from rich.console import Console

from lrfind import optim, schedulers, suggest
from lrfind.console.manual import Block, Kind, read_manual
from lrfind.console.page import page
from lrfind.registry import Entry, load_entry

CATALOGS = {"optimizer": optim.CATALOG, "scheduler": schedulers.CATALOG, "method": suggest.CATALOG}
EVERYTHING = [(kind, name) for kind, catalog in CATALOGS.items() for name in catalog]


@pytest.mark.parametrize(("kind", "name"), EVERYTHING, ids="-".join)
def test_the_page_holds_the_whole_docstring(
    kind: str, name: str, lrfind: Callable[..., Any]
) -> None:
    """Formula, source and every word of the docstring are there, within 80 columns."""
    outcome = lrfind("list", kind, name)
    entry = CATALOGS[kind][name]
    words = (load_entry(entry).__doc__ or "").replace(": ", " ").replace(":\n", "\n").split()
    shown = outcome.out.replace(": ", " ").replace(":\n", "\n").split()

    assert outcome.code == 0
    assert max(map(len, outcome.out.splitlines())) <= 88  # combining marks take no column
    assert " ".join(entry.formula.split()) in " ".join(shown) or ":" in entry.formula
    assert " ".join(words[:12]) in " ".join(shown)
    assert set(words) <= set(shown)


@pytest.mark.parametrize(("kind", "name"), EVERYTHING, ids="-".join)
def test_the_signature_is_the_one_that_python_sees(kind: str, name: str) -> None:
    """Names, order and defaults read from the source are those of the imported object."""
    manual = read_manual(name, CATALOGS[kind])
    signature = inspect.signature(load_entry(manual.entry))
    wanted = [p for p in signature.parameters.values() if p.name != "self"]
    written = [parameter for parameter in manual.parameters if parameter != "*"]
    default: Mapping[str, Any] = {p.name: p.default for p in wanted}

    assert [text.partition("=")[0] for text in written] == [p.name for p in wanted]
    for text in written:
        key, equals, value = text.partition("=")
        assert bool(equals) == (default[key] is not inspect.Parameter.empty)
        assert (
            not equals
            or eval(value, vars(inspect.getmodule(load_entry(manual.entry)))) == default[key]
        )


def test_formulas_keep_their_lines(lrfind: Callable[..., Any]) -> None:
    """An indented block of the docstring is shown line by line, as it stands there."""
    out = lrfind("list", "optimizer", "adam").out

    assert "    m ← β₁ m + (1 − β₁) g           m̂ = m / (1 − β₁^t)\n" in out
    assert "    θ ← θ − η m̂ / (√v̂ + ε)\n" in out


def test_a_name_that_stands_for_arguments_says_so(lrfind: Callable[..., Any]) -> None:
    """`nesterov` is SGD with two of its arguments set."""
    out = lrfind("list", "optimizer", "nesterov").out

    assert "nesterov is SGD with momentum=0.9, nesterov=True." in out


def test_plural_and_singular_mean_the_same(lrfind: Callable[..., Any]) -> None:
    """`list optimizers adam` is the page, and `list optimizer` is the list."""
    assert lrfind("list", "optimizers", "adam").out == lrfind("list", "optimizer", "adam").out
    assert lrfind("list", "optimizer").out == lrfind("list", "optimizers").out


def test_an_unknown_name_gets_the_nearest(lrfind: Callable[..., Any]) -> None:
    """A typing mistake is told with what was meant."""
    outcome = lrfind("list", "optimizer", "adm")

    assert outcome.code == 2
    assert "'adm' is not bundled; did you mean 'adam'?" in outcome.err


def test_blocks_of_a_docstring(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paragraphs, formulas, headings, items and an inherited constructor are told apart."""
    (tmp_path / "thing_of_test.py").write_text(
        "class Base:\n"
        "    def __init__(self, a, b=(1, 2), *, c=None): ...\n"
        "class Thing(Base):\n"
        '    """Do it\n    well.\n\n'
        "        x ← 1\n        y ← 2\n\n"
        "    Args:\n        a: first,\n            and more.\n        b: second.\n\n"
        '    Example:\n        >>> 1\n        1\n    """\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    manual = read_manual("thing", {"thing": Entry("thing_of_test:Thing", "x", "y")})

    assert manual.signature == "Thing(a, b=(1, 2), *, c=None)"
    assert manual.blocks == (
        Block(Kind.TEXT, "Do it well."),
        Block(Kind.VERBATIM, "x ← 1\ny ← 2"),
        Block(Kind.HEADING, "Args"),
        Block(Kind.ITEM, "first, and more.", "a"),
        Block(Kind.ITEM, "second.", "b"),
        Block(Kind.HEADING, "Example"),
        Block(Kind.VERBATIM, ">>> 1\n1"),
    )


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_keep_to_the_width(width: int) -> None:
    """Everything but a formula wraps; on a wide terminal paragraphs stay readable."""
    console = Console(width=width)
    lines = list(page(read_manual("sgd", optim.CATALOG), console))
    wrapped = [line for line in lines if not line.plain.startswith("    ") or "←" not in line.plain]

    assert max(line.cell_len for line in wrapped) <= min(width, 100)
