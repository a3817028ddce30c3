"""Shows, writes and compares the schema that data is checked against."""

from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console
from rich.text import Text

from pipeline.data.schema_text import differences, read_schema, schema_table, to_text
from pipeline.errors import ConfigError, InputError, StateError
from pipeline.run.history import History
from pipeline.run.report import find_output
from pipeline.settings.config import Config

_FILE = "schema.pbtxt"


def run_action(
    action: str,
    config: Config,
    console: Console,
    output: str | None = None,
    *,
    force: bool = False,
) -> int:
    """Runs `pipeline schema ACTION`.

    Args:
        action: `show`, `write` or `diff`.
        config: Names the state folder and the reviewed schema.
        console: Where the result is printed.
        output: The file to write; None is `schema.pbtxt` beside the configuration.
        force: Whether a file that exists is replaced.

    Returns:
        The exit code: 1 if `diff` finds a difference, else 0.

    Raises:
        InputError: If there is no run yet, or a file is wrong.
    """
    if action == "write":
        return _write(config, Path(output) if output else config.resolve(_FILE), console, force)
    return _ACTIONS[action](config, console)


def _show(config: Config, console: Console) -> int:
    path = _reviewed_path(config) or _inferred_path(config)
    console.print(schema_table(read_schema(path)))
    return 0


def _write(config: Config, path: Path, console: Console, force: bool) -> int:
    schema = read_schema(_inferred_path(config))
    if path.exists() and not force:
        raise InputError(f"{path}: exists already: --force replaces it, --output names another")
    try:
        path.write_text(to_text(schema), "utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written, {error.strerror}") from None
    _say(console, f"{path}: {len(schema.feature)} columns; review it, and name it in data.schema")
    return 0


def _diff(config: Config, console: Console) -> int:
    path = _reviewed_path(config)
    if path is None:
        raise ConfigError("data.schema is null: pipeline schema write writes a schema to review")
    lines = list(differences(read_schema(path), read_schema(_inferred_path(config))))
    _say(console, "\n".join(lines) if lines else "no differences")
    return 1 if lines else 0


_ACTIONS: Mapping[str, Callable[[Config, Console], int]] = {"show": _show, "diff": _diff}


def _say(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)


def _reviewed_path(config: Config) -> Path | None:
    return config.resolve(config.data.schema_path) if config.data.schema_path else None


def _inferred_path(config: Config) -> Path:
    """Finds the schema of the latest run that inferred one."""
    for run in reversed(History(config).runs()):
        output = find_output(run.outcomes, "SchemaGen", "schema")
        if output is not None:
            return Path(output.uri, _FILE)
    raise StateError(
        f"{config.root_dir}: no run of '{config.name}' has a schema yet: pipeline run makes one"
    )
