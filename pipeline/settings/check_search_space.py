"""Checks that the search space of a sweep names settings and allowed values of them."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from pipeline.errors import did_you_mean, refuse
from trainer.settings.base import SettingError
from trainer.settings.dotted_keys import join_key, split_key
from trainer.settings.train import TrainerSettings, apply_overrides
from trainer.settings.tuner import TunerSettings

_SECTIONS = ("model", "train")
"""Sections that a trial can change; the nodes before the training are not run again for it."""
_FIXED = {"train.warm_start"}
"""Settings in them that no trial can change: the model to start from is found before the sweep."""
_ANY_KEY = "*"


def check_space(tuner: TunerSettings, settings: TrainerSettings) -> None:
    """Checks that each setting in a search space exists and allows the values of its domain.

    Args:
        tuner: The sweep.
        settings: The settings that trials change.

    Raises:
        SettingError: At the first mistake.
    """
    allowed = [
        key
        for section in _SECTIONS
        for key in _settings_in(section, type(getattr(settings, section)))
        if key not in _FIXED
    ]
    data = settings.model_dump(mode="json")
    for key, domain in tuner.space.items():
        place = ("tuner", "space", key)
        _check_key(place, key, allowed, tuner)
        for index, value in enumerate(domain.bounds):
            try:
                apply_overrides(data, {key: value})
            except ValidationError as error:
                rule = _rule(error, key)
                raise SettingError((*place, domain.kind, str(index)), refuse(value, rule)) from None


def _check_key(place: tuple[str, ...], key: str, allowed: list[str], tuner: TunerSettings) -> None:
    open_ends = tuple(name.removesuffix(_ANY_KEY) for name in allowed if name.endswith(_ANY_KEY))
    is_open = key.startswith(open_ends) and all(split_key(key)[0])
    if key not in allowed and not is_open:
        raise SettingError(
            place, f"no such setting{did_you_mean(key, allowed)} (allowed: {', '.join(allowed)})"
        )
    for other in tuner.space:
        if key.startswith(f"{other}."):
            raise SettingError(place, f"is part of {other}, which is in the space too")


def _settings_in(prefix: str, section: type[BaseModel]) -> Iterator[str]:
    """Lists the dotted keys of a section and the sections in it; `*` stands for any key."""
    for name, field in section.model_fields.items():
        key = f"{prefix}.{name}"
        yield key
        for kind in _kinds(field.annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _settings_in(key, kind)
            elif get_origin(kind) is dict:
                yield f"{key}.{_ANY_KEY}"


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """Returns the types of a union, or the type itself."""
    is_union = annotation is not None and get_origin(annotation) not in (None, dict, tuple)
    return get_args(annotation) if is_union else (annotation,)


def _rule(error: ValidationError, key: str) -> str:
    """Returns the rule that a value breaks, and the key it is about if that is another one."""
    first = error.errors()[0]
    mistake = first.get("ctx", {}).get("error")
    inner = mistake.key if isinstance(mistake, SettingError) else ()
    where = join_key(map(str, (*first["loc"], *inner)))
    words = first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        words = "is missing"
    return words if where == key or where.startswith(f"{key}.") else f"{where} {words}"
