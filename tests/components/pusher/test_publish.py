"""Publishing a model as a new version."""

import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.pusher.versions import (
    PushRecord,
    list_versions,
    newest_push,
    publish,
)
from serving.models.columns import Column, read_columns

RECORD = PushRecord("a-push", "a-digest")


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_publish_copies_the_whole_model(model_dir: Path, push_dir: Path) -> None:
    version = publish(model_dir, push_dir, RECORD)

    files = files_of(push_dir / str(version))
    assert {name: files[name] for name in files_of(model_dir)} == files_of(model_dir)
    assert set(files) - set(files_of(model_dir)) == {"assets.extra/push.json"}


def test_publish_says_what_the_columns_held(model_dir: Path, push_dir: Path) -> None:
    columns = {"x": Column(2, True, 1, 3), "word": Column("ä", False, words=("a", "ä"))}

    version = publish(model_dir, push_dir, RECORD, columns)

    assert read_columns(push_dir / str(version)) == columns


def test_publish_keeps_assets_extra(model_dir: Path, push_dir: Path) -> None:
    (model_dir / "assets.extra").mkdir()
    (model_dir / "assets.extra" / "classes").write_text("ant\n")

    version = publish(model_dir, push_dir, RECORD)

    assert (push_dir / str(version) / "assets.extra" / "classes").read_text() == "ant\n"


def test_publish_names_the_version_by_the_time(model_dir: Path, push_dir: Path) -> None:
    before = int(time.time())

    version = publish(model_dir, push_dir, RECORD)

    assert before <= version <= time.time()


def test_publish_versions_rise_within_a_second(model_dir: Path, push_dir: Path) -> None:
    begun = time.monotonic()

    versions = [publish(model_dir, push_dir, RECORD) for _ in range(10)]

    assert time.monotonic() - begun < 1
    assert versions == sorted(set(versions))
    assert list_versions(push_dir) == versions


def test_publish_exceeds_a_version_in_the_future(model_dir: Path, push_dir: Path) -> None:
    ahead = int(time.time()) + 10**6
    (push_dir / str(ahead)).mkdir(parents=True)

    assert publish(model_dir, push_dir, RECORD) == ahead + 1


def test_publish_ignores_other_names(model_dir: Path, push_dir: Path) -> None:
    (push_dir / "99999999999999x").mkdir(parents=True)

    assert publish(model_dir, push_dir, RECORD) <= time.time()


def test_publish_removes_what_a_killed_push_left(model_dir: Path, push_dir: Path) -> None:
    leftover = push_dir / ".tmp-123" / "variables"
    leftover.mkdir(parents=True)
    (leftover / "variables.data").write_bytes(b"half")

    version = publish(model_dir, push_dir, RECORD)

    assert os.listdir(push_dir) == [str(version)]


def test_publish_leaves_older_versions_alone(model_dir: Path, push_dir: Path) -> None:
    first = publish(model_dir, push_dir, RECORD)
    before = files_of(push_dir / str(first))

    (model_dir / "saved_model.pb").write_bytes(b"another graph")
    publish(model_dir, push_dir, RECORD)

    assert files_of(push_dir / str(first)) == before


def test_publish_never_shows_a_partial_version(model_dir: Path, push_dir: Path) -> None:
    for index in range(50):
        (model_dir / "variables" / f"shard-{index}").write_bytes(bytes(1000))
    n_files = len(files_of(model_dir)) + 1  # plus the record
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


def test_publish_skips_a_number_just_taken(
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


def test_publish_raises_if_it_cannot_write(model_dir: Path, tmp_path: Path) -> None:
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
