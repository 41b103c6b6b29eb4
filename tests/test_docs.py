"""The documents say what the code does."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lrfind.errors import ExitCode
from tests import nursery
from tests.fenced import pages

ROOT = Path(__file__).parents[1]
README = ROOT.joinpath("README.md").read_text("utf-8")


def commands() -> list[str]:
    """Name the commands of the app."""
    from lrfind.cli.app import app

    return [
        info.name or info.callback.__name__  # type: ignore[union-attr]
        for info in app.registered_commands
    ]


def test_readme_lists_every_command_and_no_other() -> None:
    """The README's table of commands holds exactly the app's commands."""
    table = re.findall(r"^\| `lrfind (\w+)", README, flags=re.MULTILINE)

    assert sorted(commands()) == sorted(set(table))


@pytest.mark.parametrize("block", ["run", "test"])
def test_readme_marks_the_two_set_up_commands(block: str) -> None:
    """Each set-up command stands in one fenced line that CI can run."""
    match = re.search(rf"<!-- ci: {block} -->\n```bash\n(.+)\n```\n", README)

    assert match is not None
    assert "-c constraints.txt" in match[1]


def test_readme_names_every_exit_code_of_run() -> None:
    """The README gives the exit codes that `lrfind run` can return by design."""
    for code in (ExitCode.OK, ExitCode.BAD_INPUT, ExitCode.NO_SUGGESTION, ExitCode.INTERRUPTED):
        assert re.search(rf"(Exit codes:|·) {int(code)} ", README)


def test_links_lead_somewhere() -> None:
    """Every relative link and picture of a page exists, and so does the heading it names."""
    for page in [*pages(), ROOT / "CHANGELOG.md"]:
        text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
        for link, heading in re.findall(r"\]\((?!\w+:)([^)#]*)#?([^)]*)\)", text):
            target = page.parent.joinpath(link) if link else page
            assert target.exists(), f"{page.name}: {link}"
            assert not heading or heading in headings(target), f"{page.name}: {link}#{heading}"


def headings(page: Path) -> set[str]:
    """List the anchors of a page as GitHub and the site both write them."""
    found = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in found}


def in_navigation(entry: Any) -> Iterator[str]:
    """List the pages of a part of the site's navigation."""
    if isinstance(entry, str):
        yield entry
        return
    for inner in entry.values() if isinstance(entry, dict) else entry:
        yield from in_navigation(inner)


def test_every_page_is_in_the_navigation_once() -> None:
    """A new page under docs/ gets its place in mkdocs.yml; none is named that is not there."""
    listed = list(in_navigation(YAML(typ="safe").load(ROOT / "mkdocs.yml")["nav"]))
    docs = {path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}
    others = {page.removeprefix("repository/") for page in listed if page not in docs}

    assert len(listed) == len(set(listed))
    assert docs <= set(listed)
    assert all(ROOT.joinpath(page).is_file() for page in others)


def test_config_page_is_the_models_own_text() -> None:
    """docs/config.md is what docs/make_config.py writes from the models today."""
    path = ROOT / "docs" / "make_config.py"
    spec = importlib.util.spec_from_file_location("make_config", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert ROOT.joinpath("docs", "config.md").read_text("utf-8") == module.text()


def test_architecture_page_names_every_module() -> None:
    """Every module or package of lrfind stands in the table of docs/architecture.md."""
    page = ROOT.joinpath("docs", "architecture.md").read_text("utf-8")
    table = page.split("## Rooms")[1].split("## The values")[0]
    listed = set(re.findall(r"`([a-z_]+)`", "\n".join(re.findall(r"^\| \d.*", table, re.M))))
    modules = {
        path.stem
        for path in ROOT.joinpath("lrfind").iterdir()
        if (path.suffix == ".py" or path.joinpath("__init__.py").exists())
        and not path.stem.startswith("_")
    }

    assert modules - listed == set()


def test_readme_python_example_runs(tmp_path: Path) -> None:
    """The README's Python snippet runs as it stands, given a model and a loader."""
    snippet = re.findall(r"```python\n(.+?)```", README, flags=re.DOTALL)[0]
    script = tmp_path / "script.py"
    script.write_text(
        "import torch\n"
        "from torch.utils.data import DataLoader, TensorDataset\n"
        "X = torch.randn(256, 8); y = (X.sum(1) > 0).long()\n"
        "loader = DataLoader(TensorDataset(X, y), batch_size=32, shuffle=True)\n"
        "build_model = lambda: torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(),\n"
        "                                          torch.nn.Linear(16, 2))\n"
        "torch.manual_seed(0)\n" + snippet,
        encoding="utf-8",
    )

    done = nursery.ran(script, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[0]) > 0
