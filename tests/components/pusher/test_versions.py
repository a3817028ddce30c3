"""Versions in the serving folder, and digests of models."""

from collections.abc import Callable
from pathlib import Path

import pytest

from components.pusher.versions import (
    PushRecord,
    digest_model,
    list_versions,
    newest_push,
    publish,
    rolled_back_version,
)
from serving.models.columns import Column

RECORD = PushRecord("a-push", "a-digest")


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


def test_newest_push_is_none_without_versions(push_dir: Path) -> None:
    assert newest_push(push_dir) == (None, None)


def test_newest_push_has_no_foreign_record(push_dir: Path) -> None:
    (push_dir / "7").mkdir(parents=True)

    assert newest_push(push_dir) == (7, None)


def test_newest_push_reads_the_newest_record(model_dir: Path, push_dir: Path) -> None:
    publish(model_dir, push_dir, PushRecord("older", "x"))
    version = publish(model_dir, push_dir, RECORD)

    assert newest_push(push_dir) == (version, RECORD)


def test_newest_push_reads_old_records(push_dir: Path) -> None:
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
def test_rolled_back_version_finds_the_version(
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


def test_rolled_back_version_skips_foreign_pushes(model_dir: Path, push_dir: Path) -> None:
    (push_dir / "7").mkdir(parents=True)
    publish(model_dir, push_dir, PushRecord("a-push", "a", 7))

    assert rolled_back_version(push_dir, "b") is None


# digest_model


def test_digest_model_ignores_the_files_of_a_push(model_dir: Path, push_dir: Path) -> None:
    version = publish(model_dir, push_dir, RECORD, {"x": Column(1.0, required=True)})

    assert digest_model(push_dir / str(version)) == digest_model(model_dir)


def test_digest_model_ignores_the_folder(model_dir: Path, tmp_path: Path) -> None:
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
