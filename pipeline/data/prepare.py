"""Makes a configuration ready to run."""

from pipeline.data.check import CheckedData, check_data
from pipeline.data.user_code import make_importable
from pipeline.settings.config import Config


def prepare(config: Config, *, count_splits: bool = False) -> CheckedData:
    """Makes the user's code importable, chooses the features that are `auto`, and checks the data.

    Args:
        config: The configuration as it was loaded.
        count_splits: Whether to count the rows of each split, which takes longer.

    Returns:
        What is in the data, and the configuration that runs.

    Raises:
        ConfigError: If a function of the user's is not where the configuration says.
        DataError: If the pipeline cannot learn from the data.
    """
    make_importable(config)
    return check_data(config, count_splits=count_splits)
