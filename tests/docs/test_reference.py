"""The generated reference has every setting, command and option, and refuses one without a text."""

import argparse
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pydantic.fields import FieldInfo

from pipeline.commands.parser import make_parser
from pipeline.settings.config import Config
from pipeline.settings.load import load_config
from pipeline.settings.reference import list_keys, make_reference
from tests.helpers.paths import SHIPPED
from tools import pages


def leaves(section: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yields the dotted keys of the values in nested mappings."""
    for key, value in section.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def test_reference_has_every_key_of_the_shipped_configuration() -> None:
    written = set(leaves(yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))))
    free = {key for key in written if key.startswith(("features.", "evaluation.thresholds."))}

    assert len(written) > 80
    assert written - free - set(list_keys()) == set()


def test_reference_has_every_field_of_the_configuration() -> None:
    config = load_config(SHIPPED)
    fields = set(leaves(config.model_dump(mode="json", by_alias=True, exclude={"features"})))
    free = {key for key in fields if key.startswith("evaluation.thresholds.")}

    assert fields - free - set(list_keys()) == set()


@pytest.mark.parametrize(
    "line",
    [
        '[`data.csv.decimal`]{#data-csv-decimal} (default `"."`)\n',
        '[`features.*.fill`]{#features-numeric-fill} (default `"error"`)\n',
        "[`tuner.space.*.log_uniform`]{#tuner-space-log-uniform} (default `null`)\n",
        "[`evaluation.thresholds`]{#evaluation-thresholds} (required)\n",
    ],
)
def test_reference_defines_settings(line: str) -> None:
    assert line in make_reference()


@pytest.mark.parametrize(
    "bounds",
    [
        " Allowed: `multiclass`, `binary`, `regression`.\n",
        " Allowed: ≥ 0, < 1.\n",
        " Allowed: `min`, `max`.\n",
    ],
)
def test_reference_names_bounds_and_choices(bounds: str) -> None:
    assert bounds in make_reference()


def test_reference_refuses_a_setting_without_description(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Config.model_fields, "cache", FieldInfo(annotation=bool, default=True))

    with pytest.raises(ValueError, match="the setting cache has no description"):
        make_reference()


def test_command_line_has_every_command_and_option() -> None:
    text = pages.make_command_line()
    commands = pages.list_commands(make_parser())

    assert {"init", "run", "serve", "completion"} <= commands.keys()
    for name, parser in commands.items():
        section = text.partition(f"## {name}\n")[2].partition("\n## ")[0]
        options = [option for action in parser._actions for option in action.option_strings]
        assert [o for o in options if f"`{o}" not in section and o not in {"-h", "--help"}] == []


def test_command_line_shows_the_examples_of_each_command() -> None:
    text = pages.make_command_line()

    for name, parser in pages.list_commands(make_parser()).items():
        section = text.partition(f"## {name}\n")[2].partition("\n## ")[0]
        examples = re.findall("^ +(pipeline .*|eval .*)$", parser.epilog or "", re.MULTILINE)
        assert examples, name
        assert [line for line in examples if f"\n{line}\n" not in section] == []


def test_command_line_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    narrow = pages.make_command_line()
    monkeypatch.setenv("COLUMNS", "300")

    assert pages.make_command_line() == narrow


def with_command(*, command_help: str | None, option_help: str | None) -> argparse.ArgumentParser:
    """Makes a parser of one command with one option."""
    parser = argparse.ArgumentParser(prog="pipeline")
    helps = {"help": command_help} if command_help else {}
    command = parser.add_subparsers().add_parser("dance", **helps)
    command.add_argument("--fast", action="store_true", help=option_help)
    return parser


@pytest.mark.parametrize(
    ("command_help", "option_help", "message"),
    [
        (None, "dance faster", "the command dance has no help text"),
        ("dance", None, "pipeline dance: --fast has no help text"),
    ],
)
def test_command_line_refuses_what_has_no_help_text(
    monkeypatch: pytest.MonkeyPatch,
    command_help: str | None,
    option_help: str | None,
    message: str,
) -> None:
    parser = with_command(command_help=command_help, option_help=option_help)
    monkeypatch.setattr(pages, "make_parser", lambda: parser)

    with pytest.raises(ValueError, match=message):
        pages.make_command_line()
