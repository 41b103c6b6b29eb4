"""A hook of MkDocs: what pages link to outside `docs/` is part of the site.

A page may link to an example, a config or another folder's README as a file, as GitHub and editors
follow it. On the site each such file is a page under `repository/`: Markdown as it is, a folder as
its list, anything else as code. A link to what is not there stays as it is, and a strict build
refuses it.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
FOLDER = "repository"
FROM_NAV = ("CONTRIBUTING.md", "CHANGELOG.md")
"""Files that the navigation names, whether a page links to them or not."""

LINK = re.compile(r"(?<=\]\()(?!\w+:|#|/)([^)#\s]+)")
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LANGUAGES = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".json": "json"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each file that is linked to, and for what those link to."""
    waiting = list(FROM_NAV)
    for file in files.documentation_pages():
        waiting += outside(f"docs/{file.src_uri}", file.content_string)
    while waiting:
        path = waiting.pop()
        if files.get_file_from_path(page_of(path)) is None:
            content = written(path)
            files.append(File.generated(config, page_of(path), content=content))
            waiting += outside(path, content)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links out of `docs/` into links to the pages made for them."""
    del config
    uri = page.file.src_uri
    source = source_of(uri)

    def moved(found: re.Match[str]) -> str:
        path = target(source, found[1])
        inner = path.removeprefix("docs/")
        ways = (inner, f"{inner}/index.md") if inner != path else (page_of(path),)
        for there in ways:
            if files.get_file_from_path(there) is not None:
                return posixpath.relpath(there, posixpath.dirname(uri) or ".")
        return found[0]

    return LINK.sub(moved, markdown)


def outside(source: str, markdown: str) -> list[str]:
    """Find what a file of the repository links to that exists and is not below `docs/`."""
    found = (target(source, link) for link in LINK.findall(FENCED.sub("", markdown)))
    return [path for path in found if not path.startswith("docs/") and ROOT.joinpath(path).exists()]


def target(source: str, link: str) -> str:
    """Follow a link from a file of the repository, both named from its root."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), link))


def page_of(path: str) -> str:
    """Name the page of a file of the repository."""
    return f"{FOLDER}/{path}" if path.endswith(".md") else f"{FOLDER}/{path}.md"


def source_of(uri: str) -> str:
    """Name the file that a page was made from."""
    if not uri.startswith(f"{FOLDER}/"):
        return f"docs/{uri}"
    path = uri.removeprefix(f"{FOLDER}/")
    return path if ROOT.joinpath(path).is_file() else path.removesuffix(".md")


def written(path: str) -> str:
    """Write the page of a file or folder."""
    place = ROOT / path
    if place.is_dir():
        names = sorted(entry.name for entry in os.scandir(place) if entry.is_file())
        return f"# {path}/\n\n" + "\n".join(
            f"- [{name}]({PurePosixPath(path).name}/{name})" for name in names
        )
    text = place.read_text("utf-8")
    if place.suffix == ".md":
        return text
    return f"# {path}\n\n````{LANGUAGES.get(place.suffix, 'text')}\n{text}````\n"
