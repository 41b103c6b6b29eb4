"""A page in a real browser, and everything it did that a page must not do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Most of this folder's tests need no browser, and run where playwright is not installed.
if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")

WIDE, PHONE = {"width": 1100, "height": 900}, {"width": 390, "height": 800}


def find_browser() -> str | None:
    """Find a Chromium on the machine."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@dataclass
class Visit:
    """An open page.

    Attributes:
        page: to look at and to work with.
        requests: addresses it asked for, its own apart.
        complaints: what it wrote to the console or threw.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        """Read an element."""
        return self.page.locator(selector).inner_text()

    def tip(self) -> dict[str, str]:
        """Read the read-out beside the pointer."""
        rows = self.page.locator("#tip p").all()
        return {row.locator("span").inner_text(): row.locator("b").inner_text() for row in rows}

    def colour(self, selector: str, style: str = "backgroundColor") -> str:
        """Ask for a colour as the browser computed it."""
        return str(self.page.eval_on_selector(selector, f"part => getComputedStyle(part).{style}"))

    def shown(self, selector: str) -> int:
        """Count the parts of the picture that are not switched off."""
        return int(
            self.page.evaluate(
                "selector => [...document.querySelectorAll(selector)]"
                ".filter(part => part.getClientRects().length).length",
                selector,
            )
        )


@contextmanager
def visit(browser: Browser, path: Path, **context: Any) -> Iterator[Visit]:
    """Open a file in a window of its own, without a network."""
    with browser.new_context(**{"viewport": WIDE, "offline": True} | context) as window:
        page = window.new_page()
        found = Visit(page)
        page.on("console", lambda message: found.complaints.append(message.text))
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.on("request", lambda asked: found.requests.append(asked.url))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready=true]")
        found.requests.remove(path.as_uri())
        yield found
