"""Prepares a configuration for a run: `run`, `validate` and the runner file all call it."""

from pipeline.data.check import CheckedData, check_data
from pipeline.data.user_code import make_importable
from pipeline.settings.config import Config


def prepare(config: Config, *, count_splits: bool = False) -> CheckedData:
    """Makes the user's code importable, chooses the `auto` features, and checks the data.

    Args:
        config: The configuration as it was loaded.
        count_splits: Whether to count the rows of each split, which takes longer.

    Returns:
        The findings about the data, and the configuration to run.

    Raises:
        ConfigError: If a user function is not where the configuration names it.
        DataError: If the pipeline cannot learn from the data.
    """
    make_importable(config)
    return check_data(config, count_splits=count_splits)
