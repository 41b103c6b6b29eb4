"""The colours of a page: those of `curve.png` by day, and their counterparts by night."""

from __future__ import annotations

from lrfind.plot import style

COLOURS = {
    "paper": ("#ffffff", "#15181c"),
    "card": ("#f7f8f9", "#1d2126"),
    "edge": ("#d5d9dd", "#363c44"),
    "ink": (style.BLACK, "#eceff2"),
    "quiet": ("#5c6166", "#a7afb8"),
    "grid": (style.PALE, "#2a2f36"),
    "axis": (style.GREY, "#8b949e"),
    "beyond": (style.PALE, "#23272d"),
    "blue": (style.BLUE, "#56b4e9"),
    "green": (style.GREEN, "#2fc299"),
    "deep-green": (style.DEEP_GREEN, "#5fdcb7"),
    "vermillion": (style.VERMILLION, "#ff8f45"),
    "deep-vermillion": (style.DEEP_VERMILLION, "#ffa566"),
    # Text on the page's grey cards: a shade below the picture's, whose paper is white.
    "orange": ("#8a5a00", "#f0b43c"),
}
"""Name to the colours on white and on dark paper; text and lines reach WCAG's AA on both."""

SERIES = (
    (style.BLUE, "#56b4e9"),
    (style.VERMILLION, "#ff8f45"),
    (style.GREEN, "#2fc299"),
    ("#b0538a", "#e39ac6"),
    ("#9a6b00", "#f0b43c"),
    ("#2f7fb0", "#9ad4f5"),
    (style.BLACK, "#eceff2"),
)
"""Colours of compared runs, in order."""


def rules() -> str:
    """Write the colours as CSS: variables that follow the page's `color-scheme`, and classes."""
    pairs = {**COLOURS, **{f"series-{i}": pair for i, pair in enumerate(SERIES)}}
    lines = [f"  --{name}: light-dark({day}, {night});" for name, (day, night) in pairs.items()]
    classes = [f".stroke-{name} {{ stroke: var(--{name}); }}" for name in pairs]
    classes += [f".fill-{name} {{ fill: var(--{name}); }}" for name in pairs]
    return "\n".join([":root {", *lines, "}", *classes, ""])
