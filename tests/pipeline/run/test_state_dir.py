"""Checks and locks of folders."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.errors import StateError
from pipeline.run.state_dir import MIN_FREE_BYTES, check_writable, exclusive

Mount = Callable[..., Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts disks in memory, if the system allows it."""
    folder = tmp_path / "disk"

    def mount_disk(*options: str) -> Path:
        folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
        if shutil.which("mount") is None:
            pytest.skip("there is no mount command")
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            pytest.skip(f"mounting is not possible here: {result.stderr.strip()}")
        return folder

    yield mount_disk
    if os.path.ismount(folder):
        subprocess.run(["umount", str(folder)], check=True)


# check_writable


def test_check_writable_makes_the_folder(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").is_dir()


def test_check_writable_leaves_nothing_behind(tmp_path: Path) -> None:
    check_writable(tmp_path)

    assert os.listdir(tmp_path) == []


def test_check_writable_keeps_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "run.lock").write_text("1")

    check_writable(tmp_path)

    assert (tmp_path / "run.lock").read_text() == "1"


@pytest.mark.parametrize("below", [".", "a", "a/b"])
def test_check_writable_refuses_files(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / below

    with pytest.raises(StateError, match=r"/file.*: cannot be written: ") as error:
        check_writable(folder)

    assert str(folder) in str(error.value)


def test_check_writable_refuses_a_broken_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "absent")

    with pytest.raises(StateError, match="link: cannot be written: "):
        check_writable(tmp_path / "link")


def test_check_writable_refuses_a_read_only_disk(mount: Mount) -> None:
    folder = mount("ro")

    with pytest.raises(StateError, match="disk: cannot be written: Read-only file system"):
        check_writable(folder)


def test_check_writable_refuses_a_full_disk(mount: Mount) -> None:
    folder = mount("size=64k")
    with pytest.raises(OSError, match="No space"):
        (folder / "rest").write_bytes(bytes(2**20))

    with pytest.raises(StateError, match="disk: cannot be written: No space left on device"):
        check_writable(folder)


def test_check_writable_refuses_a_nearly_full_disk(mount: Mount) -> None:
    folder = mount(f"size={MIN_FREE_BYTES - 2**20}")

    with pytest.raises(StateError, match="disk: the disk has 99 MB left; a run needs 100 MB"):
        check_writable(folder)


def test_check_writable_takes_just_enough_space(mount: Mount) -> None:
    check_writable(mount(f"size={MIN_FREE_BYTES + 2**20}"))


# exclusive

_HOLD = """
import sys, time
from pathlib import Path
from pipeline.run.state_dir import exclusive
with exclusive(Path(sys.argv[1]), print):
    print("held", flush=True)
    sys.stdin.readline()
"""


class Holder:
    """Another process that has locked a state folder."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _HOLD, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "held\n"


@contextmanager
def holding(folder: Path) -> Iterator[Holder]:
    holder = Holder(folder)
    with holder.process:
        yield holder
        holder.process.kill()


def test_exclusive_takes_a_free_folder_at_once(tmp_path: Path) -> None:
    said: list[str] = []

    for _ in range(2):
        with exclusive(tmp_path, said.append):
            pass

    assert said == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, None])
def test_exclusive_waits_and_says_so_once(tmp_path: Path, how: signal.Signals | None) -> None:
    said: list[str] = []
    order: list[str] = []
    with holding(tmp_path) as holder:

        def end() -> None:
            order.append("ended")
            if how is None:
                holder.process.communicate("\n")
            else:
                holder.process.send_signal(how)

        timer = threading.Timer(0.6, end)  # three polls later
        timer.start()
        with exclusive(tmp_path, said.append):
            order.append("held")
        timer.join()

        assert order == ["ended", "held"]
        process_id = holder.process.pid
    assert said == [f"waiting for another run in {tmp_path} (process {process_id})"]


def test_exclusive_unlocks_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"), exclusive(tmp_path, pytest.fail):
        raise ValueError("x")

    with exclusive(tmp_path, pytest.fail):
        pass


def test_exclusive_names_its_process(tmp_path: Path) -> None:
    (tmp_path / "run.lock").write_text("12345678 of a run before")

    with exclusive(tmp_path, pytest.fail):
        assert (tmp_path / "run.lock").read_text() == str(os.getpid())


def test_exclusive_holds_one_folder_only(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()

    with holding(tmp_path), exclusive(tmp_path / "other", pytest.fail):
        pass
