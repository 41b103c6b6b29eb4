"""The lock file: written readably, read back exactly, and never read wrongly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lock_project import LOCK, lock_of, make_project

from lrfind.errors import InputError
from lrfind.lock.files import lock_path, pinned_configs, read_lock, write_lock
from lrfind.lock.lock import Lock, from_json, to_json

RATES = st.floats(min_value=1e-300, max_value=1e300)
TEXTS = st.text(st.characters(codec="utf-8"))
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
LOCKS = st.builds(
    Lock,
    lr=RATES,
    swept_lr=st.none() | RATES,
    peak_lr=st.none() | RATES,
    low=st.none() | RATES,
    high=st.none() | RATES,
    method=TEXTS,
    verdict=TEXTS,
    reason=TEXTS,
    per_seed=st.dictionaries(st.integers(0, 2**32), st.none() | RATES, min_size=1),
    tolerance_decades=RATES,
    noise=st.dictionaries(st.integers(0, 2**32), RATES, min_size=1),
    noise_tolerance_decades=RATES,
    config=st.dictionaries(st.from_regex(r"[a-z][a-z.]*", fullmatch=True), DIGESTS),
    config_digest=DIGESTS,
    spec=st.dictionaries(TEXTS, st.none() | st.booleans() | st.integers() | RATES | TEXTS),
    sources=st.dictionaries(st.from_regex(r"(\.\./)*[a-z]+\.py", fullmatch=True), DIGESTS),
    curve_digest=DIGESTS,
    versions=st.dictionaries(TEXTS, TEXTS),
    device=TEXTS,
    pinned_at=st.datetimes(timezones=st.timezones()).map(lambda time: time.isoformat()),
)


@settings(deadline=None, max_examples=60)
@given(LOCKS)
def test_a_lock_comes_back_as_it_was(lock: Lock) -> None:
    """Written and read, every lock is itself, to the last bit of its LR."""
    assert from_json(to_json(lock)) == lock


def test_the_file_is_made_for_diffs() -> None:
    """Sorted keys, one value a line, a final newline: another LR is one changed line."""
    first = to_json(LOCK).splitlines(keepends=True)
    second = to_json(replace(LOCK, lr=0.0072)).splitlines(keepends=True)
    keys = list(json.loads("".join(first)))

    assert [a for a, b in zip(first, second, strict=True) if a != b] == ['  "lr": 0.0071,\n']
    assert keys == sorted(keys)
    assert all(line.count(":") <= 1 for line in first if "pinned_at" not in line)
    assert first[-1] == "}\n"


def test_a_lock_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    """Of every truncated lock the error names the file and says how to pin anew; no LR is read."""
    config = tmp_path / "c.yaml"
    whole = to_json(LOCK).encode()
    for length in range(len(whole) - 1):
        lock_path(config).write_bytes(whole[:length])
        told = r"c\.lrlock\.json(:\d+)?: is no lock: .*; pin anew: lrfind"
        with pytest.raises(InputError, match=told):
            read_lock(config)
    # All but the final newline is whole.
    lock_path(config).write_bytes(whole[:-1])

    assert read_lock(config) == LOCK


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_changed_byte_gives_no_other_lr_unless_it_is_the_lrs(data: st.DataObject) -> None:
    """Whatever single byte is damaged, the LR is the same, the one then written, or refused."""
    whole = to_json(LOCK).encode()
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at + 1 :]
    begin = whole.index(b'"lr": ') + len(b'"lr": ')
    end = whole.index(b",", begin)
    try:
        lock = from_json(damaged.decode())
    except ValueError:
        return

    written = damaged[begin:end] if begin <= at < end else whole[begin:end]
    assert lock.lr == float(written)


def damaged(**changes: Any) -> str:
    """Write the lock with some of its values replaced; `...` takes a key out."""
    values = json.loads(to_json(LOCK)) | changes
    return json.dumps({key: value for key, value in values.items() if value is not ...})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Expecting value"),
        ("[]", "schema 'list' is not 1"),
        ("null", "schema 'NoneType' is not 1"),
        (damaged(schema=2), "schema 2 is not 1"),
        (damaged(lr=...), "lr is missing"),
        (damaged(lr=0), "lr = 0 is not positive"),
        (damaged(lr=-1e-3), "lr = -0.001 is not positive"),
        (damaged(lr="1e-3"), 'lr = "1e-3" is no number'),
        (damaged(lr=True), "lr = true is no number"),
        (damaged(lr=None), "lr = null is no number"),
        (damaged(lr=[1e-3]), "is no number"),
        (damaged(lr=10**400), "lr = 1000"),
        (damaged().replace('"lr": 0.0071', '"lr": NaN'), "NaN is no number"),
        (damaged().replace('"lr": 0.0071', '"lr": Infinity'), "Infinity is no number"),
        (damaged().replace('"lr": 0.0071', '"lr": 1e999'), "is not positive and finite"),
        (damaged().replace('"lr": 0.0071', '"lr": 0,0071'), "Expecting property name"),
        (damaged().replace('"lr":', '"lr": 1, "lr":'), "'lr' stands there twice"),
        (damaged(tolerance_decades=-1), "tolerance_decades = -1"),
        (damaged(per_seed={}), "names no seed"),
        (damaged(per_seed={"a": 1.0}), "no whole number"),
        (damaged(noise={"0": 0}), "is not positive"),
        (damaged(noise={"0": None}), "is no number"),
        (damaged(per_seed=[1.0]), "is no mapping"),
        (damaged(config_digest="abc"), "no SHA-256"),
        (damaged(sources={"/etc/passwd": "2" * 64}), "no relative path"),
        (damaged(sources={"C:\\x.py": "2" * 64}), "no relative path"),
        (damaged(pinned_at="yesterday"), "pinned_at"),
        (damaged(pinned_at="2026-01-02"), "no time zone"),
        (damaged(versions={"torch": 2}), "is no text"),
        ("[" * 100_000, "is no lock"),
        ("\ufeff{}", "BOM"),
    ],
)
def test_damage_is_told(text: str, told: str, tmp_path: Path) -> None:
    """Every kind of damage is refused with the value and the rule it breaks."""
    config = tmp_path / "c.yaml"
    lock_path(config).write_text(text, encoding="utf-8")

    with pytest.raises(InputError) as error:
        read_lock(config)
    assert told in str(error.value)


def test_a_lock_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    """The error of a missing lock ends with the command that writes it."""
    with pytest.raises(InputError, match=r"there is no lock of .*pin it: lrfind pin"):
        read_lock(tmp_path / "c.yaml")


def test_a_folder_gives_its_pinned_configs(tmp_path: Path) -> None:
    """Configs with a lock are found at any depth, hidden folders left out."""
    for folder in ("a", "b/deep", ".hidden"):
        config = make_project(tmp_path / folder)
        write_lock(lock_of(config), config)
    make_project(tmp_path / "unpinned")
    (tmp_path / "a" / "c.yaml").rename(tmp_path / "a" / "c.yml")

    found = [str(path.relative_to(tmp_path)) for path in pinned_configs(tmp_path)]

    assert sorted(found) == ["a/c.yml", "b/deep/c.yaml"]


WRITER = """
import sys
from pathlib import Path
from dataclasses import replace
from lock_project import LOCK
from lrfind.lock.files import write_lock
print("ready", flush=True)
lr = float(sys.argv[2])
while True:
    write_lock(replace(LOCK, lr=lr), Path(sys.argv[1]))
"""


def test_two_writers_one_of_them_killed_leave_whole_locks(tmp_path: Path) -> None:
    """Whatever two processes write at once, and wherever one is killed, a reader sees a whole lock
    of one of them."""
    config = tmp_path / "c.yaml"
    write_lock(LOCK, config)
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    for _ in range(3):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(config), str(lr)],
                env={**os.environ, "PYTHONPATH": path},
                stdout=subprocess.PIPE,
            )
            for lr in (1e-3, 2e-3)
        ]
        try:
            for writer in writers:
                assert writer.stdout is not None
                writer.stdout.readline()
            seen = {read_lock(config).lr for _ in range(200)}
            writers[0].send_signal(signal.SIGKILL)
            seen |= {read_lock(config).lr for _ in range(50)}
        finally:
            for writer in writers:
                writer.kill()
                writer.communicate()

        assert seen <= {LOCK.lr, 1e-3, 2e-3}
        assert read_lock(config).lr in (1e-3, 2e-3)
