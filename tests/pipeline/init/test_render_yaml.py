"""The YAML that `pipeline init` writes: commented, and loadable for any table."""

from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.init.inspect_csv import Wishes, inspect_csv
from pipeline.init.render_yaml import _scalar, render
from pipeline.settings.load import load_config
from tests.helpers.made_tables import ROWS, init, numbers, rows_of, table, words


def test_init_comments_each_column(tmp_path: Path) -> None:
    content = table(
        ["id", "x", "city", "same", "y"],
        rows_of(
            range(ROWS), ["", *numbers(1)[1:]], words("a", "b", "c"), ["k"] * ROWS, words("u", "v")
        ),
    )
    _, output = init(tmp_path, content, "y")
    lines = output.read_text(encoding="utf-8").splitlines()
    start = lines.index("features:")
    assert lines[start + 1] == "  id: ignore  # whole numbers, 0 to 299: an id: all different"
    assert lines[start + 2].startswith(
        "  x: {kind: numeric, fill: mean, missing_indicator: true}  # numbers, "
    )
    assert lines[start + 2].endswith(", 1 missing")
    assert lines[start + 3] == "  city: categorical  # 3 words"
    assert lines[start + 4] == "  same: ignore  # 1 word: every cell is 'k'"
    assert lines[start + 5] == ""


CELLS = st.one_of(
    st.integers(-1000, 1000).map(str),
    st.floats(-1e6, 1e6).map(repr),
    st.sampled_from(
        ["", "NA", "?", "yes", "no", "2024-05-01", "x: y # z", "{a}", "[b]", "- c", "'"]
    ),
    st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='",;\t|\r\n'), max_size=8
    ),
)


TITLES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='",;\t|\r\n'), max_size=6
)


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    titles=st.lists(
        TITLES.filter(lambda title: title != "number"), min_size=1, max_size=4, unique=True
    ),
    data=st.data(),
    labels=st.sampled_from([("u", "v"), ("1", "0"), ("no", "yes"), ("null", "~"), ("a: b", "#c")]),
)
def test_render_makes_loadable_yaml_of_any_table(
    tmp_path: Path, titles: list[str], data: st.DataObject, labels: tuple[str, str]
) -> None:
    columns = [data.draw(st.lists(CELLS, min_size=8, max_size=8)) for _ in titles]
    rows = rows_of(range(8), *columns, labels * 4)
    path = tmp_path / "data.csv"
    path.write_text(table(["number", *titles, "the label"], rows), encoding="utf-8")

    inspection = inspect_csv(path, Wishes("the label"), tmp_path)
    text = render(inspection, 2, 1)

    output = tmp_path / "out.yaml"
    output.write_text(text, encoding="utf-8")
    config = load_config(output)
    assert config.data.positive in labels
    written = {name: choice.feature for name, choice in inspection.features.items()}
    assert dict(config.features) == written
    assert yaml.safe_load(text)["data"]["label"] == inspection.label.name


@given(st.text())
def test_scalar_is_read_back(text: str) -> None:
    assert yaml.safe_load(_scalar(text)) == text


def test_scalar_shows_all_alphabets() -> None:
    assert [_scalar(text) for text in ("Größe", "価格", "😀: it's")] == [
        '"Größe"',
        '"価格"',
        "'😀: it''s'",
    ]


def test_comments_show_all_alphabets(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = [f"{index % 97},5{index:02} €,{'価格' if index % 2 else 'Größe'}" for index in range(99)]
    path.write_text("\n".join(["x,price,y", *rows]) + "\n", encoding="utf-8")

    text = render(inspect_csv(path, Wishes("y"), tmp_path), 2, 1)

    assert "written as '500 €'" in text
    assert "\\u" not in text
