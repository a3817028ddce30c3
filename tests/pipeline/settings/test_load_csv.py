"""Names of columns in `data.csv`."""

import pytest

from pipeline.errors import ConfigError
from pipeline.settings.load import load_config
from tests.helpers.paths import SHIPPED


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("{names: [a, b]}", "data.csv.names: is for files without a header, and would rename"),
        (
            "{header: false, names: [a], rename: {b: c}}",
            "data.csv.rename: needs a header with the titles",
        ),
        ("{rename: {a: x, b: x}}", "data.csv.rename: 'x' is listed twice"),
        ("{rename: {a: 1}}", "data.csv.rename.a: 1 is read as a number; expected a word"),
    ],
)
def test_names_and_header_fit_together(override: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(SHIPPED, [f"data.csv={override}"])

    assert message in str(caught.value)
