"""A page as a file: the same bytes for the same report, whole or not there, honest, and small."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_pages import EVIL, NAMES, SPEC, empty, evil, ten_seeds, tried, write
from sample_reports import clean_curve, report, variants

from lrfind.curve import Curve
from lrfind.errors import NoSuggestionError, OutputError
from lrfind.export import write_report
from lrfind.html import palette, save_page
from lrfind.html.candidates import candidates
from lrfind.html.drawing import MOST_POINTS
from lrfind.plot import style
from lrfind.saved import reread
from lrfind.suggest import CATALOG, suggest

ROOT = Path(__file__).parents[2]
LARGEST = 1_500_000


def drawing_of(path: Path) -> dict[str, Any]:
    """Read what a page's script draws, as strictly as JSON is read anywhere."""
    found = re.search(
        r'<script type="application/json" id="drawing">(.*?)</script>', path.read_text()
    )
    assert found is not None

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return dict(json.loads(found[1], parse_constant=refuse))


@pytest.mark.parametrize("name", NAMES)
def test_equal_reports_give_equal_bytes_below_the_limit(name: str, tmp_path: Path) -> None:
    """A page depends on its report alone, and is smaller than 1.5 MB."""
    (tmp_path / "again").mkdir()
    first, second = write(name, tmp_path), write(name, tmp_path / "again")

    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < LARGEST


@pytest.mark.parametrize("name", variants())
def test_every_kind_of_curve_has_a_page(name: str, tmp_path: Path) -> None:
    """NaN, infinity, two points, losses below zero: what the script draws is strict JSON."""
    save_page(variants()[name], tmp_path / "p.html")

    drawing = drawing_of(tmp_path / "p.html")
    low, high = drawing["frame"]["loss"]
    assert low < high
    assert len(drawing["points"]) == len(variants()[name].curves)


def test_a_saved_report_gives_the_page_of_the_run(tmp_path: Path) -> None:
    """`lrfind plot report.json -o report.html` writes what `lrfind run --html` wrote."""
    made = reread(write_and_name(tried(), tmp_path / "report.json"))
    save_page(made, tmp_path / "first.html")
    save_page(reread(write_and_name(made, tmp_path / "report.json")), tmp_path / "second.html")
    turned = replace(made, spec=dict(reversed(made.spec.items())))
    save_page(turned, tmp_path / "third.html")

    first, *others = (
        (tmp_path / f"{name}.html").read_bytes() for name in ("first", "second", "third")
    )
    assert all(other == first for other in others)


def write_and_name(made: Any, path: Path) -> Path:
    """Save a report and give its path."""
    write_report(made, path)
    return path


def test_the_page_draws_what_was_measured(tmp_path: Path) -> None:
    """Every step is in the page, to six digits, and the smooth line beside it."""
    (curve,) = tried().curves
    save_page(tried(), tmp_path / "p.html")

    drawing = drawing_of(tmp_path / "p.html")
    np.testing.assert_allclose(drawing["points"][0]["lr"], curve.lr, rtol=1e-5)
    np.testing.assert_allclose(drawing["points"][0]["loss"], curve.loss, rtol=1e-5)
    np.testing.assert_allclose(drawing["lines"][0]["loss"], curve.smooth, rtol=1e-5)


def test_a_very_long_curve_is_thinned_and_the_page_says_so(tmp_path: Path) -> None:
    """Of 300,000 points one in 15 is shown, the last one too, and the file stays small."""
    lr = np.geomspace(1e-7, 1.0, 300_000)
    curve = Curve(lr, 2 + 0.1 * np.sin(np.log(lr)))
    save_page(report(curve), tmp_path / "p.html")

    points = drawing_of(tmp_path / "p.html")["points"][0]
    assert len(points["lr"]) <= MOST_POINTS + 1
    assert points["lr"][-1] == 1.0
    assert "one in 15 steps; curve.csv holds all" in (tmp_path / "p.html").read_text()
    assert (tmp_path / "p.html").stat().st_size < LARGEST


@pytest.mark.parametrize("name", ["clean", "seeds", "flat"])
def test_candidates_are_the_other_rules_own_answers(name: str) -> None:
    """Each bundled rule but the report's is asked, and its answer or its reason is kept."""
    made = variants()[name]
    own = made.suggestion.method if made.suggestion else ""

    found = candidates(made)

    assert [one.rule for one in found] == [rule for rule in CATALOG if rule != own]
    for one in found:
        try:
            expected: float | None = suggest(made.curves, one.rule).lr
        except NoSuggestionError:
            expected = None
        assert one.lr == expected


@pytest.mark.parametrize("make", [evil, tried, empty, ten_seeds])
def test_nothing_of_others_stands_in_a_page_unescaped(
    make: Callable[[], Any], tmp_path: Path
) -> None:
    """Three scripts, one style, no other element that loads or runs something, and no handler."""
    save_page(make(), tmp_path / "p.html")
    text = (tmp_path / "p.html").read_text()

    # Tags within the scripts are text of the scripts.
    outside = re.sub(r"(<(script|style)\b[^>]*>).*?(</\2>)", r"\1\3", text, flags=re.DOTALL)
    tags = re.findall(r"<([a-z0-9]+)\b([^>]*)>", outside)
    assert [name for name, _ in tags if name in ("script", "style")] == ["style"] + ["script"] * 3
    assert not {"img", "iframe", "link", "object", "embed", "base", "form"} & {n for n, _ in tags}
    assert not [rest for _, rest in tags if re.search(r"\s(on\w+|src|href|style)\s*=", rest)]
    assert EVIL not in text


def test_the_policy_lets_nothing_in(tmp_path: Path) -> None:
    """Scripts and style are named by digest, and all else is refused."""
    save_page(tried(), tmp_path / "p.html")
    head = (tmp_path / "p.html").read_text()[:1000]
    found = re.search(r'Content-Security-Policy" content="(.*?)">', head)
    assert found is not None

    parts = dict(part.split(" ", 1) for part in found[1].replace("&#39;", "'").split("; "))
    assert parts["default-src"] == "'none'"
    assert parts["base-uri"] == parts["form-action"] == "'none'"
    assert re.fullmatch(r"'sha256-\S{44}' 'sha256-\S{44}'", parts["script-src"])
    assert re.fullmatch(r"'sha256-\S{44}'", parts["style-src"])


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    """A folder that is not there is told, and nothing half written stays behind."""
    with pytest.raises(OutputError, match="cannot be written: No such file"):
        save_page(tried(), tmp_path / "gone" / "p.html")
    (tmp_path / "p.html").mkdir()
    with pytest.raises(OutputError, match="cannot be written: Is a directory"):
        save_page(tried(), tmp_path / "p.html")

    assert [path.name for path in tmp_path.iterdir()] == ["p.html"]


def luminance(colour: str) -> float:
    """WCAG's relative luminance of `#rrggbb`."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(first: str, second: str) -> float:
    """WCAG's contrast ratio."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("night", [0, 1], ids=["day", "night"])
def test_colours_reach_aa(night: int) -> None:
    """Text stands out by 4.5 from paper and cards, lines and marks by 3 from paper."""
    colour = {name: pair[night] for name, pair in palette.COLOURS.items()}

    for name in ("ink", "quiet", "deep-green", "deep-vermillion", "orange"):
        assert contrast(colour[name], colour["paper"]) >= 4.5, name
        assert contrast(colour[name], colour["card"]) >= 4.5, name
    for name in ("blue", "green", "vermillion", "axis"):
        assert contrast(colour[name], colour["paper"]) >= 3, name
    for pair in palette.SERIES:
        assert contrast(pair[night], colour["paper"]) >= 3, pair


def test_the_page_has_the_colours_of_the_picture() -> None:
    """By day a page is of one hand with `curve.png`."""
    day = {name: pair[0] for name, pair in palette.COLOURS.items()}

    assert (day["blue"], day["green"], day["vermillion"]) == (
        style.BLUE,
        style.GREEN,
        style.VERMILLION,
    )
    assert (day["ink"], day["grid"], day["axis"]) == (style.BLACK, style.PALE, style.GREY)
    rules = palette.rules()
    assert f"--blue: light-dark({style.BLUE}, " in rules


@pytest.fixture
def without_extra(tmp_path: Path) -> dict[str, str]:
    """Give the environment of an installation without the extra `html`: all packages but mpld3."""
    site = tmp_path / "site"
    site.mkdir()
    for folder in {Path(path) for path in sys.path if Path(path).name == "site-packages"}:
        for entry in folder.iterdir():
            if not entry.name.startswith(("mpld3", "__pycache__")):
                (site / entry.name).symlink_to(entry)
    return os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}


@pytest.mark.parametrize(
    "command", ["run c.yaml --html", "plot report.json -o p.html"], ids=["run", "plot"]
)
def test_without_the_extra_the_command_says_what_to_install(
    command: str, without_extra: dict[str, str], tmp_path: Path
) -> None:
    """It is told before any work, with exit code 2; nothing is written."""
    write_report(tried(), tmp_path / "report.json")
    done = subprocess.run(
        [sys.executable, "-S", "-m", "lrfind", *command.split()],
        cwd=tmp_path,
        env=without_extra,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2, done.stderr
    assert "needs D3 (in the package mpld3)" in done.stderr
    assert "pip install 'lrfind[html]'" in done.stderr
    assert not (tmp_path / "p.html").exists()


def test_plot_writes_a_page_for_one_file_and_for_several(
    lrfind: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The suffix decides; the answer is the name of the file."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        write_report(tried(), Path(f"{name}.json"))
    one = lrfind("plot", "a.json", "-o", "one.html")
    two = lrfind("plot", "a.json", "b.json", "-o", "two.html")
    unknown = lrfind("plot", "a.json", "-o", "one.htm")
    gone = lrfind("plot", "a.json", "-o", "gone/one.html")

    assert (one.code, one.out) == (0, "one.html\n")
    assert (two.code, two.out) == (0, "two.html\n")
    assert [line["name"] for line in drawing_of(Path("two.html"))["lines"]] == ["a", "b"]
    assert unknown.code == gone.code == 2
    assert "end the name in .png, .svg, .pdf, .html" in unknown.err
    assert "gone/one.html: cannot be written: No such file or directory" in gone.err


def test_run_writes_a_page_where_it_is_asked_for_and_leaves_no_old_one(
    lrfind: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--html` adds `report.html` to the files; a later run without it takes the old one away."""
    monkeypatch.chdir(tmp_path)
    config = ROOT / "configs" / "digits.yaml"
    with_page = lrfind("run", config, "--html", "--out", "out", "--format", "markdown")
    page = Path("out/report.html").read_text()
    without = lrfind("run", config, "--out", "out")

    assert with_page.code == without.code == 0
    assert "curve.csv, curve.png, report.json, report.html" in with_page.out
    assert "digits: Sequential" in page
    assert "hidden: 64" in page
    assert not Path("out/report.html").exists()


def test_a_folder_in_the_place_of_the_page_is_told_before_the_sweep(
    lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """`report.html` is claimed like the other files."""
    (tmp_path / "out" / "report.html").mkdir(parents=True)
    told = lrfind("run", ROOT / "configs/digits.yaml", "--html", "--out", tmp_path / "out")

    assert told.code == 2
    assert "report.html: is a folder; a file must stand here" in told.err
    assert not (tmp_path / "out" / "curve.csv").exists()


def test_infinite_numbers_of_a_config_are_shown() -> None:
    """A report's config is plain data, in which infinity is text."""
    from lrfind.html.facts import config_text

    shown = config_text(report(clean_curve(), spec={**SPEC, "odd": [str(math.inf), None, True]}))

    assert "- inf" in shown
    assert shown.index("model:") < shown.index("sweep:") < shown.index("odd:")
