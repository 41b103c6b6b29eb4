"""docs/benchmarks.md, a section a benchmark: each script writes its own, between its markers."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def write_section(name: str, text: str, page: Path = PAGE) -> None:
    """Replace what stands between `<!-- name -->` and `<!-- /name -->` on the page.

    Raises:
        ValueError: the page has no such markers; add them where the section belongs.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    content = page.read_text(encoding="utf-8")
    if content.count(begin) != 1 or content.count(end) != 1:
        raise ValueError(f"{page.name} must hold {begin.strip()} and {end} once; add them")
    before, _, rest = content.partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n{text.strip()}\n\n{end}{after}", encoding="utf-8")
