"""A report as one HTML page that opens offline: curve, answer, trials, notes, config.

Knows reports; never torch. It writes what the page holds and escapes it; the scripts under
`assets` draw, on D3. Both of what it needs beside lrfind, D3 and Jinja, come with the extra `html`.
"""

from __future__ import annotations

from lrfind.html.libraries import require_libraries
from lrfind.html.page import PAGE_SUFFIX, save_comparison, save_page

__all__ = ["PAGE_SUFFIX", "require_libraries", "save_comparison", "save_page"]
