"""Files that are not YAML, or not a configuration."""

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.settings.load import load_config
from tests.helpers.config_files import mistake, mistakes, write_config


def test_load_refuses_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"

    assert mistakes(path) == [" there is no such file"]


def test_load_refuses_folder(tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path)

    assert line.startswith(" cannot be read: ")


def test_load_refuses_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes("name: ä".encode("latin1"))

    (line,) = mistakes(path)

    assert line.startswith(" cannot be read: 'utf-8' codec can't decode byte 0xe4")


@pytest.mark.parametrize("text", ["", "# nothing\n", "- name\n", "name\n", "null\n"])
def test_load_refuses_file_without_mapping(tmp_path: Path, text: str) -> None:
    assert mistakes(write_config(tmp_path, text)) == [
        " must have sections such as 'name:' and 'data:'"
    ]


@pytest.mark.parametrize(
    ("addition", "line"),
    [
        ("model:\n\tseed: 1\n", 12),
        ("model: [\n", 12),
        ("model: }\n", 11),
        ("model: *x\n", 11),
        ("---\nname: t\n", 11),
        ("model: !!python/object:os.system {}\n", 11),
        ("? [a]\n: 1\n", 11),
        ("model: {{ settings }}\n", 11),
    ],
)
def test_load_names_line_that_is_not_yaml(tmp_path: Path, addition: str, line: int) -> None:
    assert mistake(tmp_path, addition).startswith(f"{line}: not valid YAML: ")


@pytest.mark.parametrize("addition", ["# \x07\n", "model: 2024-13-45\n", "model: !!int abc\n"])
def test_load_refuses_value_that_yaml_cannot_make(tmp_path: Path, addition: str) -> None:
    assert mistake(tmp_path, addition).startswith(" not valid YAML: ")


@pytest.mark.parametrize(
    ("addition", "line", "key"),
    [("name: u\n", 11, "name"), ("train:\n  steps: 1\n  steps: 2\n", 13, "steps")],
)
def test_load_refuses_duplicate_key(tmp_path: Path, addition: str, line: int, key: str) -> None:
    expected = f"{line}: not valid YAML: the key '{key}' is there twice"
    assert mistake(tmp_path, addition) == expected


def test_load_refuses_alias_that_contains_itself(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("model: &model {more: *model}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="an alias contains itself"):
        load_config(path)


def test_config_error_has_exit_code_2(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "none.yaml")

    assert caught.value.exit_code == 2
