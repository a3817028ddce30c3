"""Listing of versions, and detection of changed files."""

import os
from pathlib import Path

import pytest

from serving.errors import ModelLoadError
from serving.models.folders import fingerprint, list_versions


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "base" / "1" / "variables").mkdir(parents=True)
    (tmp_path / "base" / "1" / "saved_model.pb").write_text("a")
    (tmp_path / "base" / "1" / "variables" / "index").write_text("b")
    return tmp_path / "base"


def test_list_versions_sorts_newest_first(base: Path) -> None:
    names = ["10", "0007", "9223372036854775807", "2"]
    others = [".tmp-3", "9223372036854775808", "9" * 200, "-1", "+4", "1.5", "\u0663", "a", "4 "]
    for name in [*names, *others]:
        (base / name).mkdir()
    (base / "12").write_text("no folder")
    found = list_versions(base)
    assert list(found) == [9223372036854775807, 10, 7, 2, 1]
    assert found[7] == base / "0007"


def test_list_versions_prefers_the_shorter_name(base: Path) -> None:
    (base / "01").mkdir()
    assert list_versions(base) == {1: base / "1"}


def test_list_versions_is_empty_without_folder(tmp_path: Path) -> None:
    assert list_versions(tmp_path / "gone") == {}


def test_fingerprint_detects_changes(base: Path) -> None:
    path = base / "1"
    states = [fingerprint(path, base)]
    assert fingerprint(path, base) == states[0]
    (path / "variables" / "data").write_text("c")
    states.append(fingerprint(path, base))
    (path / "variables" / "data").write_text("cc")
    states.append(fingerprint(path, base))
    os.utime(path / "variables" / "data", ns=(0, 0))
    states.append(fingerprint(path, base))
    (path / "saved_model.pb").unlink()
    states.append(fingerprint(path, base))
    assert len(set(states)) == 5
    assert fingerprint(base / "2", base) == ()


@pytest.mark.parametrize("link", ["2", "1/saved_model.pb", "1/variables", "1/variables/index"])
def test_fingerprint_refuses_links_to_outside(base: Path, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    path = base / link
    if path.exists():
        path.rename(base / "moved")
    path.symlink_to(outside)
    with pytest.raises(
        ModelLoadError, match="is a symbolic link out of the model's folder"
    ) as error:
        fingerprint(base / link.split("/")[0], base)
    assert str(tmp_path) not in str(error.value)


def test_fingerprint_follows_links_inside(base: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(base)
    (base / "2").symlink_to("1")
    (base / "1" / "up").symlink_to("../1")
    files = fingerprint(tmp_path / "link" / "2", tmp_path / "link")
    assert [Path(name).name for name, *_ in files] == ["saved_model.pb", "index"]


def test_fingerprint_refuses_a_link_to_itself(base: Path) -> None:
    (base / "1" / "loop").symlink_to("loop")
    with pytest.raises(ModelLoadError, match="loop: is a symbolic link to itself"):
        fingerprint(base / "1", base)
