"""Configurations as files, and the mistakes that `load_config` finds in them."""

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.settings.load import load_config

MINIMAL = """\
name: t
data:
  path: rows.csv
  label: kind
features:
  x: numeric
evaluation:
  thresholds:
    accuracy:
      min: 0.5
"""
"""The settings without a default, in ten lines."""


def write_config(folder: Path, text: str) -> Path:
    """Writes a configuration file and returns its path."""
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def mistakes(path: Path, *overrides: str) -> list[str]:
    """Returns the lines of the error, without the path of the file."""
    with pytest.raises(ConfigError) as caught:
        load_config(path, overrides)
    return str(caught.value).replace(f"{path}:", "").splitlines()


def mistake(folder: Path, addition: str) -> str:
    """Returns the only mistake of `MINIMAL` with an addition, which begins on line 11."""
    (line,) = mistakes(write_config(folder, MINIMAL + addition))
    return line
