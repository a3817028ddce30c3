"""Writes the generated parts of the documentation, so that no page can differ from the program.

`docs/conf.py` calls `fill` for each page. A page marks the place of a part by
`<!-- generated: NAME -->`.

python tools/pages.py renews the table of figures in README.md, which is read without a build.
"""

import argparse
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pipeline.commands.parser import make_parser
from pipeline.settings.reference import make_reference

PROJECT_DIR = Path(__file__).resolve().parent.parent
README = PROJECT_DIR / "README.md"
TABLE = PROJECT_DIR / "docs" / "bench" / "table.md"
README_FIGURES = (
    ("Iris, 150 rows, nothing cached", "stock TFX"),
    ("Iris, all cached", "stock TFX"),
    ("1,000,000 rows, whole run", "stock TFX"),
    ("1,000,000 rows, peak memory", "stock TFX"),
    ("Training on 666,666 examples", "Keras fit"),
    ("REST, 32 clients", "plain FastAPI"),
    ("REST, 32 clients", "mlflow models serve"),
)
"""Rows of the benchmarks' table that README.md shows: what is measured, and against what."""

_FIGURES = re.compile(r"(<!-- figures: begin -->\n).*?(<!-- figures: end -->)", re.DOTALL)
_USAGE_WIDTH = 90
"""Characters of a usage line, whatever terminal the build runs in."""


def fill(text: str) -> str:
    """Puts the generated parts of a page in place of their marks.

    Args:
        text: The page in Markdown.

    Raises:
        ValueError: A mark names no part, or a setting, command or option has no description.
    """
    return re.sub(r"<!-- generated: (.+?) -->", lambda match: _make(match[1]), text)


def fill_readme(text: str) -> str:
    """Renews the table of figures in README.md."""
    return _FIGURES.sub(lambda match: f"{match[1]}{make_figures()}{match[2]}", text)


def make_figures() -> str:
    """Selects the rows of the benchmarks' table that README.md shows, without targets and dates."""
    header, _, *rows = (_cells(row) for row in _table_lines())
    columns = [header.index(name) for name in ("measured", "ours", "against", "ratio")]
    shown = [row for row in rows if (row[0], row[2].partition(":")[0]) in README_FIGURES]
    lines = [f"| {' | '.join(row[column] for column in columns)} |" for row in (header, *shown)]
    return "\n".join([lines[0], "|---" * len(columns) + "|", *lines[1:]]) + "\n"


def make_command_line() -> str:
    """Describes every command in Markdown: usage, arguments, options and examples.

    Raises:
        ValueError: A command or an option has no help text.
    """
    return "\n".join(_describe_commands(make_parser()))


def list_commands(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """Gives the parser of each command, and of each command below a command (`schema show`)."""
    return {
        f"{name} {inner}".strip(): inner_parser
        for group in _command_groups(parser)
        for name, command in group.choices.items()
        for inner, inner_parser in {"": command, **list_commands(command)}.items()
    }


def _make(name: str) -> str:
    parts: Mapping[str, Callable[[], str]] = {
        "settings": make_reference,
        "command line": make_command_line,
        "benchmarks": _make_benchmarks,
    }
    if name not in parts:
        raise ValueError(f"there is no generated part '{name}': expected one of {', '.join(parts)}")
    return parts[name]()


def _make_benchmarks() -> str:
    """Gives the whole table, with a class that the style sheet knows."""
    machine, _, table = TABLE.read_text("utf-8").partition("\n\n")
    return f"{machine}\n\n{{.figures}}\n{table}"


def _table_lines() -> list[str]:
    return [line for line in TABLE.read_text("utf-8").splitlines() if line.startswith("|")]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _describe_commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    options = [action for action in parser._actions if action.option_strings]
    yield from (_define(parser, action) for action in options)
    helps = {
        choice.dest: choice.help
        for group in _command_groups(parser)
        for choice in group._choices_actions
    }
    for name, command in list_commands(parser).items():
        first = name.partition(" ")[0]
        if not helps.get(first):
            raise ValueError(f"the command {name} has no help text")
        yield f"## {name}\n\n{_sentence(command.description or helps[first] or '')}\n"
        yield f"```text\n{_usage(command)}\n```\n"
        for action in command._actions:
            if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
                yield _define(command, action)
        if command.epilog:
            yield f"Examples:\n\n```sh\n{_examples(command.epilog)}\n```\n"


def _command_groups(
    parser: argparse.ArgumentParser,
) -> "list[argparse._SubParsersAction[argparse.ArgumentParser]]":
    return [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]


def _define(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """Writes the definition of an option or argument."""
    name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
    if not action.help:
        raise ValueError(f"{parser.prog}: {name} has no help text")
    value = ""
    if action.option_strings and action.nargs != 0:
        value = f" {action.metavar or action.dest.upper()}"
    text = parser._get_formatter()._expand_help(action)
    needed = " Required." if action.option_strings and action.required else ""
    choices = f" One of {', '.join(f'`{choice}`' for choice in action.choices or ())}."
    return f"`{name}{value}`\n: {_sentence(text)}{choices if action.choices else ''}{needed}\n"


def _examples(epilog: str) -> str:
    """Takes the commands out of the text that ends a `--help`."""
    return textwrap.dedent(epilog.partition("examples:\n")[2]).strip()


def _sentence(text: str) -> str:
    """Makes a sentence of a help text, which begins small and has no full stop."""
    text = " ".join(text.split())
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"


def _usage(parser: argparse.ArgumentParser) -> str:
    formatter = argparse.HelpFormatter(parser.prog, width=_USAGE_WIDTH)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups, "")
    return formatter.format_help().strip()


if __name__ == "__main__":
    README.write_text(fill_readme(README.read_text("utf-8")), "utf-8")
