"""Importing at once leaves the collector as it was, and what was imported out of its sight."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import pytest

from lrfind.cli.preload import preload

PROBE = """
import gc
from lrfind.cli.preload import preload
preload("decimal", "json")
assert gc.isenabled()
frozen = gc.get_freeze_count()
assert frozen > 1000
import decimal, json
tracked = {id(found) for found in gc.get_objects()}
assert id(json.JSONDecoder) not in tracked
preload("json")
assert gc.get_freeze_count() <= frozen
gc.disable()
preload("csv")
assert not gc.isenabled()
"""


class Node:
    """Something that can refer to itself."""


def test_the_collector_goes_on_and_leaves_the_imported_alone() -> None:
    """It is enabled or disabled as before; a second call for the same modules does nothing."""
    run = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr


def test_what_comes_later_is_collected() -> None:
    """A cycle that is made after a preload is freed by the next collection."""
    preload("json")
    node = Node()
    node.itself = node  # type: ignore[attr-defined]
    gone = weakref.ref(node)

    del node
    gc.collect()

    assert gone() is None


def test_a_failing_import_is_raised_with_the_collector_back() -> None:
    """A module that is missing is told as by `import`, and the collector works again."""
    was_enabled = gc.isenabled()
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        preload("no_such_module")

    assert gc.isenabled() is was_enabled
    gc.unfreeze()
