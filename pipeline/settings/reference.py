"""Makes the settings reference from the models that validate the configuration."""

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pipeline.settings.config import Config, section_in
from trainer.settings.features import Feature

_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def make_reference() -> str:
    """Describes every setting in Markdown, a heading for each key at the top of the YAML file.

    Each setting is a definition: its dotted key with the default, then its meaning and bounds.

    Raises:
        ValueError: A setting has no description.
    """
    return "\n".join(_sections())


def list_keys() -> list[str]:
    """Lists the dotted keys of all settings; `*` stands for a name that the user chooses."""
    keys = [key for name, field in Config.model_fields.items() for key, _ in _settings(name, field)]
    kinds = [key for kind in _kinds() for key, _ in _settings_of_kind(kind)]
    return keys + kinds


def anchor(key: str) -> str:
    """Makes the anchor of a setting on the page, such as `data-csv-null-values`."""
    return "-".join(re.findall("[a-z0-9]+", key))


def _sections() -> Iterator[str]:
    for name, field in Config.model_fields.items():
        yield f"## {name}\n"
        for key, inner in _settings(name, field):
            yield _define(key, inner)
        if name == "features":
            for kind in _kinds():
                yield f"### {_name_of(kind)}\n\n{_first_paragraph(kind)}\n"
                for key, inner in _settings_of_kind(kind):
                    yield _define(key, inner)


def _settings(key: str, field: FieldInfo) -> Iterator[tuple[str, FieldInfo]]:
    """Yields the dotted keys below a key, and the key itself unless it is a plain section."""
    section = section_in(field.annotation)
    if section is not field.annotation:
        yield key, field
    if section is not None and key != "features":
        prefix = f"{key}.*" if get_origin(field.annotation) is dict else key
        for name, inner in section.model_fields.items():
            yield from _settings(f"{prefix}.{inner.alias or name}", inner)


def _settings_of_kind(kind: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in kind.model_fields.items():
        if name != "kind":
            yield f"features.*.{_name_of(kind)}.{name}", field


def _kinds() -> tuple[type[BaseModel], ...]:
    kinds: tuple[type[BaseModel], ...] = get_args(get_args(Feature)[0])
    return kinds


def _name_of(kind: type[BaseModel]) -> str:
    return str(kind.model_fields["kind"].default)


def _first_paragraph(kind: type[BaseModel]) -> str:
    return " ".join((kind.__doc__ or "").partition("\n\n")[0].split())


def _define(key: str, field: FieldInfo) -> str:
    """Writes one definition.

    In the settings of a kind, the key that is shown leaves out the kind, as the YAML file does.
    """
    if not field.description:
        raise ValueError(f"the setting {key} has no description")
    parts = key.split(".")
    is_of_kind = parts[:2] == ["features", "*"]
    shown = ".".join([*parts[:2], *parts[3:]]) if is_of_kind else key
    meaning = " ".join(filter(None, [field.description, _bounds(field)]))
    term = f"[`{shown}`]{{#{anchor(key)}}}" if len(parts) > 1 else f"`{key}`"  # the heading has it
    return f"{term} ({_default(field)})\n: {meaning}\n"


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    return "required" if default is PydanticUndefined else f"default `{json.dumps(default)}`"


def _bounds(field: FieldInfo) -> str:
    """Says which values are allowed, where the type alone does not."""
    bounds = [
        f"{sign} {getattr(constraint, name)}"
        for constraint in field.metadata
        for name, sign in _SIGNS.items()
        if getattr(constraint, name, None) is not None
    ]
    choices = [f"`{choice}`" for choice in _choices(field.annotation)]
    if choices:
        bounds.append(", ".join(choices))
    return f"Allowed: {', '.join(bounds)}." if bounds else ""


def _choices(annotation: Any) -> tuple[Any, ...]:
    """Lists the words that a `Literal` allows, and those of a `Literal | None`."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(
        choice
        for candidate in get_args(annotation)
        if get_origin(candidate) is Literal
        for choice in get_args(candidate)
    )
