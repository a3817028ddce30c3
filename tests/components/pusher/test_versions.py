"""The serving folder."""

import multiprocessing
import os
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from itertools import count, groupby
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.pusher import versions as module
from components.pusher.versions import (
    PushRecord,
    digest_model,
    held,
    list_versions,
    newest_push,
    publish,
    rolled_back_version,
)
from serving.models.columns import Column, read_columns

RECORD = PushRecord("a-push", "a-digest")


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    model_dir = tmp_path / "model"
    (model_dir / "variables").mkdir(parents=True)
    (model_dir / "saved_model.pb").write_bytes(b"graph")
    (model_dir / "variables" / "variables.index").write_bytes(b"index")
    return model_dir


@pytest.fixture
def push_dir(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "serving"


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


# list_versions, newest_push


@pytest.mark.parametrize(
    ("names", "versions"),
    [
        ([], []),
        (["10", "9", "100"], [9, 10, 100]),
        (["1", ".tmp-2", "latest", "3.0", "-4", "5a", ""], [1]),
    ],
)
def test_list_versions_gives_the_numbers_in_order(
    push_dir: Path, names: list[str], versions: list[int]
) -> None:
    for name in names:
        (push_dir / name).mkdir(parents=True, exist_ok=True)

    assert list_versions(push_dir) == versions


def test_newest_push_gives_nothing_without_a_version(push_dir: Path) -> None:
    assert newest_push(push_dir) == (None, None)


def test_newest_push_gives_no_record_of_a_version_of_another_pusher(push_dir: Path) -> None:
    (push_dir / "7").mkdir(parents=True)

    assert newest_push(push_dir) == (7, None)


def test_newest_push_reads_the_record_of_the_newest_version(
    model_dir: Path, push_dir: Path
) -> None:
    publish(model_dir, push_dir, PushRecord("older", "x"))
    version = publish(model_dir, push_dir, RECORD)

    assert newest_push(push_dir) == (version, RECORD)


def test_newest_push_reads_a_record_that_knows_of_no_promotions(push_dir: Path) -> None:
    (push_dir / "7" / "assets.extra").mkdir(parents=True)
    record = '{"push_id": "a-push", "model_digest": "a-digest"}'
    (push_dir / "7" / "assets.extra" / "push.json").write_text(record)

    assert newest_push(push_dir) == (7, RECORD)


# rolled_back_version


@pytest.mark.parametrize(
    ("history", "model", "index"),
    [
        ([], "b", None),
        ([("a", None), ("b", None)], "a", None),  # settings changed back
        ([("a", None), ("b", None), ("a", 1)], "a", None),  # it is served
        ([("a", None), ("b", None), ("a", 1)], "c", None),  # it is new
        ([("a", None), ("b", None), ("a", 1)], "b", 1),
        ([("a", None), ("b", None), ("a", 1), ("b", 2), ("a", 1)], "b", 3),
        ([("a", None), ("b", None), ("a", 1), ("c", None)], "b", None),
    ],
)
def test_rolled_back_version_is_that_which_a_promotion_has_replaced(
    model_dir: Path,
    push_dir: Path,
    history: list[tuple[str, int | None]],
    model: str,
    index: int | None,
) -> None:
    versions = [
        publish(model_dir, push_dir, PushRecord(f"{number}", digest, promoted_from))
        for number, (digest, promoted_from) in enumerate(history)
    ]

    found = rolled_back_version(push_dir, model)

    assert found == (None if index is None else versions[index])


def test_rolled_back_version_passes_over_those_of_another_pusher(
    model_dir: Path, push_dir: Path
) -> None:
    (push_dir / "7").mkdir(parents=True)
    publish(model_dir, push_dir, PushRecord("a-push", "a", 7))

    assert rolled_back_version(push_dir, "b") is None


# publish


def test_publish_copies_the_whole_model(model_dir: Path, push_dir: Path) -> None:
    version = publish(model_dir, push_dir, RECORD)

    files = files_of(push_dir / str(version))
    assert {name: files[name] for name in files_of(model_dir)} == files_of(model_dir)
    assert set(files) - set(files_of(model_dir)) == {"assets.extra/push.json"}


def test_publish_says_what_the_columns_held(model_dir: Path, push_dir: Path) -> None:
    columns = {"x": Column(2, True, 1, 3), "word": Column("ä", False, words=("a", "ä"))}

    version = publish(model_dir, push_dir, RECORD, columns)

    assert read_columns(push_dir / str(version)) == columns


def test_publish_keeps_what_the_model_has_in_assets_extra(model_dir: Path, push_dir: Path) -> None:
    (model_dir / "assets.extra").mkdir()
    (model_dir / "assets.extra" / "classes").write_text("ant\n")

    version = publish(model_dir, push_dir, RECORD)

    assert (push_dir / str(version) / "assets.extra" / "classes").read_text() == "ant\n"


def test_publish_takes_the_time_in_seconds_for_version(model_dir: Path, push_dir: Path) -> None:
    before = int(time.time())

    version = publish(model_dir, push_dir, RECORD)

    assert before <= version <= time.time()


def test_publish_gives_rising_versions_within_a_second(model_dir: Path, push_dir: Path) -> None:
    begun = time.monotonic()

    versions = [publish(model_dir, push_dir, RECORD) for _ in range(10)]

    assert time.monotonic() - begun < 1
    assert versions == sorted(set(versions))
    assert list_versions(push_dir) == versions


def test_publish_exceeds_a_version_that_is_ahead_of_the_clock(
    model_dir: Path, push_dir: Path
) -> None:
    ahead = int(time.time()) + 10**6
    (push_dir / str(ahead)).mkdir(parents=True)

    assert publish(model_dir, push_dir, RECORD) == ahead + 1


def test_publish_takes_no_other_name_for_a_version(model_dir: Path, push_dir: Path) -> None:
    (push_dir / "99999999999999x").mkdir(parents=True)

    assert publish(model_dir, push_dir, RECORD) <= time.time()


def test_publish_removes_what_a_killed_push_left(model_dir: Path, push_dir: Path) -> None:
    leftover = push_dir / ".tmp-123" / "variables"
    leftover.mkdir(parents=True)
    (leftover / "variables.data").write_bytes(b"half")

    version = publish(model_dir, push_dir, RECORD)

    assert os.listdir(push_dir) == [str(version)]


def test_publish_leaves_older_versions_as_they_are(model_dir: Path, push_dir: Path) -> None:
    first = publish(model_dir, push_dir, RECORD)
    before = files_of(push_dir / str(first))

    (model_dir / "saved_model.pb").write_bytes(b"another graph")
    publish(model_dir, push_dir, RECORD)

    assert files_of(push_dir / str(first)) == before


def test_publish_never_shows_a_reader_a_version_in_part(model_dir: Path, push_dir: Path) -> None:
    for index in range(50):
        (model_dir / "variables" / f"shard-{index}").write_bytes(bytes(1000))
    n_files = len(files_of(model_dir)) + 1  # and the record
    found: dict[str, set[int]] = {}
    done = threading.Event()

    def poll() -> None:
        while not done.is_set():
            for version in list_versions(push_dir):
                found.setdefault(str(version), set()).add(len(files_of(push_dir / str(version))))

    reader = threading.Thread(target=poll)
    reader.start()
    versions = [publish(model_dir, push_dir, RECORD) for _ in range(10)]
    time.sleep(0.05)
    done.set()
    reader.join()

    assert found == {str(version): {n_files} for version in versions}


def test_publish_takes_the_next_number_where_another_pusher_takes_one_first(
    model_dir: Path, push_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Path] = []
    rename = Path.rename

    def rename_too_late(self: Path, target: Path) -> Path:
        if not taken:
            taken.append(target)
            shutil.copytree(model_dir, target)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", rename_too_late)

    version = publish(model_dir, push_dir, RECORD)

    assert version > int(taken[0].name)
    assert files_of(taken[0]) == files_of(model_dir)
    assert newest_push(push_dir) == (version, RECORD)


# processes that push at once, or are killed

_FORK = multiprocessing.get_context("fork")  # spares each child the imports


def publish_again_and_again(model_dir: Path, push_dir: Path, times: int) -> None:
    for _ in range(times):
        with held(push_dir):
            publish(model_dir, push_dir, PushRecord("by-a-child", digest_model(model_dir)))


def run_to_end(target: Callable[..., None], *arguments: Any) -> int | None:
    """Runs a function in a process of its own, and gives the exit code."""
    process = _FORK.Process(target=target, args=arguments)
    process.start()
    process.join()
    return process.exitcode


def assert_whole(push_dir: Path) -> None:
    """Asserts that every version is one that was pushed, with all of its files."""
    for version in list_versions(push_dir):
        record = module.read_push(push_dir, version)
        assert record is not None
        assert digest_model(push_dir / str(version)) == record.model_digest


def test_pushes_at_once_give_each_its_own_version(model_dir: Path, push_dir: Path) -> None:
    arguments = (model_dir, push_dir, 10)
    children = [_FORK.Process(target=publish_again_and_again, args=arguments) for _ in range(4)]

    for child in children:
        child.start()
    for child in children:
        child.join()

    assert [child.exitcode for child in children] == [0] * 4
    assert len(list_versions(push_dir)) == 40
    assert_whole(push_dir)
    assert sorted(os.listdir(push_dir))[0] == ".lock"
    assert len(os.listdir(push_dir)) == 41


_HARMLESS = {"fspath", "lstat", "scandir", "listdir", "stat", "fstat", "is_dir", "is_symlink"}


def die_at_call(model_dir: Path, push_dir: Path, number: int) -> None:
    """Publishes, and dies before the call of this number that changes files, as a kill has it."""
    calls = count()

    def profile(_: FrameType, event: str, function: Any) -> None:
        of_system = getattr(function, "__module__", None) in ("posix", "fcntl", "io")
        is_change = of_system and function.__name__ not in _HARMLESS
        if event != "c_call" or not (is_change or function.__name__ == "write"):
            return
        if next(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(profile)
    publish_again_and_again(model_dir, push_dir, 1)
    sys.setprofile(None)


def test_publish_killed_at_any_call_leaves_the_old_version_or_the_new_one(
    model_dir: Path, push_dir: Path, tmp_path: Path
) -> None:
    old = publish(model_dir, push_dir, PushRecord("old", digest_model(model_dir)))
    shutil.copytree(model_dir, push_dir / ".tmp-1")  # which is removed first
    before = shutil.copytree(push_dir, tmp_path / "before")
    (model_dir / "saved_model.pb").write_bytes(b"another graph")
    outcomes: list[tuple[int, int]] = []

    while (code := run_to_end(die_at_call, model_dir, push_dir, len(outcomes))) != 0:
        assert code == -signal.SIGKILL
        assert_whole(push_dir)
        assert list_versions(push_dir)[0] == old
        outcomes.append((len(list(push_dir.glob(".tmp-*"))), len(list_versions(push_dir))))
        shutil.rmtree(push_dir)
        shutil.copytree(before, push_dir)

    # What was left is there; it is gone; the copy is there; it has become the new version.
    assert [key for key, _ in groupby(outcomes)] == [(1, 1), (0, 1), (1, 1), (0, 2)]
    assert len(outcomes) > 40
    assert not list(push_dir.glob(".tmp-*"))


def test_publish_killed_at_any_time_leaves_whole_versions(model_dir: Path, push_dir: Path) -> None:
    for index in range(20):
        (model_dir / "variables" / f"shard-{index}").write_bytes(bytes(10_000))
    seen: set[str] = set()
    delays = random.Random(7)

    for _ in range(30):
        child = _FORK.Process(
            target=publish_again_and_again, args=(model_dir, push_dir, sys.maxsize)
        )
        child.start()
        time.sleep(delays.uniform(0.02, 0.1))
        child.kill()
        child.join()
        assert_whole(push_dir)
        seen |= {name[:4] for name in os.listdir(push_dir)}
        version = list_versions(push_dir)[-1:]
        publish_again_and_again(model_dir, push_dir, 1)
        assert list_versions(push_dir)[-1:] > version
        assert not list(push_dir.glob(".tmp-*"))

    assert ".tmp" in seen  # else no kill came in the midst of a push


def test_publish_says_that_a_folder_cannot_be_written(model_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="file"):
        publish(model_dir, tmp_path / "file" / "serving", RECORD)


@settings(max_examples=20)
@given(st.builds(PushRecord, st.text(), st.text(max_size=5), st.none() | st.integers(0)))
def test_push_record_survives_the_folder(
    tmp_path_factory: pytest.TempPathFactory, record: PushRecord
) -> None:
    folder = tmp_path_factory.mktemp("push")

    (folder / "model").mkdir()

    publish(folder / "model", folder / "serving", record)

    assert newest_push(folder / "serving")[1] == record


# digest_model


def test_digest_model_of_a_pushed_version_is_that_of_the_model(
    model_dir: Path, push_dir: Path
) -> None:
    version = publish(model_dir, push_dir, RECORD, {"x": Column(1.0, required=True)})

    assert digest_model(push_dir / str(version)) == digest_model(model_dir)


def test_digest_model_is_the_same_for_the_same_files_elsewhere(
    model_dir: Path, tmp_path: Path
) -> None:
    digest = digest_model(model_dir)

    assert digest_model(model_dir.rename(tmp_path / "moved")) == digest


def _change(model_dir: Path) -> None:
    (model_dir / "saved_model.pb").write_bytes(b"grapj")


def _add(model_dir: Path) -> None:
    (model_dir / "new").write_bytes(b"")


def _remove(model_dir: Path) -> None:
    (model_dir / "saved_model.pb").unlink()


def _rename(model_dir: Path) -> None:
    (model_dir / "saved_model.pb").rename(model_dir / "saved_model.pc")


def _move(model_dir: Path) -> None:
    (model_dir / "saved_model.pb").rename(model_dir / "variables" / "saved_model.pb")


@pytest.mark.parametrize("change", [_change, _add, _remove, _rename, _move])
def test_digest_model_changes_with_the_files(
    model_dir: Path, change: Callable[[Path], None]
) -> None:
    digest = digest_model(model_dir)

    change(model_dir)

    assert digest_model(model_dir) != digest
