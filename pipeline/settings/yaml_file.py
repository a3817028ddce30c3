"""Reads YAML files, and remembers where each key stands and how its value is written."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import ConfigError

Key = tuple[str, ...]
_STRING, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class YamlFile:
    """The content of a YAML file.

    Attributes:
        data: Its sections.
        lines: Line of each key, counted from 1.
        written: Text of each scalar, as it stands in the file.
    """

    data: dict[str, Any]
    lines: Mapping[Key, int]
    written: Mapping[Key, str]


class _Loader(yaml.SafeLoader):
    """Safe YAML loader: keys are words, `1e-3` is a number, and duplicate keys are refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Builds the mapping after a check of its keys."""
        seen: set[str] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(
                    problem="a key must be a word, not a list or a mapping",
                    problem_mark=key_node.start_mark,
                )
            if key_node.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key '{key_node.value}' is there twice",
                    problem_mark=key_node.start_mark,
                )
            seen.add(key_node.value)
            if key_node.tag != _MERGE:
                key_node.tag = _STRING  # a class or column called yes, 01 or 2024
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def read_yaml(path: Path) -> YamlFile:
    """Reads a YAML file.

    Raises:
        ConfigError: If it cannot be read, or is not YAML with sections.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    try:
        data, node = _parse(text)
        lines = dict(_lines(node, ())) if node else {}
        written = dict(_written(node, ())) if node else {}
    except RecursionError:
        raise ConfigError(f"{path}: not valid YAML: an alias contains itself") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}" if mark else f"{path}"
        raise ConfigError(f"{place}: not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{path}: not valid YAML: {_in_one_line(error)}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: must have sections such as 'name:' and 'data:'")
    return YamlFile(data, lines, written)


def read_value(text: str, key: Key) -> tuple[Any, dict[Key, str]]:
    """Reads the value of a key, in YAML.

    Returns:
        The value, and the text of each scalar in it, by key.

    Raises:
        ValueError: If it is not valid; the message is of one line.
    """
    try:
        value, node = _parse(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(_in_one_line(error)) from None
    return value, dict(_written(node, key)) if node else {}


def _parse(text: str) -> tuple[Any, yaml.Node | None]:
    loader = _Loader(text)
    node = loader.get_single_node()
    return (loader.construct_document(node) if node else None), node


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _lines(node: yaml.Node, prefix: Key) -> Iterator[tuple[Key, int]]:
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            key = (*prefix, key_node.value)
            yield key, key_node.start_mark.line + 1
            yield from _lines(value_node, key)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*prefix, str(index)), item.start_mark.line + 1


def _written(node: yaml.Node, prefix: Key) -> Iterator[tuple[Key, str]]:
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            yield from _written(value_node, (*prefix, key_node.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _written(item, (*prefix, str(index)))
    else:
        yield prefix, node.value
