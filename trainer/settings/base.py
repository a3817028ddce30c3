"""What all models of settings share; no TensorFlow."""

import math
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict


class SettingError(ValueError):
    """A mistake found by comparing settings with each other.

    Attributes:
        key: Where the wrong one stands, below the section that found it.
    """

    def __init__(self, key: tuple[str, ...], message: str) -> None:
        """Keeps the key."""
        super().__init__(message)
        self.key = key


class Section(BaseModel):
    """A part of the configuration: frozen, strictly typed, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _as_tuple(value: Any) -> Any:
    """YAML knows lists only; a frozen section holds tuples."""
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
