"""Files are whole, folders are claimed before any work."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from lrfind.atomic import claim_folder, write_atomically
from lrfind.errors import OutputError


def test_a_file_is_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    """New and existing files end up with the data, and no temporary file stays."""
    path = tmp_path / "curve.csv"
    for data in (b"one", b"two" * 10_000):
        write_atomically(path, data)
        assert path.read_bytes() == data

    assert os.listdir(tmp_path) == ["curve.csv"]


def test_a_new_file_has_the_mode_that_the_user_wants(tmp_path: Path) -> None:
    """Permissions follow the umask, as for any other program's files."""
    umask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", b"")
    finally:
        os.umask(umask)

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Whatever happens before the last move, the old file is whole and nothing is left beside."""
    path = tmp_path / "curve.csv"
    path.write_bytes(b"old")

    def replace(self: Path, target: Path) -> None:
        raise error

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(OutputError if isinstance(error, OSError) else KeyboardInterrupt):
        write_atomically(path, b"new")

    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["curve.csv"]


@pytest.mark.parametrize("place", ["missing/curve.csv", "file/curve.csv", "folder"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, place: str) -> None:
    """The error names the path, the system's reason and the option to change."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    path = tmp_path / place
    with pytest.raises(OutputError, match=r"cannot be written: .*another folder") as caught:
        write_atomically(path, b"new")

    assert caught.value.problems[0].where == str(path)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_a_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    """Claiming makes the folder and leaves it empty."""
    folder = tmp_path / "runs" / "digits"
    claim_folder(folder, ("curve.csv",))

    assert folder.is_dir()
    assert not os.listdir(folder)


def test_a_folder_under_a_file_is_refused(tmp_path: Path) -> None:
    """A file where the folder should be is told before any work."""
    (tmp_path / "runs").write_text("")
    for folder in (tmp_path / "runs", tmp_path / "runs" / "digits"):
        with pytest.raises(
            OutputError, match=r"is no folder that can be written to.*another folder"
        ):
            claim_folder(folder, ("curve.csv",))


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """A folder called curve.csv would make the last write fail: told first."""
    (tmp_path / "curve.csv").mkdir()
    with pytest.raises(OutputError, match=r"curve\.csv: is a folder; a file must stand here"):
        claim_folder(tmp_path, ("report.json", "curve.csv"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    """A folder without write permission fails in the first second."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="is no folder that can be written to"):
            claim_folder(tmp_path, ("curve.csv",))
    finally:
        tmp_path.chmod(0o700)
