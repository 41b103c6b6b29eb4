"""Names and import paths: what is found, and what is said where nothing is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lrfind import optim, schedulers, suggest
from lrfind.errors import InputError, UserCodeError
from lrfind.registry import (
    Target,
    import_file,
    load_entry,
    load_target,
    nearest,
    parse_target,
)


@pytest.fixture(autouse=True)
def _clean_imports() -> Iterator[None]:
    """Leave `sys.path` and `sys.modules` as they were."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith(("lrfind_target", "user_", "neighbour_")):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("text", "target", "is_file"),
    [
        ("train.py:model", Target("train.py", "model"), True),
        ("../a b/train.py:Model.step", Target("../a b/train.py", "Model.step"), True),
        ("pkg.mod:attr", Target("pkg.mod", "attr"), False),
        ("C:/code/train.py:model", Target("C:/code/train.py", "model"), True),
    ],
)
def test_import_paths_are_split_at_the_last_colon(text: str, target: Target, is_file: bool) -> None:
    """Module and attribute come apart, a drive letter included, and join again."""
    assert parse_target(text) == target
    assert parse_target(text).is_file is is_file
    assert str(target) == text


@pytest.mark.parametrize("text", ["train.py", "train.py:", ":model", "a:b c", "a:b..c", "", "a:1"])
def test_malformed_import_paths_are_refused(text: str) -> None:
    """What has no attribute behind a colon is no import path."""
    with pytest.raises(InputError, match=r"package\.module:attr or file\.py:attr"):
        parse_target(text)


def test_nearest_offers_one_name_or_all() -> None:
    """A close name is offered; where none is close, all are listed."""
    assert nearest("adamm", ["sgd", "adam"]) == "did you mean 'adam'?"
    assert nearest("xyz", ["sgd", "adam"]) == "known: adam, sgd"
    assert nearest("xyz", []) == "none is known"
    assert nearest("AdamW", ["adam", "adamw"], "Or else.") == "did you mean 'adamw'? Or else."
    assert nearest("xyz", ["sgd"], "Or else.") == "known: sgd. Or else."


def test_a_target_is_found_beside_the_config(tmp_path: Path) -> None:
    """A file path starts from the folder that is given; nested attributes are followed."""
    (tmp_path / "user_a.py").write_text("class Box:\n    class Inner:\n        value = 7\n")

    assert load_target("user_a.py:Box.Inner.value", tmp_path, "c.yaml:1", "model.target") == 7


def test_a_dotted_module_is_imported() -> None:
    """`package.module:attr` needs no file."""
    assert (
        load_target("os.path:join", Path("/"), "c.yaml:1", "model.target")
        is __import__("os").path.join
    )


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("nothere.py:x", "there is no file"),
        ("no_such_package.mod:x", "there is no module named 'no_such_package'"),
        ("os.nothere:x", "there is no module named 'os.nothere'"),
        ("user_a.py:vaule", "user_a.py has no attribute 'vaule'; did you mean 'value'?"),
        ("user_a.py:Box.nothing", "user_a.py:Box has no attribute 'nothing'; define"),
        ("user_a.py", "is no import path"),
    ],
)
def test_missing_things_are_told_with_place_and_key(text: str, rule: str, tmp_path: Path) -> None:
    """Every message opens with where, then the key and its value."""
    (tmp_path / "user_a.py").write_text("value = 7\nclass Box: pass\n")

    with pytest.raises(InputError) as caught:
        load_target(text, tmp_path, "c.yaml:3", "model.target")

    assert str(caught.value).startswith(f"c.yaml:3: model.target = {text!r}")
    assert rule in str(caught.value)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import not_installed_anywhere", "ModuleNotFoundError: No module named"),
        ("def f(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_module_that_raises_is_the_users_error(code: str, told: str, tmp_path: Path) -> None:
    """What an import raises is chained, and the module is not left half imported."""
    (tmp_path / "user_b.py").write_text(code + "\n")
    before = set(sys.modules)

    with pytest.raises(UserCodeError, match=r"importing user_b\.py raised") as caught:
        load_target("user_b.py:x", tmp_path, "c.yaml:3", "model.target")

    assert told in str(caught.value)
    assert caught.value.__cause__ is not None
    assert set(sys.modules) - before == set()


def test_a_file_is_imported_once(tmp_path: Path) -> None:
    """Two targets of one file share its module, whatever way the path is written."""
    (tmp_path / "user_c.py").write_text("box = []\n")

    one = load_target("user_c.py:box", tmp_path, "", "")
    two = load_target(f"../{tmp_path.name}/user_c.py:box", tmp_path, "", "")

    assert one is two


def test_files_of_one_name_do_not_shadow_each_other(tmp_path: Path) -> None:
    """Two files called `user_d.py` are two modules, and neither hides one of the library."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "user_d.py").write_text(f"name = {name!r}\n")
    (tmp_path / "json.py").write_text("name = 'mine'\n")

    assert import_file(tmp_path / "a" / "user_d.py").name == "a"
    assert import_file(tmp_path / "b" / "user_d.py").name == "b"
    assert import_file(tmp_path / "json.py").name == "mine"
    assert sys.modules["json"].__name__ == "json"
    assert not hasattr(sys.modules["json"], "name")


def test_neighbours_are_importable_and_are_the_same_module(tmp_path: Path) -> None:
    """A file imports its neighbours, and a neighbour that imports it gets the same module."""
    (tmp_path / "user_e.py").write_text("import neighbour_e\nvalue = 1\n")
    (tmp_path / "neighbour_e.py").write_text("def owner():\n    import user_e\n    return user_e\n")

    module = import_file(tmp_path / "user_e.py")

    assert module.neighbour_e.owner() is module


def test_spawned_workers_find_the_users_classes(tmp_path: Path) -> None:
    """What a file defines can be unpickled in a spawned process, as DataLoader workers are."""
    (tmp_path / "user_f.py").write_text("class Sample:\n    size = 3\n")
    (tmp_path / "main.py").write_text(
        "import multiprocessing\n"
        "from pathlib import Path\n"
        "from lrfind.registry import import_file\n"
        "def size(sample): return sample.size\n"
        "if __name__ == '__main__':\n"
        "    module = import_file(Path(__file__).parent / 'user_f.py')\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map_async(size, [module.Sample()]).get(60))\n"
    )

    run = subprocess.run(
        [sys.executable, tmp_path / "main.py"], capture_output=True, text=True, check=False
    )

    assert run.stdout == "[3]\n", run.stderr


@pytest.mark.parametrize("catalog", [optim.CATALOG, schedulers.CATALOG, suggest.CATALOG])
def test_every_entry_can_be_loaded(catalog: object) -> None:
    """Each catalogue names objects that exist, with a formula and a source."""
    assert isinstance(catalog, dict)
    for entry in catalog.values():
        assert callable(load_entry(entry))
        assert entry.formula
        assert entry.source
