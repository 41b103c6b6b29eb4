"""A disk that is full, read-only or gone: told early where it can be known, and nothing is lost."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_runs import Run, project, rows_of

from lrfind.errors import ExitCode

CODE = """
    def step(model, batch, index):
        if reach(index, 60):
            while not os.path.exists("go"):
                time.sleep(0.01)
        time.sleep({pause})
        return ((model(batch) - 1) ** 2).mean()
"""


def mounted(folder: Path, options: str) -> bool:
    """Mount a file system of its own on a folder, where the machine lets us."""
    line = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if shutil.which("mount") is None:
        return False
    return subprocess.run(line, capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Give a small disk as `out`: 400 kB, of which nothing is used."""
    folder = tmp_path / "out"
    folder.mkdir()
    if not mounted(folder, "size=400k"):
        pytest.skip("mounting a file system needs rights that this machine does not give")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Leave no byte on a disk."""
    with (disk / "big").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def spare_of(err: str) -> Path:
    """Find the folder that was used instead."""
    return Path(err.split("everything was saved in ")[1].split(" instead")[0])


def test_a_full_disk_is_told_before_the_first_step(disk: Path) -> None:
    """Room for the files is claimed at the start: no step is taken that could not be kept."""
    fill(disk)

    done = Run(project(disk.parent, CODE.format(pause=0)), "run", "c.yaml").end()

    assert done.code == ExitCode.BAD_INPUT
    assert "out: is no folder that can be written to: No space left on device" in done.err
    assert not (disk.parent / "reached").exists()


def test_room_for_a_page_is_claimed_too(disk: Path) -> None:
    """A disk that would hold the three files, but no page beside them, is told at the start."""
    done = Run(project(disk.parent, CODE.format(pause=0)), "run", "c.yaml", "--html").end()

    assert done.code == ExitCode.BAD_INPUT
    assert "out: is no folder that can be written to: No space left on device" in done.err
    assert not (disk.parent / "reached").exists()


def test_a_page_that_finds_no_room_at_the_end_is_saved_elsewhere_with_the_rest(
    tmp_path: Path,
) -> None:
    """A disk fills up during the sweep: the page is where the other files are, and it is told."""
    (tmp_path / "out").mkdir()
    if not mounted(tmp_path / "out", "size=1m"):
        pytest.skip("mounting a file system needs rights that this machine does not give")
    try:
        folder = project(tmp_path, CODE.format(pause=0.015))
        run = Run(folder, "run", "c.yaml", "--html")
        run.wait_for_file()
        fill(tmp_path / "out")
        (folder / "go").touch()
        done = run.end()
    finally:
        subprocess.run(["umount", "-l", str(tmp_path / "out")], check=True)

    spare = spare_of(done.err)
    assert done.code == ExitCode.NOT_WRITTEN
    assert (spare / "report.html").read_text().endswith("</html>\n")
    shutil.rmtree(spare)


def test_a_read_only_disk_is_told_before_the_first_step(disk: Path) -> None:
    """A disk mounted read-only is refused with the system's reason."""
    if subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=False).returncode:
        pytest.skip("this file system cannot be made read-only")

    done = Run(project(disk.parent, CODE.format(pause=0)), "run", "c.yaml").end()

    assert done.code == ExitCode.BAD_INPUT
    assert "Read-only file system" in done.err
    assert not (disk.parent / "reached").exists()


def test_a_disk_that_fills_up_is_told_once_and_everything_saved_elsewhere(
    disk: Path,
) -> None:
    """The sweep goes on, the answer is printed, the files go where there is room: exit 74."""
    folder = project(disk.parent, CODE.format(pause=0.015))
    run = Run(folder, "run", "c.yaml")
    run.wait_for_file()
    fill(disk)
    (folder / "go").touch()
    done = run.end()

    spare = spare_of(done.err)
    assert done.code == ExitCode.NOT_WRITTEN
    assert done.out.startswith("lr ")
    assert done.err.count("warning: ") == 1
    assert "No space left on device" in done.err
    assert rows_of(spare / "curve.csv") > 100
    assert sorted(path.name for path in spare.iterdir()) == [
        "curve.csv",
        "curve.png",
        "report.json",
    ]
    shutil.rmtree(spare)


def test_a_step_that_fails_on_a_full_disk_loses_nothing(disk: Path) -> None:
    """The curve that its own folder did not take is in another, and the message says where."""
    code = CODE.format(pause=0.015).replace("return", "1 / (index - 150)\n        return")
    run = Run(project(disk.parent, code), "run", "c.yaml")
    run.wait_for_file()
    fill(disk)
    (disk.parent / "go").touch()
    done = run.end()

    spare = Path(done.err.split("what was measured so far is in ")[1].splitlines()[0])
    assert done.code == ExitCode.BAD_INPUT
    assert "ZeroDivisionError" in done.err
    assert rows_of(spare) == 149
    shutil.rmtree(spare.parent)


def test_a_folder_that_vanishes_is_made_again(tmp_path: Path) -> None:
    """Someone deletes the output folder meanwhile: told once, and the files are there after all."""
    folder = project(tmp_path, CODE.format(pause=0.015))
    run = Run(folder, "run", "c.yaml")
    run.wait_for_file()
    shutil.rmtree(folder / "out")
    (folder / "go").touch()
    done = run.end()

    assert done.code == ExitCode.OK, done.err
    assert done.err.count("warning: ") == 1
    assert "No such file or directory; name another folder" in done.err
    assert len(list((folder / "out").iterdir())) == 3


def test_a_limit_on_the_size_of_files_is_met_like_a_full_disk(tmp_path: Path) -> None:
    """`ulimit -f` is refused before the first step, without rights that only root has."""
    project(tmp_path, CODE.format(pause=0))
    done = subprocess.run(
        ["bash", "-c", f'ulimit -f 8; exec "{sys.executable}" -m lrfind run c.yaml'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == ExitCode.BAD_INPUT, done.stderr
    assert "File too large" in done.stderr
    assert not (tmp_path / "reached").exists()
