"""The documents as a site: a strict build is silent, and a reader's browser asks nobody else."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import PHONE, WIDE
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", name="site")
def _site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as CI builds it: strictly, so that a warning is an error."""
    if importlib.util.find_spec("material") is None:
        pytest.skip("mkdocs-material is not installed: pip install 'lrfind[docs]'")
    folder = tmp_path_factory.mktemp("site") / "html"
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        # What mkdocs and material say of their own future says nothing of these pages.
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files, and do not write a log."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
        del format, args


@pytest.fixture(scope="module", name="address")
def _address(site: Path) -> Iterator[str]:
    """The site on a free port of this machine."""
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_what_pages_link_to_outside_docs_is_on_the_site(site: Path) -> None:
    """Examples, configs, the changelog and the contributor's page are pages; scripts are none."""
    shown = site.joinpath("repository", "configs", "digits.yaml.html").read_text("utf-8")

    assert "lrfind run configs/digits.yaml" in re.sub(r"<[^>]+>", "", shown)
    assert site.joinpath("repository", "CONTRIBUTING.html").is_file()
    assert site.joinpath("repository", "CHANGELOG.html").is_file()
    assert not list(site.rglob("*.py"))


def test_no_page_names_a_thing_to_fetch_from_elsewhere(site: Path) -> None:
    """Scripts, styles, fonts and pictures are the site's own; links are left to the reader."""
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        fetched = re.findall(r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=\"?([^\"> ]+)", text)
        assert [url for url in fetched if re.match(r"(?:\w+:)?//", url)] == []
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import\s+)[\"']?(?:\w+:)?//", style.read_text("utf-8"))


def is_as_wide_as_the_window(page: Page) -> bool:
    """Tell whether nothing has to be scrolled sideways but tables and code within themselves."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize(
    ("place", "size"), [("server", PHONE), ("folder", WIDE)], ids=["server-phone", "folder-wide"]
)
def test_a_reader_finds_a_page_and_meets_no_error(
    place: str, size: dict[str, int], site: Path, address: str, browser: Browser
) -> None:
    """Overview, search, a page of the answer, by day and by night, without another host.

    From a folder as from a server: then without a network at all.
    """
    start = address if place == "server" else site.as_uri()
    with browser.new_context(viewport=size, offline=place == "folder") as window:
        page = window.new_page()
        page.set_default_timeout(15_000)
        asked: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))

        page.goto(f"{start}/index.html")
        fits = is_as_wide_as_the_window(page)
        by_day = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.locator("label[for^=__palette]:visible").click()
        page.wait_for_selector("body[data-md-color-scheme=slate]")
        by_night = page.evaluate("getComputedStyle(document.body).backgroundColor")
        opener = page.locator("label.md-header__button[for=__search]")
        if opener.is_visible():  # on a phone
            opener.click()
        page.locator("input[name=query]").press_sequentially("never diverged")
        page.locator(".md-search-result__link").first.click()
        page.wait_for_url("**/*.html*")
        page.wait_for_selector("article h1")

        assert fits
        assert is_as_wide_as_the_window(page)
        assert by_day != by_night
        assert [url for url in asked if not url.startswith(start)] == []
        assert complaints == []
