"""Holds the search space of a sweep against the settings it is a space of."""

from pydantic import ValidationError

from pipeline.errors import did_you_mean, refuse
from trainer.config import TrainerSettings, apply_overrides
from trainer.section import SettingError
from trainer.tuner_config import TunerSettings

_SECTIONS = ("model", "train")
"""What a trial can change: whatever comes before the training is not done again for it."""


def check_space(tuner: TunerSettings, settings: TrainerSettings) -> None:
    """Checks that each setting in a search space exists and allows the values it is to take.

    Args:
        tuner: The sweep.
        settings: What the other settings are.

    Raises:
        SettingError: At the first mistake.
    """
    allowed = [
        f"{section}.{name}"
        for section in _SECTIONS
        for name in type(getattr(settings, section)).model_fields
    ]
    for key, domain in tuner.space.items():
        place = ("tuner", "space", key)
        if key not in allowed:
            raise SettingError(
                place,
                f"no such setting{did_you_mean(key, allowed)} (allowed: {', '.join(allowed)})",
            )
        for index, value in enumerate(domain.bounds):
            try:
                apply_overrides(settings, {key: value})
            except ValidationError as error:
                rule = error.errors()[0]["msg"]
                raise SettingError((*place, domain.kind, str(index)), refuse(value, rule)) from None
