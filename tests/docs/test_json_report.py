"""The page on the JSON object of `pipeline run --json` names its keys."""

import re

from pipeline.run.report import make_report
from tests.helpers.pages import DOCS_DIR, read


def test_page_names_the_keys_of_the_json_object() -> None:
    page = read(DOCS_DIR / "reference" / "exit-codes-and-json.md")
    table = page.partition("## pipeline run --json")[2]

    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == list(
        make_report("id", None, []).to_json()
    )
    assert "`id`, `state` (`done` or `cached`) and `seconds`" in table


def test_page_names_the_exit_codes() -> None:
    from pipeline import errors

    page = read(DOCS_DIR / "reference" / "exit-codes-and-json.md")
    codes = {
        error.exit_code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.PipelineError)
    }

    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == {
        0,
        errors.EXIT_NOT_BLESSED,
        *codes,
    }
