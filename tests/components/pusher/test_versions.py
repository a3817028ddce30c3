"""The serving folder."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.pusher.versions import (
    PushRecord,
    digest_model,
    list_versions,
    newest_push,
    publish,
)
from serving.columns import Column, read_columns

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
    versions = [publish(model_dir, push_dir, RECORD) for _ in range(3)]

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


_PUBLISH = """
import sys
from components.pusher.versions import PushRecord, publish
publish(sys.argv[1], sys.argv[2], PushRecord("killed", ""))
"""


def test_publish_killed_in_its_midst_leaves_no_version(model_dir: Path, push_dir: Path) -> None:
    for index in range(3000):
        (model_dir / "variables" / f"shard-{index}").write_bytes(bytes(10_000))
    process = subprocess.Popen([sys.executable, "-c", _PUBLISH, str(model_dir), str(push_dir)])
    while process.poll() is None and not list(push_dir.glob("*/variables/shard-*")):
        time.sleep(0.001)

    process.send_signal(signal.SIGKILL)

    assert process.wait() == -signal.SIGKILL  # else it was too quick for this test
    assert os.listdir(push_dir) != []
    assert list_versions(push_dir) == []


def test_publish_says_that_a_folder_cannot_be_written(model_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="file"):
        publish(model_dir, tmp_path / "file" / "serving", RECORD)


@settings(max_examples=20)
@given(st.text(), st.text(max_size=5))
def test_push_record_survives_the_folder(
    tmp_path_factory: pytest.TempPathFactory, push_id: str, digest: str
) -> None:
    folder = tmp_path_factory.mktemp("push")
    record = PushRecord(push_id, digest)

    (folder / "model").mkdir()

    publish(folder / "model", folder / "serving", record)

    assert newest_push(folder / "serving")[1] == record


# digest_model


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
