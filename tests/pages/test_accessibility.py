"""What axe-core, the usual checker of accessibility, finds on a page: nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import PHONE, WIDE, visit
from playwright.sync_api import Browser


@pytest.mark.parametrize(
    ("name", "scheme", "viewport"),
    [
        ("tried", "light", WIDE),
        ("tried", "dark", WIDE),
        ("ten", "light", PHONE),
        ("flat", "dark", PHONE),
        ("compared", "light", WIDE),
        ("compared", "dark", WIDE),
        ("empty", "light", WIDE),
    ],
)
def test_axe_finds_nothing(
    name: str, scheme: Any, viewport: Any, browser: Browser, pages: dict[str, Path]
) -> None:
    """No rule of WCAG 2 A and AA, nor of good practice, is broken, with everything open."""
    with visit(browser, pages[name], color_scheme=scheme, viewport=viewport) as found:
        found.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        results = Axe().run(found.page)

    assert results.violations_count == 0, results.generate_report()


def test_screen_readers_get_the_curve_in_words(browser: Browser, pages: dict[str, Path]) -> None:
    """The picture is named, described by a sentence with the answer, and followed by a table."""
    with visit(browser, pages["tried"]) as found:
        picture = found.page.get_by_role("img", name="Curve of loss against learning rate")
        described = picture.get_attribute("aria-describedby")
        summary = found.page.locator(f"#{described}").inner_text()
        landmarks = [found.page.get_by_role(role).count() for role in ("main", "banner")]
        headings = found.page.get_by_role("heading").all_inner_texts()

    assert "begins at 2.3" in summary
    assert "diverged at" in summary
    assert "Marked is lr 3.2e-03" in summary
    assert landmarks == [1, 1]
    assert headings[1:] == ["Curve", "Trials", "Notes", "What other rules say", "How it was made"]
