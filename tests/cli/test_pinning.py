"""`lrfind pin`, `check` and `get` as CI uses them, in a git clone and processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path += [str(Path(__file__).parents[1] / name) for name in ("lock", "faults")]

from fault_runs import Run
from lock_project import lock_of, make_project, run
from test_lazy_imports import HEAVY, loaded

from lrfind.errors import ExitCode
from lrfind.lock.files import lock_path, read_lock, write_lock


def git(folder: Path, *arguments: str) -> None:
    """Run git as somebody, whatever this machine's own settings are."""
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main"]
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *who, *arguments], cwd=folder, env=env, check=True, capture_output=True)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of a repository whose LR was pinned and committed."""
    origin = tmp_path_factory.mktemp("origin")
    make_project(origin)
    git(origin, "init", "-q")
    pinned = run("pin", "c.yaml", "-q", cwd=origin)
    assert pinned.returncode == ExitCode.OK, pinned.stderr
    (origin / ".gitignore").write_text("__pycache__\n")
    git(origin, "add", "-A")
    git(origin, "commit", "-qm", "pin")
    folder = tmp_path_factory.mktemp("clone")
    git(folder, "clone", "-q", str(origin), ".")
    return folder


def test_a_pin_lives_through_a_clone(clone: Path) -> None:
    """Pinned and committed, a clone is good; a changed width is stale and names the file; put back
    it is good again; a tenfold LR drifts by a decade."""
    source, lock = clone / "src" / "train.py", clone / "c.lrlock.json"
    whole, text = source.read_text(), lock.read_text()

    good = run("check", "c.yaml", "--format", "json", cwd=clone)
    assert good.returncode == ExitCode.OK, good.stdout + good.stderr
    assert json.loads(good.stdout)["checks"][0]["decades"] == 0

    source.write_text(whole.replace("WIDTH = 16", "WIDTH = 64"))
    stale = run("check", "c.yaml", "--no-run", cwd=clone)
    at_once = run("check", "c.yaml", cwd=clone)
    assert stale.returncode == at_once.returncode == ExitCode.DRIFT
    assert stale.stdout == at_once.stdout
    assert "source: src/train.py changed" in stale.stdout

    source.write_text(whole)
    assert run("check", "c.yaml", "--no-run", cwd=clone).returncode == ExitCode.OK

    lr = json.loads(text)["lr"]
    lock.write_text(text.replace(f'"lr": {lr!r}', f'"lr": {10 * lr!r}', 1))
    drifted = run("check", "c.yaml", "-q", cwd=clone)
    lock.write_text(text)
    assert drifted.returncode == ExitCode.DRIFT
    assert "1.00 decades below, tolerance" in " ".join(drifted.stdout.split())
    assert drifted.stdout.splitlines()[1].startswith("drifted")


def test_the_lock_holds_what_a_later_check_needs(clone: Path) -> None:
    """Five seeds, the digests of config and sources, versions; the bytes hold no machine's path."""
    lock, text = read_lock(clone / "c.yaml"), (clone / "c.lrlock.json").read_text()

    assert len(lock.per_seed) == 5
    assert lock.sources.keys() == {"src/train.py"}
    assert lock.config.keys() == {"c.yaml"}
    assert lock.versions.keys() == {"lrfind", "python", "torch"}
    assert lock.spec["sweep.seeds"] == 3
    assert 0.05 < lock.tolerance_decades < 1
    assert lock.low is not None
    assert lock.high is not None
    assert lock.low <= lock.lr <= lock.high
    assert str(Path.home()) not in text
    assert "origin" not in text


def test_get_prints_one_number(clone: Path) -> None:
    """The exact LR and a newline, from any folder, for `$(…)` and for Python."""
    got = run("get", clone / "c.yaml", cwd=Path("/"))

    assert got.stdout == f"{read_lock(clone / 'c.yaml').lr!r}\n"
    assert got.stderr == ""


@pytest.mark.parametrize("command", [["get", "c.yaml"], ["check", "c.yaml", "--no-run"]])
def test_what_needs_no_run_needs_no_torch(command: list[str], clone: Path) -> None:
    """No torch, numpy, validator, YAML reader, rich, nor the project itself is imported."""
    packages = loaded(*command, folder=clone)

    assert packages & (HEAVY | {"ruamel", "pydantic", "rich", "multiprocessing", "train"}) == set()


def test_check_verifies_by_training(clone: Path) -> None:
    """`--verify` trains at the pin and to either side, and tells where that ended."""
    found = run("check", "c.yaml", "--verify", "-q", "--format", "json", cwd=clone)
    check = json.loads(found.stdout)["checks"][0]
    lr = read_lock(clone / "c.yaml").lr

    assert found.returncode == ExitCode.OK, found.stdout
    assert [trial["lr"] for trial in check["trials"]] == pytest.approx([lr / 3, lr, 3 * lr])
    assert any(text.startswith("trials end at") for text in check["findings"])


def test_one_bad_config_does_not_stop_the_others(
    lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """A folder gives a row a pin: damaged, unreadable, stale and good; the worst decides."""
    for name in "abcd":
        config = make_project(tmp_path / name)
        write_lock(lock_of(config), config)
    lock_path(tmp_path / "a/c.yaml").write_text("{")
    (tmp_path / "b/c.yaml").write_text("model: [\n")
    (tmp_path / "c/c.yaml").unlink()
    (tmp_path / "d/src/train.py").unlink()
    config = make_project(tmp_path / "e")
    write_lock(lock_of(config), config)

    some = lrfind("check", tmp_path, "--no-run", "--format", "json")
    data = json.loads(some.out)

    assert [check["state"] for check in data["checks"]] == [
        "bad input",
        "bad input",
        "bad input",
        "stale",
        "good",
    ]
    assert some.code == data["exit_code"] == ExitCode.BAD_INPUT
    assert lrfind("check", tmp_path / "e", tmp_path / "d", "--no-run").code == ExitCode.DRIFT


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["pin", "c.yaml", "--lr", "1e-3"], "--lr 0.001: needs --reason"),
        (["pin", "c.yaml", "--reason", "why"], "--reason: needs --lr"),
        (["pin", "c.yaml", "--lr", "0", "--reason", "why"], "--lr: = 0.0 must be positive"),
        (["pin", "c.yaml", "--lr", "nan", "--reason", "why"], "--lr: = nan must be positive"),
        (["check", "c.yaml", "--verify", "--no-run"], "--verify: trains, which --no-run rules out"),
        (["check", "c.yaml", "--max-age", "1y"], "max age: = '1y' is no age"),
        (["check", "src"], "src: holds no *.lrlock.json"),
        (["get", "c.yaml"], "c.lrlock.json: there is no lock of c.yaml; pin it: lrfind pin c.yaml"),
    ],
)
def test_wrong_use_is_told(
    arguments: list[str],
    told: str,
    lrfind: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Options that do not go together, and locks that are not there, are wrong input."""
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)

    outcome = lrfind(*arguments)

    assert outcome.code == ExitCode.BAD_INPUT
    assert told in outcome.err
    assert outcome.out == ""


def test_get_refuses_a_stale_pin_where_told(lrfind: Callable[..., Any], tmp_path: Path) -> None:
    """`--strict` and `--max-age` print no number for a stale pin, and exit with 1."""
    config = make_project(tmp_path)
    write_lock(lock_of(config, pinned_at="2020-01-01T00:00:00+00:00"), config)

    assert lrfind("get", config, "--strict").code == ExitCode.OK
    old = lrfind("get", config, "--max-age", "1d")
    (tmp_path / "src/train.py").write_text("")
    stale = lrfind("get", config, "--strict")

    assert (old.code, stale.code) == (ExitCode.DRIFT, ExitCode.DRIFT)
    assert old.out == stale.out == ""
    assert "its pin is stale: source: " in stale.err


def test_a_pin_by_hand_holds_its_reason_and_what_was_found(
    lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """`--lr` pins that LR; a check compares the sweeps with what they said then."""
    config = make_project(tmp_path)

    pinned = lrfind("pin", config, "--lr", "1e-4", "--reason", "as in\nthe paper", "-q")
    checked = lrfind("check", config, "-q")
    lock = read_lock(config)

    assert pinned.code == checked.code == ExitCode.OK
    assert lrfind("get", config).out == "0.0001\n"
    assert (lock.lr, lock.reason, lock.is_by_hand) == (1e-4, "as in the paper", True)
    assert lock.swept_lr is not None
    assert lock.swept_lr > 1e-3
    assert "0.00 decades" in checked.out


def test_no_honest_answer_leaves_the_old_lock(lrfind: Callable[..., Any], tmp_path: Path) -> None:
    """Sweeps without an answer exit with 3: nothing is pinned, and a check is inconclusive."""
    config = make_project(tmp_path)
    config.write_text(config.read_text() + "optimizer: sgd\n")
    write_lock(lock_of(config), config)
    before = lock_path(config).read_bytes()
    source = tmp_path / "src" / "train.py"
    source.write_text(
        source.read_text().replace("nn.Linear(WIDTH, 2)", "nn.Linear(WIDTH, 2), Flat()") + FLAT
    )

    pinned = lrfind("pin", config, "-q")
    assert lock_path(config).read_bytes() == before
    write_lock(lock_of(config), config)
    checked = lrfind("check", config, "-q")

    assert (pinned.code, checked.code) == (ExitCode.NO_SUGGESTION, ExitCode.NO_SUGGESTION)
    assert checked.out.splitlines()[1].startswith("inconclusive")


FLAT = """
class Flat(nn.Module):
    def forward(self, x): return 0 * x
"""


def test_a_pin_that_is_killed_leaves_the_old_lock(tmp_path: Path) -> None:
    """SIGKILL and Ctrl-C in the middle of a pin change no byte of the lock."""
    config = make_project(tmp_path)
    config.write_text(config.read_text().replace("seeds: 3", "seeds: 500"))
    write_lock(lock_of(config), config)
    before = lock_path(config).read_bytes()
    for wanted, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, ExitCode.INTERRUPTED)):
        process = Run(tmp_path, "pin", "c.yaml")
        process.wait_for(lambda: "seed 2/500" in (tmp_path / "stderr").read_text())
        process.send(wanted.name)
        ended = process.end()

        assert ended.code == code
        assert ended.err.startswith("seed 1/500")
        assert "Traceback" not in ended.err
        assert lock_path(config).read_bytes() == before


def test_a_lock_that_cannot_be_written_is_told_before_the_first_step(
    lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """A folder in the place of the lock is told at once; nothing is trained."""
    config = make_project(tmp_path)
    lock_path(config).mkdir()

    outcome = lrfind("pin", config)

    assert outcome.code == ExitCode.BAD_INPUT
    assert "is a folder; a file must stand here" in outcome.err
    assert "seed 1" not in outcome.err
