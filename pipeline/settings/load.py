"""Loads the configuration; its errors name the place of each mistake and what is allowed there."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.errors import ConfigError, did_you_mean, printable, refuse
from pipeline.settings.config import Config, section_at, write_key
from pipeline.settings.yaml_file import Key, read_value, read_yaml
from trainer.settings.base import SettingError
from trainer.settings.dotted_keys import split_key
from trainer.settings.features import Feature

_NOT_A_FEATURE = ("union_tag_invalid", "union_tag_not_found", "model_attributes_type")
_CREDENTIALS = re.compile(r"//[^/\s]*@")
_KIND_OF_VALUE = re.compile(r"(literal|dict|function-after|constrained-\w+)\[.*|float|int|str")

_KINDS = {int: "number", float: "number", date: "date", datetime: "date"}

_RENAMED: Mapping[Key, str] = {
    ("data", "csv", "gaps"): "null_values",
    ("features", "*", "gap"): "fill",
    ("features", "*", "gap_flag"): "missing_indicator",
}
"""Keys of version 0.1, to their present names."""
_RENAMED_VALUES = {"least": "min", "greatest": "max"}
"""Values of `train.best_is` and `tuner.objective_is` in version 0.1, to the present ones."""


@dataclass(frozen=True)
class Source:
    """The file and the overrides that settings come from.

    Attributes:
        path: The YAML file.
        lines: Line of each key in the file, counted from 1.
        overrides: Keys that `--set` replaces.
        written: Text of each scalar, as it stands in the file or the override.
    """

    path: Path
    lines: Mapping[Key, int]
    overrides: frozenset[Key]
    written: Mapping[Key, str]

    def place(self, key: Key) -> str:
        """Returns the `--set`, or the file and line, of a key or the nearest section around it."""
        for override in self.overrides:
            if key[: len(override)] == override or override[: len(key)] == key != ():
                return f"--set {write_key(override)}"
        while key and key not in self.lines:
            key = key[:-1]
        return f"{self.path}:{self.lines[key]}" if key else f"{self.path}"


def default_config_path() -> Path:
    """Returns the path of the project's own configuration, the default where none is named."""
    return Path(__file__).resolve().parents[2] / "pipeline_config.yaml"


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Loads and checks a configuration.

    Args:
        path: The YAML file; relative paths in it start at its folder.
        overrides: Settings that replace those of the file, `dotted.key=value` each, the value in
            YAML; a part of the key that holds a point or `=` stands between quotes, `"a.b"`.

    Returns:
        The checked configuration.

    Raises:
        ConfigError: If anything in it is wrong; the message has a line for each mistake and no
            credentials.
    """
    path = Path(path)
    try:
        config = _load(path, overrides)
    except ConfigError as error:
        raise ConfigError(_CREDENTIALS.sub("//***@", str(error))) from None
    return config.located(path.resolve().parent, overrides)


def _load(path: Path, overrides: Sequence[str]) -> Config:
    file = read_yaml(path)
    written = dict(file.written)
    keys = [_override(file.data, written, override) for override in overrides]
    source = Source(path, file.lines, frozenset(keys), written)
    try:
        return Config.model_validate(file.data)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(source, error.errors()))) from None


def _override(data: dict[str, Any], written: dict[Key, str], override: str) -> Key:
    """Applies one `--set` to the data and the texts of its values, in place; returns its key."""
    parts, rest = split_key(override)
    key = tuple(part.strip() for part in parts)
    if not rest.startswith("=") or not all(key):
        raise ConfigError(
            f"--set {override}: must have the form key=value, such as train.steps=500"
        )
    try:
        value, texts = read_value(rest[1:], key)
    except ValueError as error:
        raise ConfigError(f"--set {override}: the value is not valid YAML: {error}") from None
    written.update(texts)
    section = data
    for name in key[:-1]:
        if not isinstance(section.get(name), dict):
            is_kind = section is data.get("features") and isinstance(section.get(name), str)
            section[name] = {"kind": section[name]} if is_kind else {}
        section = section[name]
    section[key[-1]] = value
    return key


def _explain(source: Source, errors: Sequence[ErrorDetails]) -> Iterator[str]:
    """Explains each mistake in one line: place, key, value found, values allowed."""
    mistakes: dict[Key, list[str]] = {}
    keys = [_key_of(error) for error in errors]
    for key, error in zip(keys, errors, strict=True):
        if error["type"] == "too_short" and any(
            key == other[: len(key)] != other for other in keys
        ):
            continue  # pydantic counts only the items of a list that are right
        mistakes.setdefault(key, []).append(_mistake(source, key, error))
    for key, words in mistakes.items():
        yield f"{source.place(key)}: {printable(write_key(key))}: {_either(words)}"


def _key_of(error: ErrorDetails) -> Key:
    """Returns the key of a mistake, without the types that pydantic adds to its location.

    Pydantic adds the kind of a feature, and `literal['a','b']`, `dict[...]` and the like for a
    value that may have several types.
    """
    parts = [str(part) for part in error["loc"] if part != "[key]"]
    if parts[:1] == ["features"] and len(parts) > 2:
        del parts[2]
    cause = error.get("ctx", {}).get("error")
    is_column = parts[:1] == ["features"]  # which may be called 'float' or 'int'
    named, rest = parts[: 2 * is_column], parts[2 * is_column :]
    key = (*named, *(part for part in rest if not _KIND_OF_VALUE.fullmatch(part)))
    return key + cause.key if isinstance(cause, SettingError) else key


def _new_name(key: Key) -> str | None:
    """Returns the present name of a key of version 0.1, None if it is not one that was renamed."""
    wildcard = (key[0], "*", *key[2:]) if key[:1] == ("features",) else key
    return _RENAMED.get(wildcard)


def _either(words: Sequence[str]) -> str:
    """Joins the messages about one value that has none of several allowed types."""
    beginning, colon, _ = words[0].partition(" is not allowed: ")
    return " or ".join(
        [words[0], *(word.removeprefix(f"{beginning}{colon}") for word in words[1:])]
    )


def _mistake(source: Source, key: Key, error: ErrorDetails) -> str:
    """Returns what is wrong with the value of a key, and what is allowed."""
    found = error["input"]
    if error["type"] == "missing":
        return "is missing"
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if key[:1] == ("features",) and error["type"] in _NOT_A_FEATURE:
        kinds = error.get("ctx", {}).get("expected_tags", "").replace("'", "")
        tag = str(error.get("ctx", {}).get("tag", ""))
        hint = did_you_mean(tag, kinds.split(", ")) if tag else ""
        allowed_kinds = f" ({kinds})" if kinds else ""
        written = found["kind"] if isinstance(found, dict) and found.keys() == {"kind"} else found
        rule = f"must be a kind, or a mapping with one{allowed_kinds}"
        return f"{written!r} is not allowed: {rule}{hint}"
    if error["type"] == "extra_forbidden" and (now := _new_name(key)):
        return f"is called '{now}' now: rename it"
    if error["type"] == "string_type" and isinstance(found, bool | int | float | date):
        return _not_a_word(source, key, found)
    if error["type"] == "literal_error" and isinstance(found, str) and found in _RENAMED_VALUES:
        return f"{found!r} is called '{_RENAMED_VALUES[found]}' now: rename it"
    if error["type"] == "extra_forbidden":
        fields = _section_of(key, error).model_fields
        allowed = [field.alias or name for name, field in fields.items()]
        return f"unknown key{did_you_mean(key[-1], allowed)} (allowed: {', '.join(allowed)})"
    words = re.findall(r"'([^']*)'", error.get("ctx", {}).get("expected", ""))
    hint = did_you_mean(found, words) if isinstance(found, str) else ""
    return f"{refuse(found, error['msg'])}{hint}"


def _section_of(key: Key, error: ErrorDetails) -> type[BaseModel]:
    """Returns the section that lacks a key; pydantic names the kind of a feature after its name."""
    if key[0] != "features":
        return section_at(key[:-1])
    kinds: tuple[type[BaseModel], ...] = get_args(get_args(Feature)[0])
    return next(kind for kind in kinds if kind.model_fields["kind"].default == error["loc"][2])


def _not_a_word(source: Source, key: Key, found: object) -> str:
    """Explains that YAML reads a plain word such as yes, 01 or 2024-05-01 as something else."""
    written = source.written.get(key, str(found))
    read_as = str(found).lower() if isinstance(found, bool) else f"a {_KINDS[type(found)]}"
    quoted = f'"{written}"'
    fix = f"--set '{write_key(key)}={quoted}'" if key in source.overrides else quoted
    return f"{written} is read as {read_as}; expected a word: write it in quotes, {fix}"
