"""Starts the server for the pushed model, and for others beside it."""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipeline.errors import ConfigError, InputError, ModelError
from pipeline.settings.config import Config
from serving.errors import StartError
from serving.listeners import open_listeners
from serving.settings import ServingSettings
from serving.telemetry.logs import set_up_logging
from serving.workers import run_workers

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def serve_models(config: Config, models: Sequence[str]) -> None:
    """Serves until SIGTERM or SIGINT; its messages go to standard error.

    Args:
        config: Has the section `serving`, and the name and folder of the pushed model.
        models: Further models, `NAME=DIR` each, the folder holding versions.

    Raises:
        InputError: If models, settings, ports or files do not allow the server to start.
    """
    folders = {config.name: config.push_dir, **_parse_models(models, config.name)}
    settings = _with_absolute_paths(config)
    _check_versions(settings, folders)
    try:
        with open_listeners(settings) as listeners:
            set_up_logging()
            run_workers(folders, settings, listeners, _say)
    except StartError as error:
        raise InputError(str(error)) from None


def _say(lines: Iterable[str]) -> None:
    """Prints to standard error, since standard output is for the access log."""
    for line in (*lines, "ready"):
        print(line, file=sys.stderr, flush=True)


def _parse_models(models: Sequence[str], pushed_name: str) -> dict[str, Path]:
    folders: dict[str, Path] = {}
    for model in models:
        name, separator, folder = model.partition("=")
        if not separator or not folder:
            raise ModelError(f"--model {model}: must have the form NAME=DIR")
        if not _NAME.fullmatch(name):
            raise ModelError(
                f"--model {model}: '{name}' is not a name for a model: expected letters, digits,"
                " '.', '_' and '-', a letter or digit first"
            )
        if name == pushed_name or name in folders:
            raise ModelError(f"--model {model}: there is a model '{name}' already")
        folders[name] = Path(folder).expanduser().resolve()
        if not folders[name].is_dir():
            raise ModelError(f"--model {model}: there is no such folder")
    return folders


def _with_absolute_paths(config: Config) -> ServingSettings:
    """Returns the settings of the server with absolute paths of the TLS files."""
    settings = config.serving
    if settings.tls is None:
        return settings
    paths = {key: str(config.resolve(path)) for key, path in settings.tls.model_dump().items()}
    return settings.model_copy(update={"tls": settings.tls.model_copy(update=paths)})


def _check_versions(settings: ServingSettings, folders: Mapping[str, Path]) -> None:
    """Checks that the labels are of versions that exist and are served."""
    for label, number in settings.versions.labels.items():
        key = f"serving.versions.labels.{label}"
        if settings.versions.policy == "specific" and number not in settings.versions.numbers:
            raise ConfigError(f"{key}: version {number} is not in serving.versions.numbers")
        if not any((folder / str(number)).is_dir() for folder in folders.values()):
            raise ConfigError(f"{key}: no model has a version {number}")
