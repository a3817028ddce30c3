"""Makes the configuration reference, from the models that read the configuration."""

import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pipeline.settings.config import Config, section_in
from trainer.settings.features import Feature


def make_reference() -> str:
    """Makes a Markdown table of every setting: key, default, meaning and bounds."""
    rows = "\n".join(f"| {' | '.join(row)} |" for row in _rows("", Config))
    return f"| key | default | what it is |\n|---|---|---|\n{rows}"


def _rows(prefix: str, section: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    for name, field in section.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        inner = section_in(field.annotation)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _rows(f"{key}.", field.annotation)
            continue
        yield f"`{key}`", _default(field), f"{field.description} {_bounds(field)}".strip()
        if key == "features":
            yield from _rows_of_features()
        elif inner:
            is_mapping = get_origin(field.annotation) is dict
            yield from _rows(f"{key}.*." if is_mapping else f"{key}.", inner)


def _rows_of_features() -> Iterator[tuple[str, str, str]]:
    """Gives, for each kind, what it is, and its settings."""
    kinds: tuple[type[BaseModel], ...] = get_args(get_args(Feature)[0])
    told: set[str] = set()
    for kind in kinds:
        name = kind.model_fields["kind"].default
        yield f"`features.*: {name}`", "", (kind.__doc__ or "").strip()
        for key, field in kind.model_fields.items():
            if key == "kind" or field.description in told:
                continue
            told.add(str(field.description))
            yield (
                f"`features.*.{key}`",
                _default(field),
                f"{field.description} {_bounds(field)}".strip(),
            )


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    return "required" if default is PydanticUndefined else f"`{json.dumps(default)}`"


def _bounds(field: FieldInfo) -> str:
    """Says what values are allowed, where the type alone does not."""
    words: list[str] = []
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    for constraint in field.metadata:
        words += [
            f"{sign} {getattr(constraint, name)}"
            for name, sign in signs.items()
            if getattr(constraint, name, None) is not None
        ]
    choices = [str(choice) for choice in _choices(field.annotation)]
    if choices:
        words.append("one of " + ", ".join(f"`{choice}`" for choice in choices))
    return f"({', '.join(words)})" if words else ""


def _choices(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()
