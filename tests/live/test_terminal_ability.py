"""What a terminal can show, told by its encoding and its locale."""

from __future__ import annotations

import io

import pytest

from lrfind.console.terminal import can_draw


@pytest.mark.parametrize(
    ("encoding", "locale", "expected"),
    [
        ("utf-8", {}, True),
        ("utf-8", {"LANG": "de_DE.UTF-8"}, True),
        ("utf-8", {"LANG": "C.UTF-8"}, True),
        ("utf-8", {"LANG": "C"}, False),
        ("utf-8", {"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ("utf-8", {"LANG": "C", "LC_CTYPE": "en_GB.UTF-8"}, True),
        ("utf-8", {"LANG": "en_GB.UTF-8", "LC_ALL": "POSIX"}, False),
        ("latin-1", {"LANG": "en_GB.UTF-8"}, False),
        ("ascii", {}, False),
    ],
)
def test_braille_needs_an_encoding_and_a_locale(
    encoding: str, locale: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UTF-8, and no locale C, under which Python writes UTF-8 whatever the terminal shows."""
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in locale.items():
        monkeypatch.setenv(name, value)

    assert can_draw(io.TextIOWrapper(io.BytesIO(), encoding=encoding)) is expected
