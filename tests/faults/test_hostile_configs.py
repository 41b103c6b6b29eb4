"""Configs of every hostile kind: told or read, in bounded time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lrfind.config import load
from lrfind.console import show_error
from lrfind.errors import ConfigError, Problem

SOUND = """\
seed: 3
model: code.py:model
data: &data {target: code.py:data, batch_size: 8}
loss: mse_loss
sweep: {steps: 40, validation: {<<: *data, batches: 2}}
"""

NINES = "abcdefghij"
HOSTILE: dict[str, tuple[bytes, str]] = {
    "utf-16": (SOUND.encode("utf-16"), "is UTF-16 text, not UTF-8; save the file as UTF-8"),
    "utf-16 without a mark": (SOUND.encode("utf-16-le"), "#x00, which YAML does not allow"),
    "utf-32": (SOUND.encode("utf-32"), "c.yaml:1: is UTF-16 text"),
    "latin-1": (f"{SOUND}# \xe9\n".encode("latin-1"), "c.yaml:6: is not UTF-8 text"),
    "NUL": (SOUND.encode() + b"\0", "c.yaml:6: holds the character #x00"),
    "tabs": (SOUND.replace(" ", "\t").encode(), "c.yaml:"),
    "duplicate": (f"{SOUND}seed: 4\n".encode(), "c.yaml:6: duplicate key 'seed'"),
    "lists in lists": (
        b"a: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(
            f"{NINES[i + 1]}: &{NINES[i + 1]} [{','.join(['*' + NINES[i]] * 9)}]\n".encode()
            for i in range(9)
        ),
        "unfolds to more than 20000 values",
    ),
    "merges of merges": (
        b"a: &a {x: 1}\n"
        + b"".join(
            f"{NINES[i + 1]}: &{NINES[i + 1]} {{<<: [{','.join(['*' + NINES[i]] * 9)}]}}\n".encode()
            for i in range(9)
        ),
        "unfolds to more than 20000 values",
    ),
    "alias of itself": (b"a: &a [*a]\n", "nested deeper than 50 levels"),
    "merge of itself": (b"a: &a\n  <<: *a\n", "nested deeper than 50 levels"),
    "brackets": (b"a: " + b"[" * 200_000, "nested deeper than 50 levels"),
    "dashes": (b"a:\n" + b"- " * 100_000 + b"x\n", "nested deeper than 50 levels"),
    "indents": ("".join(f"{' ' * i}a:\n" for i in range(600)).encode(), "nested deeper"),
    "huge": (b"# \n" * 10_000_000, "is larger than 256 KiB"),
    "many keys": ("".join(f"k{i}: 1\n" for i in range(4_000)).encode(), "is not a known key"),
    "one key often": (b"seed: 1\n" * 6_000, "duplicate key 'seed'"),
    "never closed": (b"a: [\n" + b"x,\n" * 20_000, "YAML syntax"),
    "a long number": (b"seed: " + b"9" * 250_000, "must be an integer"),
    "a long line": (b"model: " + b"x" * 250_000, "is no import path"),
    "blanks": (b" " * 250_000, "is empty"),
}

PROBE = """
import json, resource, sys, time
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from lrfind.config import load
from lrfind.console import show_error
from lrfind.errors import ConfigError
for path in map(Path, sys.argv[1:]):
    began, text = time.process_time(), "read"
    try:
        load(path)
    except ConfigError as error:
        text = show_error(error)
    print(json.dumps([path.parent.name, text, time.process_time() - began]))
"""

MOST_S = 15.0
"""Seconds of processor time that no config may cost; the slowest takes about 3."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, float]]:
    """Read every hostile config in a process that may use a gigabyte of addresses."""
    folder = tmp_path_factory.mktemp("hostile")
    paths = []
    for i, (data, _) in enumerate(HOSTILE.values()):
        (folder / str(i)).mkdir()
        paths.append(folder / str(i) / "c.yaml")
        paths[-1].write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {name: (row[1], row[2]) for name, row in zip(HOSTILE, rows, strict=True)}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_config_is_told_within_bounds(
    name: str, told: dict[str, tuple[str, float]]
) -> None:
    """A clear error, in a gigabyte of memory, seconds, and a few dozen lines."""
    text, seconds = told[name]

    assert text.startswith("error: ")
    assert HOSTILE[name][1] in text
    assert seconds < MOST_S
    assert len(text.splitlines()) <= 60
    assert len(text) < 100_000


def sound(folder: Path) -> Path:
    """Write a config whose targets exist, with an anchor and a merge key."""
    (folder / "code.py").write_text("model = data = None\n")
    path = folder / "c.yaml"
    path.write_text(SOUND)
    return path


def test_what_editors_do_changes_nothing(tmp_path: Path) -> None:
    """CRLF, CR and a BOM give the same spec, anchors and merge keys what they stand for."""
    path = sound(tmp_path)
    plain = load(path).spec
    for data in (
        b"\xef\xbb\xbf" + SOUND.encode(),
        SOUND.replace("\n", "\r\n").encode(),
        SOUND.replace("\n", "\r").encode(),
    ):
        path.write_bytes(data)
        assert load(path).spec == plain

    assert plain.sweep.validation is not None
    assert (plain.sweep.validation.batch_size, plain.sweep.validation.batches) == (8, 2)


@pytest.mark.parametrize("command", ["run", "validate", "suggest", "plot"])
@pytest.mark.parametrize(
    ("path", "says"),
    [
        (".", "cannot be read: Is a directory"),
        ("/dev/zero", "is a device, not a file"),
        ("/dev/null", "is a device, not a file"),
        ("pipe", "is a pipe that brought nothing for 0.2 s"),
        ("loop", "cannot be read: Too many levels of symbolic links"),
        ("socket", "cannot be read: No such device or address"),
        ("x" * 300, "cannot be read: File name too long"),
    ],
)
def test_what_is_no_file_is_told_at_once(
    command: str,
    path: str,
    says: str,
    tmp_path: Path,
    lrfind: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A folder, a device, a pipe that nobody writes to, a link to itself: nothing hangs."""
    import socket

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lrfind.intake.SILENCE_S", 0.2)
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        outcome = lrfind(command, path)

    assert outcome.code == 2
    assert f"error: {path}: {says}" in outcome.err


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    """`lrfind run <(sed … config.yaml)` works: a pipe is as good as a file."""
    path = sound(tmp_path)
    expected = load(path).spec
    path.unlink()
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(SOUND,))
    writer.start()

    assert load(path).spec == expected
    writer.join()


def test_hundreds_of_problems_are_told_as_the_first_ones() -> None:
    """An error of a file that is no config stays readable."""
    problems = [Problem(f"c.yaml:{i}", "is wrong", "mend it") for i in range(500)]

    lines = show_error(ConfigError(*problems)).splitlines()

    assert len(lines) == 51
    assert lines[-1] == "500 problems, the first 50 of them above"
