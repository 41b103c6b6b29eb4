"""A page in a real browser: read with the mouse, the keyboard and on paper, by day and by night."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from browser import PHONE, WIDE, Visit, visit
from playwright.sync_api import Browser, ViewportSize
from sample_pages import EVIL, NAMES, ten_seeds, tried

from lrfind.curve import Curve

OPENS_WITHIN_MS = 5000
"""Generous, for machines that do something else: it takes a quarter of a second."""


def step_at(curve: Curve, lr: str) -> int:
    """Find the step that a read-out names by its LR."""
    return int(np.argmin(np.abs(np.log(curve.lr / float(lr)))))


def x_of(found: Visit, share: float) -> dict[str, float]:
    """Point into the curve, at a share of its width."""
    box = found.page.locator("#curve").bounding_box()
    assert box is not None
    return {"x": share * box["width"], "y": 0.5 * box["height"]}


@pytest.mark.parametrize("name", NAMES)
def test_a_page_asks_nobody_for_anything_and_complains_of_nothing(
    name: str, browser: Browser, pages: dict[str, Path]
) -> None:
    """Whatever the report, the page opens offline, without a request or a word on the console."""
    with visit(browser, pages[name]) as found:
        found.page.mouse.move(500, 500)
        title = found.page.title()

        assert found.requests == []
        assert found.complaints == []
        assert title.endswith("· lrfind")


def test_pointing_reads_lr_and_loss(browser: Browser, pages: dict[str, Path]) -> None:
    """Wherever the pointer stands, the read-out gives the step's own LR, loss and smooth loss."""
    (curve,) = tried().curves
    with visit(browser, pages["tried"]) as found:
        read = []
        for share in (0.2, 0.5, 0.8):
            found.page.locator("#curve").hover(position=x_of(found, share))
            read.append(found.tip())

    steps = [step_at(curve, tip["lr"]) for tip in read]
    assert steps == sorted(set(steps))
    for tip, step in zip(read, steps, strict=True):
        assert tip["step"] == str(step)
        assert tip["lr"] == f"{curve.lr[step]:.2e}"
        assert float(tip["measured"]) == pytest.approx(curve.loss[step], rel=1e-3)
        assert float(tip["smoothed"]) == pytest.approx(curve.smooth[step], rel=1e-3)


def test_the_pointer_stands_on_the_lr_that_is_read(
    browser: Browser, pages: dict[str, Path]
) -> None:
    """At the mark of the answer, the read-out gives the answer's LR, to a step."""
    with visit(browser, pages["tried"]) as found:
        box = found.page.locator(".answer-mark.lr").bounding_box()
        assert box is not None
        found.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
        tip = found.tip()

    assert float(tip["lr"]) == pytest.approx(3.2e-3, rel=0.06)


def test_several_seeds_are_read_as_median_and_span(
    browser: Browser, pages: dict[str, Path]
) -> None:
    """With ten seeds the read-out gives their median, and from where to where they reach."""
    curves = ten_seeds().curves
    with visit(browser, pages["ten"]) as found:
        found.page.locator("#curve").hover(position=x_of(found, 0.4))
        tip = found.tip()
        found.page.locator("[data-switch=seed-9]").uncheck()
        found.page.locator("#curve").hover(position=x_of(found, 0.4))
        without = found.tip()

    step = step_at(curves[0], tip["lr"])
    losses = [float(curve.smooth[step]) for curve in curves]
    least, most = map(float, tip["10 seeds"].split(" … "))
    assert float(tip["median of 10 seeds"]) == pytest.approx(np.median(losses), rel=1e-3)
    assert (least, most) == pytest.approx((min(losses), max(losses)), rel=1e-3)
    assert "9 seeds" in without


def test_seeds_and_rules_are_switched(browser: Browser, pages: dict[str, Path]) -> None:
    """A box hides and shows its seed's line, points and mark; rules appear when asked for."""
    with visit(browser, pages["ten"]) as found:
        before = found.shown("[data-key=seed-3]")
        found.page.get_by_label("seed 3").uncheck()
        hidden = found.shown("[data-key=seed-3]"), found.shown("[data-key=seed-4]")
        found.page.get_by_label("every step").uncheck()
        points = found.shown(".point"), found.shown(".thin")
        found.page.locator("button[data-all=Seeds]").click()
        seeds = found.shown(".thin"), found.page.get_by_label("seed 3").is_checked()
        rules = found.shown(".rule-mark")
        found.page.get_by_label("valley").check()
        asked = (
            found.shown(".rule-mark"),
            found.page.locator("[data-key=rule-valley]").text_content(),
        )
        switch = found.text("label:has([data-switch=rule-valley])")

    assert before == 3
    assert hidden == (0, 3)
    assert points == (0, 9)
    assert seeds == (10, True)
    assert rules == 0
    assert asked == (1, switch)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_names_of_rules_do_not_lie_on_each_other(
    size: ViewportSize, browser: Browser, pages: dict[str, Path]
) -> None:
    """With every rule switched on each name can be read, also where two answers are close."""
    with visit(browser, pages["tried"], viewport=size) as found:
        for box in found.page.locator("[data-switch^=rule-]").all():
            box.check()
        labels = found.page.locator("#curve [data-key^=rule-] text").all()
        boxes = [box for label in labels if (box := label.bounding_box())]

    assert len(boxes) == 5
    for first, second in itertools.combinations(boxes, 2):
        across = abs(first["x"] - second["x"]) < 0.8 * first["width"]
        upper, lower = sorted((first, second), key=lambda box: box["y"])
        assert not (across and upper["y"] + upper["height"] > lower["y"])


def test_the_keyboard_does_what_the_mouse_does(browser: Browser, pages: dict[str, Path]) -> None:
    """Tab reaches every control in reading order; arrows, Home and End read the curve."""
    (curve,) = tried().curves
    with visit(browser, pages["tried"]) as found:
        keys = found.page.keyboard
        reached: list[str] = []
        for _ in range(30):
            keys.press("Tab")
            reached.append(
                found.page.evaluate(
                    "() => { const at = document.activeElement; return at.dataset.switch || "
                    "at.dataset.all || at.id || at.name || at.tagName }"
                )
            )
            if reached[-1] == "at":
                break
        ring = found.colour("#at", "outlineStyle")
        keys.press("Home")
        first = found.page.locator("#at").get_attribute("aria-valuetext")
        keys.press("ArrowRight")
        second, tip = found.page.locator("#at").get_attribute("aria-valuetext"), found.tip()
        keys.press("End")
        last = found.text("#reading")
        found.page.get_by_label("every step").focus()
        keys.press("Space")
        points = found.shown(".point")

    assert reached[:2] == ["theme", "points"]
    assert {"main", "answer", "range", "rule-auto", "Other rules"} <= set(reached)
    assert reached[-1] == "at"
    assert ring == "solid"
    assert first is not None
    assert second is not None
    assert first.startswith(f"lr {curve.lr[0]:.2e} · smoothed ")
    assert second.startswith(f"lr {curve.lr[1]:.2e} · ")
    assert tip["step"] == "1"
    assert last.startswith(f"lr {curve.lr[-1]:.2e} · ")
    assert points == 0


def test_zooming_looks_closer_and_back(browser: Browser, pages: dict[str, Path]) -> None:
    """`+` halves what is seen of the LR, `whole curve` shows all; what was switched off stays."""
    with visit(browser, pages["tried"]) as found:
        decades = found.shown("#trials .axis text")
        found.page.get_by_label("usable range").uncheck()
        found.page.get_by_role("button", name="Zoom in").click()
        found.page.get_by_role("button", name="Zoom in").click()
        found.page.wait_for_timeout(50)
        closer = found.page.locator("#trials .axis text").all_inner_texts()
        range_marks = found.shown("[data-key=range]")
        found.page.get_by_role("button", name="whole curve").click()
        back = found.shown("#trials .axis text")

    assert len(closer) != decades
    assert "1e-7" not in closer
    assert range_marks == 0
    assert back == decades


def test_dark_follows_the_system_and_the_switch(browser: Browser, pages: dict[str, Path]) -> None:
    """The page is dark where the system is; Light and Dark overrule that, Auto gives it back."""
    white, night = "rgb(255, 255, 255)", "rgb(21, 24, 28)"
    with visit(browser, pages["tried"], color_scheme="dark") as found:
        seen = [found.colour("body")]
        lines = [found.colour("#curve .firm", "stroke")]
        for name in ("Light", "Dark", "Auto"):
            found.page.get_by_label(name, exact=True).check(force=True)
            seen.append(found.colour("body"))
            lines.append(found.colour("#curve .firm", "stroke"))
    with visit(browser, pages["tried"], color_scheme="light") as found:
        seen.append(found.colour("body"))

    assert seen == [night, white, night, night, white]
    assert lines == ["rgb(86, 180, 233)", "rgb(0, 114, 178)", *["rgb(86, 180, 233)"] * 2]


def test_on_paper_all_is_open_light_and_without_controls(
    browser: Browser, pages: dict[str, Path]
) -> None:
    """Printing a dark page gives a white one, with the table and config open and no switches."""
    with visit(browser, pages["tried"], color_scheme="dark") as found:
        found.page.emulate_media(media="print")
        found.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        paper = found.colour("body")
        controls = found.shown(".switches, .theme, .read, #tip")
        is_open = found.shown("pre"), found.shown("details table"), found.shown("#curve .firm")
        found.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        closed = found.page.locator("details[open]").count()
        sheets = found.page.pdf(format="A4")

    assert paper == "rgb(255, 255, 255)"
    assert controls == 0
    assert is_open == (1, 1, 1)
    assert closed == 0
    assert sheets.startswith(b"%PDF")


def test_ten_seeds_of_a_thousand_points_open_at_once(
    browser: Browser, pages: dict[str, Path], record_property: pytest.RecordProperty
) -> None:
    """Everything is drawn within the time that a page takes to load."""
    with visit(browser, pages["ten"]) as found:
        timing = "performance.getEntriesByType('navigation')[0].loadEventEnd"
        opened_ms = float(found.page.evaluate(timing))
        drawn = found.shown(".point"), found.shown(".thin")

    record_property("opened_ms", opened_ms)
    assert drawn == (10, 10)
    assert 0 < opened_ms < OPENS_WITHIN_MS


@pytest.mark.parametrize("name", ["evil", "compared"])
def test_hostile_text_stays_text(name: str, browser: Browser, pages: dict[str, Path]) -> None:
    """Scripts and tags in titles, notes, configs and labels are shown and never run."""
    with visit(browser, pages[name]) as found:
        for box in found.page.locator("[data-switch]").all():
            box.check()
        found.page.locator("#curve").hover(position=x_of(found, 0.5))
        hacked = found.page.evaluate("window.hacked")
        scripts = found.page.locator("script").count()
        images = found.page.locator("img").count()
        body = str(found.page.evaluate("document.body.textContent"))

    assert hacked is None
    assert scripts == 3
    assert images == 0
    assert body.count(EVIL) >= 5
    assert "{{ 7 * 7 }}" in body


def test_what_is_smuggled_in_later_does_not_run(browser: Browser, pages: dict[str, Path]) -> None:
    """The page's policy stops a script it does not know and any request, whoever puts them in."""
    with visit(browser, pages["tried"]) as found:
        found.page.evaluate(
            "() => { const part = document.createElement('script'); "
            "part.textContent = 'window.hacked = 1'; document.body.append(part); "
            "const image = new Image(); image.src = 'http://127.0.0.1:9/x.png'; "
            "document.body.append(image); }"
        )
        hacked = found.page.evaluate("window.hacked")
        complaints = " ".join(found.complaints)

    assert hacked is None
    assert complaints.count("Content Security Policy") == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_phone_scrolls_down_only(name: str, browser: Browser, pages: dict[str, Path]) -> None:
    """On 390 pixels nothing but a wide table scrolls sideways, in its own box."""
    with visit(browser, pages[name], viewport=PHONE) as found:
        width = found.page.evaluate("document.scrollingElement.scrollWidth")

    assert width <= PHONE["width"]


def test_a_curve_is_drawn_anew_in_a_window_of_another_size(
    browser: Browser, pages: dict[str, Path]
) -> None:
    """Text keeps its size: the picture is drawn for the width it has, not scaled to it."""
    with visit(browser, pages["tried"]) as found:
        wide = found.page.locator("#curve").get_attribute("viewBox")
        found.page.set_viewport_size({"width": 600, "height": 800})
        found.page.wait_for_function(
            "wide => document.getElementById('curve').getAttribute('viewBox') !== wide", arg=wide
        )
        narrow = found.page.locator("#curve").get_attribute("viewBox")
        box = found.page.locator("#curve").bounding_box()

    assert narrow is not None
    assert box is not None
    assert float(re.split(" ", narrow)[2]) == pytest.approx(box["width"], abs=1)
