"""Base class and field types shared by all settings; imports no TensorFlow."""

import math
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict


class SettingError(ValueError):
    """A setting that conflicts with another one.

    Attributes:
        key: Path of the faulty setting, relative to the section whose validator found it.
    """

    def __init__(self, key: tuple[str, ...], message: str) -> None:
        """Stores the key beside the message."""
        super().__init__(message)
        self.key = key


class Section(BaseModel):
    """A section of the configuration: frozen, strictly typed, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _as_tuple(value: Any) -> Any:
    """Converts YAML's lists to tuples, which a frozen section needs."""
    return tuple(value) if isinstance(value, list) else value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be finite")
    return value


def _dotted_path(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", value):
        raise ValueError(f"'{value}' must be a dotted path, my_package.my_module.my_function")
    return value


FrozenList = BeforeValidator(_as_tuple)
FiniteFloat = Annotated[float, AfterValidator(_finite)]
DottedPath = Annotated[str, AfterValidator(_dotted_path)]
